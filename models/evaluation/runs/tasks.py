"""Questions about marks: listing, classification, referring, phrases, video objects, clicks. Reads them from a file.

A line is {question_id, image, regions: [{id, rle | polygon_px | bbox_xyxy_px, text, role}]} and what its task asks: `choices`,
`text`, `phrases`, or `target_image` and `target_regions`. Without `regions` a segmenter finds them. Knows no model.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from models.evaluation.runs.pictures import PictureAt, picture_file
from models.evaluation.scores.reading import Row, question_id
from models.evaluation.scores.reading import field as value_of

Task = Literal["list", "classify", "refer", "phrases", "correspond", "act"]
TASKS: Final[Mapping[str, Task]] = MappingProxyType(
    {
        "listing": "list",
        "classify": "classify",
        "refer": "refer",
        "phrases": "phrases",
        "video": "correspond",
        "click": "act",
    }
)
"""Which task a benchmark puts to `models.grounding`."""

RegionRows = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkQuestion:
    """One question about one picture, or two; `key` is unique in its run, `row` is what the answer line repeats."""

    key: str
    task: Task
    image: PictureAt
    query: str = ""
    regions: RegionRows | None = None
    choices: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    target_image: PictureAt | None = None
    target_regions: RegionRows | None = None
    row: Mapping[str, Any] = field(default_factory=dict)


def mark_questions(benchmark: str, rows: Sequence[Row], images: Path | None) -> Iterator[MarkQuestion]:
    """Yield the questions of a benchmark in TASKS; raises BadEvaluation where a row is not as expected."""
    task = TASKS[benchmark]
    for row in rows:
        # A listing's answers are known by their pictures, as its label files have it.
        ids = ("image",) if task == "list" else ("question_id",)
        target = row.get("target_image")
        yield MarkQuestion(
            key=question_id(row, *ids),
            task=task,
            image=picture_file(images, str(value_of(row, "image", where="questions"))),
            query=str(value_of(row, "text", where="questions")) if task in ("refer", "phrases", "act") else "",
            regions=region_rows(row),
            choices=tuple(map(str, value_of(row, "choices", where="questions"))) if task == "classify" else (),
            phrases=tuple(map(str, value_of(row, "phrases", where="questions"))) if task == "phrases" else (),
            target_image=None if target is None else picture_file(images, str(target)),
            target_regions=region_rows(row, "target_regions"),
            row={name: row[name] for name in (*ids, "video") if row.get(name) is not None},
        )


def region_rows(row: Row, name: str = "regions") -> RegionRows | None:
    """Return the regions that a question brings with it, None where it brings none."""
    return None if row.get(name) is None else tuple(row[name])
