"""Drafts -> rows of the catalog, written once per job item however often the item is run. Called inside a transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.writings import WritingRepository
from models.writers.types import Draft
from workers.annotating.subjects import Loaded
from workers.sharing import Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a writer made of one subject."""

    loaded: Loaded
    drafts: tuple[Draft, ...]


class TextRows:
    """Writes the texts of one order; `origin` goes into the provenance of each."""

    def __init__(self, order_id: UUID, origin: Mapping[str, Any]) -> None:
        self._order_id, self._origin = order_id, origin

    def write(self, session: Session, finished: Sequence[Finished]) -> Mapping[int, dict[str, Any]]:
        """Insert the texts of a batch, and the marks they are about; returns each item's result."""
        rows: list[dict[str, Any]] = []
        results: dict[int, dict[str, Any]] = {}
        for one in finished:
            written: Written = one.outcome
            mark_set_id = written.loaded.keep(session)
            rows += [self._row(one, draft, number, mark_set_id) for number, draft in enumerate(written.drafts)]
            results[one.item.number] = {"texts": len(written.drafts)} | (
                {} if mark_set_id is None else {"mark_set_id": str(mark_set_id)}
            )
        if rows:
            WritingRepository(session).add_once(rows)
        return results

    def _row(self, one: Finished, draft: Draft, ordinal: int, mark_set_id: UUID | None) -> dict[str, Any]:
        return {
            "image_id": one.outcome.loaded.image_id,
            "mark_set_id": mark_set_id,
            "job_id": self._order_id,
            "job_item": one.item.number,
            "ordinal": ordinal,
            "kind": draft.kind,
            "tagged": draft.tagged,
            "conversations": [dict(turn) for turn in draft.conversations],
            "provenance": {**self._origin, **draft.provenance},
        }
