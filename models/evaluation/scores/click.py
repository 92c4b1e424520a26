"""GUI clicks: does the point lie in the element that the instruction means? Accuracy; a point is its pixel's floor."""

import math
from typing import Any

from models.errors import BadEvaluation
from models.evaluation.grounding import Box
from models.evaluation.scores.reading import Row, field, question_id
from models.evaluation.scores.shapes import box_of
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent

Point = tuple[float, float]


def pair(sheets: Sheets) -> Matched[Box, Point | None]:
    """Pair answers {question_id, point_xy_px or null} with labels {question_id, bbox_xyxy_px}."""
    labels = sheets.truth("bbox_xyxy_px")
    return pair_up(
        ((question_id(row), box_of(field(row, "bbox_xyxy_px", where="labels"))) for row in labels),
        ((question_id(row), _point(row)) for row in sheets.said),
    )


def tally(pairs: Pairs[Box, Point | None]) -> Counts:
    """Count clicks and those that land."""
    return {"landed": sum(lands(box, point) for _, box, point in pairs), "answers": len(pairs)}


def metrics(counts: Counts) -> dict[str, float]:
    """Return the accuracy in percent."""
    return {"accuracy": percent(counts["landed"], counts["answers"])}


def lands(box: Box, point: Point | None) -> bool:
    """Return whether the point's pixel lies in the half-open box."""
    if point is None:
        return False
    x, y = math.floor(point[0]), math.floor(point[1])
    return box[0] <= x < box[2] and box[1] <= y < box[3]


def _point(row: Row) -> Point | None:
    value: Any = row.get("point_xy_px")
    if value is None:
        return None
    try:
        x, y = (float(one) for one in value)
    except (TypeError, ValueError):
        raise BadEvaluation(f"a point must be two numbers x, y; got {str(value)[:100]}") from None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


BENCHMARK = Benchmark(
    name="click",
    chief="accuracy",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda box, point: float(lands(box, point)),
)
