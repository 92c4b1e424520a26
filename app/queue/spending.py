"""What a job has spent on its teacher, and whether its budget allows more. Values and arithmetic only.

Counts are kept on the job's row as `usage`: calls, tokens, cost, and `granted`, what had been spent when the budget was
last granted (a retry grants it again). Called by `control`, and by workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Calls of a teacher and their tokens."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    items: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        """Both together."""
        return Spent(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            items=self.items + other.items,
        )

    def __bool__(self) -> bool:
        """Whether anything was spent."""
        return bool(self.calls)

    def added_to(self, usage: Mapping[str, Any], prices: Mapping[str, float] | None) -> dict[str, Any]:
        """Return the usage of a job after this; `prices` are per million tokens, without them there is no cost."""
        total = Spent(
            calls=usage.get("calls", 0),
            prompt_tokens=usage.get("prompt_tokens", 0),
            completion_tokens=usage.get("completion_tokens", 0),
            items=usage.get("items", 0),
        )
        total += self
        body: dict[str, Any] = {
            "calls": total.calls,
            "prompt_tokens": total.prompt_tokens,
            "completion_tokens": total.completion_tokens,
            "items": total.items,
        }
        if prices is not None:
            body["cost"] = round(
                (total.prompt_tokens * prices["prompt"] + total.completion_tokens * prices["completion"]) / _MILLION, 6
            )
        return {**usage, **body}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that may be spent since it was last granted; None sets no limit."""

    tokens: int | None = None
    cost: float | None = None

    def __bool__(self) -> bool:
        """Whether it sets a limit."""
        return self.tokens is not None or self.cost is not None

    def room(self, usage: Mapping[str, Any], in_work: int) -> int | None:
        """Return how many more items may be begun with `in_work` under way, None for any number.

        Goes by what an item has cost in the mean, those in work included, so that the budget is met and not just noticed.
        While nothing is known two items may be in work.
        """
        rooms = [
            self._room(limit, usage, in_work, spent=spent, granted=usage.get("granted", {}).get(name, 0))
            for name, limit, spent in (
                ("tokens", self.tokens, tokens_of(usage)),
                ("cost", self.cost, usage.get("cost", 0.0)),
            )
            if limit is not None
        ]
        return min(rooms) if rooms else None

    @staticmethod
    def _room(limit: float, usage: Mapping[str, Any], in_work: int, *, spent: float, granted: float) -> int:
        left = limit - (spent - granted)
        items = usage.get("items", 0)
        if left <= 0:
            return 0
        if not items or not spent:
            return max(0, 2 - in_work)
        return max(0, int(left / (spent / items)) - in_work)


def tokens_of(usage: Mapping[str, Any]) -> int:
    """All tokens of a job's usage."""
    return int(usage.get("prompt_tokens", 0)) + int(usage.get("completion_tokens", 0))


def granted_again(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return the usage of a job whose budget begins anew."""
    return {**usage, "granted": {"tokens": tokens_of(usage), "cost": usage.get("cost", 0.0)}} if usage else {}
