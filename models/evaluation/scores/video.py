"""Video object segmentation: the same objects in a later frame. J, the mean overlap of masks (SoM, section 4; DAVIS).

An object that was not found again overlaps nothing. Frames of one `video` are drawn together by a bootstrap.
"""

from collections.abc import Mapping

from models.errors import BadEvaluation
from models.evaluation.scores.reading import Row, field, question_id
from models.evaluation.scores.shapes import Shape, shape_of
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent

Objects = Mapping[str, Shape | None]


def pair(sheets: Sheets) -> Matched[Objects, Objects]:
    """Pair answers and labels {question_id, video, objects: {name: {rle} or null}}; ids of the result are (video, id)."""
    labels = sheets.truth("objects")
    video = {question_id(row): str(row.get("video") or question_id(row)) for row in labels}

    def key(row: Row) -> tuple[str, str]:
        return video.get(question_id(row), ""), question_id(row)

    return pair_up(((key(row), _objects(row)) for row in labels), ((key(row), _objects(row)) for row in sheets.said))


def tally(pairs: Pairs[Objects, Objects]) -> Counts:
    """Sum overlaps over the true objects."""
    return {
        "overlap": sum(_overlap(truth, said) for _, truth, said in pairs),
        "objects": sum(len(truth) for _, truth, _ in pairs),
    }


def metrics(counts: Counts) -> dict[str, float]:
    """Return J in percent."""
    return {"j": percent(counts["overlap"], counts["objects"])}


def _overlap(truth: Objects, said: Objects) -> float:
    return sum(shape.mask_overlap(said.get(name)) for name, shape in truth.items() if shape is not None)


def _objects(row: Row) -> Objects:
    objects = field(row, "objects", where="files")
    if not isinstance(objects, dict):
        raise BadEvaluation(f"`objects` must map names to masks; got {str(objects)[:100]}")
    return {str(name): None if one is None else shape_of(one) for name, one in objects.items()}


BENCHMARK = Benchmark(
    name="video",
    chief="j",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda truth, said: _overlap(truth, said) / max(1, len(truth)),
    unit=lambda key: key[0],
)
