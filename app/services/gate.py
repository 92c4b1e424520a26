"""The gate before a deployment: a version must not be worse than the one that answers now, on metrics the caller chooses.

Compared are the newest finished evaluations of both that asked the same questions in the same way. Nothing is measured here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.catalog.evaluations import EvaluationRepository
from app.catalog.tables import EvaluationRow, ModelVersionRow
from app.errors import Conflict

# What an evaluation's settings tell of the model itself; all else is how it was asked.
_OF_THE_MODEL = frozenset({"model", "model_version"})


class WorseModel(Conflict):
    """The model is worse than the one that answers now"""

    code = "model.worse"


class UnmeasuredModel(Conflict):
    """The models cannot be compared"""

    code = "model.unmeasured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A metric of a benchmark, `a.b` inside another, and by how much it may be worse."""

    benchmark: str
    metric: str
    tolerance: float = 0.0
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version, or without one the model of that name that needs no registering."""

    name: str
    version: ModelVersionRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a rule found; `kept` says whether the new one may answer."""

    rule: Rule
    new: float
    current: float

    @property
    def kept(self) -> bool:
        """Whether the new one is not worse by more than is allowed."""
        loss = self.new - self.current if self.rule.lower_is_better else self.current - self.new
        return loss <= self.rule.tolerance


def compare(session: Session, new: Candidate, current: Candidate, rules: Sequence[Rule]) -> list[Compared]:
    """Put both beside each other, rule by rule; raises UnmeasuredModel where an evaluation or a figure is missing."""
    return [_compared(EvaluationRepository(session), new, current, rule) for rule in rules]


def check(compared: Sequence[Compared]) -> None:
    """Raise WorseModel that names every figure by which the new one falls behind."""
    worse = [one for one in compared if not one.kept]
    if worse:
        told = "; ".join(
            f"{one.rule.benchmark} {one.rule.metric} is {one.new:g}, was {one.current:g}"
            + (f" (at most {one.rule.tolerance:g} worse is allowed)" if one.rule.tolerance else "")
            for one in worse
        )
        raise WorseModel(f"{told}. Deploy another version, change the gate, or say `force`.")


def _compared(evaluations: EvaluationRepository, new: Candidate, current: Candidate, rule: Rule) -> Compared:
    mine = evaluations.finished(rule.benchmark, model_version_id=_id(new), model=new.name)
    if not mine:
        raise UnmeasuredModel(f"`{new.name}` has no finished evaluation by `{rule.benchmark}`; order one first.")
    others = evaluations.finished(rule.benchmark, model_version_id=_id(current), model=current.name)
    for one in mine:
        for other in others:
            if _asked(one) == _asked(other):
                return Compared(rule=rule, new=_figure(one, rule), current=_figure(other, rule))
    raise UnmeasuredModel(
        f"`{current.name}`, which answers now, has no evaluation by `{rule.benchmark}` with the same questions asked in the "
        f"same way as one of `{new.name}`; order one of both."
    )


def _id(candidate: Candidate) -> Any:
    return None if candidate.version is None else candidate.version.id


def _asked(row: EvaluationRow) -> tuple[Any, Mapping[str, Any]]:
    return row.dataset_id, {name: value for name, value in row.settings.items() if name not in _OF_THE_MODEL}


def _figure(row: EvaluationRow, rule: Rule) -> float:
    found: Any = row.metrics
    for part in rule.metric.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        known = ", ".join(sorted(name for name, value in row.metrics.items() if isinstance(value, int | float)))
        raise UnmeasuredModel(f"`{rule.benchmark}` measures no `{rule.metric}`; it measures {known or 'nothing'}.")
    return float(found)
