"""Referring expressions: which region is meant? Masks by mIoU, boxes by ACC@0.5 (SoM, arXiv 2310.11441, table 2).

How an answer of several marks is scored was never published (its issues ask): here they are one region together, so a
mark too many costs overlap. An answer of no mark overlaps nothing.
"""

from models.errors import BadEvaluation
from models.evaluation.grounding import HIT_IOU
from models.evaluation.scores.reading import Row, question_id
from models.evaluation.scores.shapes import Shape, shape_of
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent


def pair(sheets: Sheets) -> Matched[Shape, Shape | None]:
    """Pair answers {question_id, rle or bbox_xyxy_px or neither} with labels {question_id, rle or polygon_px or bbox_xyxy_px}."""
    return pair_up(
        ((question_id(row), _truth(row)) for row in sheets.truth("rle", "polygon_px", "bbox_xyxy_px")),
        ((question_id(row), shape_of(row)) for row in sheets.said),
    )


def tally(pairs: Pairs[Shape, Shape | None]) -> Counts:
    """Sum overlaps and hits."""
    return {
        "overlap": sum(truth.mask_overlap(said) for _, truth, said in pairs),
        "hits": sum(truth.box_overlap(said) >= HIT_IOU for _, truth, said in pairs),
        "answers": len(pairs),
    }


def metrics(counts: Counts) -> dict[str, float]:
    """Return mIoU and ACC@0.5 in percent."""
    return {
        "miou": percent(counts["overlap"], counts["answers"]),
        "acc@0.5": percent(counts["hits"], counts["answers"]),
    }


def _truth(row: Row) -> Shape:
    shape = shape_of(row)
    if shape is None:
        raise BadEvaluation(f"a row of the labels has no `rle`, `polygon_px` or `bbox_xyxy_px`: {str(dict(row))[:200]}")
    return shape


BENCHMARK = Benchmark(
    name="refer",
    chief="miou",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda truth, said: truth.mask_overlap(said),
)
