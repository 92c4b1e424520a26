"""What an annotation order says, read from its job's payload. `app.services.annotating` writes it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from app.queue.spending import Budget
from models.writers.registry import Entry, entry_of
from models.writers.types import TextKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order. `sources` are those whose facts count, None all of them; `from_facts` marks what they outline."""

    id: UUID
    kind: TextKind
    writer: str
    entry: Entry
    mode: str | None
    model: str | None
    seed: int
    tries: int
    options: Mapping[str, Any]
    examples: tuple[UUID, ...]
    settings: Mapping[str, Any]
    settings_sha256: str
    sources: tuple[str, ...] | None
    from_facts: bool
    concurrency: int | None
    budget: Budget
    prices: Mapping[str, float] | None
    temperature: float | None
    timeout_s: float | None

    @classmethod
    def read(cls, order_id: UUID, payload: Mapping[str, Any]) -> Self:
        """Read a payload; one of an older release lacks the newer fields."""
        teacher, budget = payload.get("teacher") or {}, payload.get("budget") or {}
        sources = payload.get("sources")
        return cls(
            id=order_id,
            kind=payload["kind"],
            writer=payload["writer"],
            entry=entry_of(payload["kind"], payload["writer"]),
            mode=payload.get("mode"),
            model=payload["model"],
            seed=payload["seed"],
            tries=payload.get("tries", 3),
            options=payload.get("options") or {},
            examples=tuple(UUID(text_id) for text_id in payload.get("examples") or ()),
            settings=payload["settings"],
            settings_sha256=payload["settings_sha256"],
            sources=None if not sources else tuple(sources),
            from_facts=sources is not None,
            concurrency=payload.get("concurrency"),
            budget=Budget(tokens=budget.get("tokens"), cost=budget.get("cost")),
            prices=payload.get("prices"),
            temperature=teacher.get("temperature"),
            timeout_s=teacher.get("timeout_s"),
        )
