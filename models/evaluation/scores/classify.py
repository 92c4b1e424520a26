"""Open-vocabulary classification: the name of every marked region out of a pool; precision (SoM, section 4, SoM-Bench).

Regions are the true ones, known by their ids, or a segmenter's own: then both files carry them, and a region is the true
one that it overlaps by half and most. A true region that nobody named is wrong.
"""

from dataclasses import dataclass
from typing import Any

from models.errors import BadEvaluation
from models.evaluation.grounding import HIT_IOU
from models.evaluation.listing import parse_listing
from models.evaluation.scores.listing import plain_name
from models.evaluation.scores.reading import Row, field, question_id
from models.evaluation.scores.shapes import Shape, shape_of
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A region with a name; `shape` is None where ids say enough."""

    id: str
    name: str
    shape: Shape | None = None

    def __str__(self) -> str:
        """As a line of a listing."""
        return f"{self.id}. {self.name}"


Items = tuple[Named, ...]


def pair(sheets: Sheets) -> Matched[Items, Items]:
    """Pair answers {question_id, items or text} with labels {question_id, items}.

    `items` is {id: name}, a list of names (of mark 1, 2, ...), or a list of {id, name, rle or bbox_xyxy_px}; `text` a listing.
    """
    return pair_up(
        ((question_id(row), _items(field(row, "items", where="labels"))) for row in sheets.truth("items")),
        ((question_id(row), _said(row)) for row in sheets.said),
    )


def tally(pairs: Pairs[Items, Items]) -> Counts:
    """Count true regions and those named rightly."""
    return {"right": sum(_right(*row[1:]) for row in pairs), "items": sum(len(truth) for _, truth, _ in pairs)}


def metrics(counts: Counts) -> dict[str, float]:
    """Return the precision in percent."""
    return {"precision": percent(counts["right"], counts["items"])}


def _right(truth: Items, said: Items) -> int:
    by_id = {item.id: item for item in said}
    shaped = [item for item in said if item.shape is not None]
    right = 0
    for item in truth:
        found = _nearest(item.shape, shaped) if item.shape is not None and shaped else by_id.get(item.id)
        right += found is not None and plain_name(found.name) == plain_name(item.name)
    return right


def _nearest(shape: Shape, said: list[Named]) -> Named | None:
    best = max(said, key=lambda item: shape.mask_overlap(item.shape))
    return best if shape.mask_overlap(best.shape) >= HIT_IOU else None


def _said(row: Row) -> Items:
    if row.get("items") is not None:
        return _items(row["items"])
    return _items(parse_listing(str(field(row, "items", "text", where="answers"))))


def _items(value: Any) -> Items:
    if isinstance(value, dict):
        return tuple(Named(id=str(key), name=str(name)) for key, name in value.items())
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(Named(id=str(number), name=name) for number, name in enumerate(value, 1))
    if isinstance(value, list) and all(isinstance(one, dict) and {"id", "name"} <= one.keys() for one in value):
        return tuple(Named(id=str(one["id"]), name=str(one["name"]), shape=shape_of(one)) for one in value)
    raise BadEvaluation(f"`items` must be names by id, or regions with `id` and `name`; got {str(value)[:100]}")


BENCHMARK = Benchmark(
    name="classify",
    chief="precision",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda truth, said: _right(truth, said) / max(1, len(truth)),
)
