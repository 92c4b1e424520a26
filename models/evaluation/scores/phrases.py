"""Phrase grounding: where are the things that a sentence speaks of? Recall@1 over phrases (SoM, section 4; Flickr30K).

A phrase is found if the box of its first mark overlaps any of its true boxes by half.
"""

from typing import Any

from models.errors import BadEvaluation
from models.evaluation.grounding import HIT_IOU, Box, box_iou
from models.evaluation.scores.reading import Row, field, question_id
from models.evaluation.scores.shapes import box_of, shape_of
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent

Truth = dict[str, tuple[Box, ...]]  # phrase -> its boxes
Said = dict[str, Box | None]  # phrase -> the first box


def pair(sheets: Sheets) -> Matched[Truth, Said]:
    """Pair answers {question_id, phrases: [{phrase, bbox_xyxy_px}]} with labels {..., phrases: [{phrase, boxes_xyxy_px}]}."""
    return pair_up(
        ((question_id(row), _truth(row)) for row in sheets.truth("phrases")),
        ((question_id(row), _said(row)) for row in sheets.said),
    )


def tally(pairs: Pairs[Truth, Said]) -> Counts:
    """Count phrases and those found."""
    return {"found": sum(_found(*row[1:]) for row in pairs), "phrases": sum(len(truth) for _, truth, _ in pairs)}


def metrics(counts: Counts) -> dict[str, float]:
    """Return Recall@1 in percent."""
    return {"recall@1": percent(counts["found"], counts["phrases"])}


def _found(truth: Truth, said: Said) -> int:
    return sum(any(box_iou(said.get(phrase), box) >= HIT_IOU for box in boxes) for phrase, boxes in truth.items())


def _truth(row: Row) -> Truth:
    truth: Truth = {}
    for entry in _entries(row, "labels"):
        boxes = entry.get("boxes_xyxy_px") or ([entry["bbox_xyxy_px"]] if entry.get("bbox_xyxy_px") is not None else [])
        truth[str(entry["phrase"])] = tuple(box_of(box) for box in boxes)
    return truth


def _said(row: Row) -> Said:
    return {
        str(entry["phrase"]): None if (shape := shape_of(entry)) is None else shape.box
        for entry in _entries(row, "answers")
    }


def _entries(row: Row, where: str) -> list[dict[str, Any]]:
    entries = field(row, "phrases", where=where)
    if not isinstance(entries, list) or not all(isinstance(one, dict) and one.get("phrase") for one in entries):
        raise BadEvaluation(f"`phrases` must be a list of objects with a `phrase`; got {str(entries)[:100]}")
    return entries


BENCHMARK = Benchmark(
    name="phrases",
    chief="recall@1",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda truth, said: _found(truth, said) / max(1, len(truth)),
)
