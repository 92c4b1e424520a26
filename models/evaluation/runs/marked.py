"""Puts a question about marks to a model and words the answer as its scorer reads it.

With tags, `models.grounding` asks, as it does when it serves: the model's own words, or its likeliest mark. Without, the
model sees the bare picture and must say coordinates (`untagged`). Knows no file.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from models.errors import BadEvaluation
from models.evaluation.grounding import union_mask
from models.evaluation.listing import parse_listing
from models.evaluation.runs import untagged
from models.evaluation.runs.pictures import PictureAt
from models.evaluation.runs.tags import Picture, Tags
from models.evaluation.runs.tasks import MarkQuestion
from models.grounding import Decide, GroundRequest, GroundResult, MarkedPicture, ground
from models.marks import Mark
from models.vlm.prompts import LIST_TEMPLATES
from models.vlm.types import VlmBackend

Choosing = Literal["text", "likelihood"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingMarks:
    """How a run asks about marks. `decide` says whether a ranker may choose beside the model; a measured model chooses alone."""

    backend: VlmBackend
    read: Callable[[PictureAt], Picture]
    tags: Tags | None
    choosing: Choosing = "likelihood"
    decide: Decide = "model"
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, question: MarkQuestion) -> dict[str, Any]:
        """Return the fields of an answer line; raises what the backend and `read` raise."""
        with self.turn:
            picture = self.read(question.image)
            target = None if question.target_image is None else self.read(question.target_image)
        if self.tags is None:
            return untagged.answer(self.backend, question, picture, target)
        with self.turn:
            marked = self._marked(picture, question.regions)
            other = None if target is None else self._marked(target, question.target_regions)
        return self._about(question, marked, other)

    def _about(self, question: MarkQuestion, marked: MarkedPicture, other: MarkedPicture | None) -> dict[str, Any]:
        match question.task:
            case "list":
                return _listing(marked, self._ground(question, marked, query=LIST_TEMPLATES[0]))
            case "classify":
                return _classes(
                    marked,
                    self._named(question, marked),
                    golden=question.regions is not None and _needed(self.tags).golden,
                )
            case "phrases":
                return {"phrases": self._phrases(question, marked)}
            case "correspond":
                return {"objects": self._objects(question, marked, other)}
            case "refer":
                return _region(marked, self._ground(question, marked))
            case "act":
                return _click(self._ground(question, marked))

    def _marked(self, picture: Picture, given: Any) -> MarkedPicture:
        tags = _needed(self.tags)
        regions = tags.regions(picture, given)
        return MarkedPicture(image=picture, regions=regions, marking=tags.place(picture, regions))

    def _ground(
        self,
        question: MarkQuestion,
        marked: MarkedPicture,
        *,
        task: str | None = None,
        query: str | None = None,
        choices: tuple[str, ...] = (),
        target: MarkedPicture | None = None,
    ) -> GroundResult:
        request = GroundRequest(
            image=marked.image,
            regions=marked.regions,
            marking=marked.marking,
            style=_needed(self.tags).style,
            task=task or question.task,
            query=question.query if query is None else query,
            choices=choices,
            target=target,
            constrain=self.choosing == "likelihood",
            decide=self.decide,
        )
        return ground(self.backend, request)

    def _named(self, question: MarkQuestion, marked: MarkedPicture) -> dict[str, str]:
        """Return mark -> name: the likeliest of the pool for each mark, or what the model lists when it is shown the pool."""
        if self.choosing == "likelihood":
            result = self._ground(question, marked, choices=question.choices)
            return {one.mark: one.label for one in result.labels}
        query = LIST_TEMPLATES[0]
        if self.backend.dialect == "general":
            query += f" Use only these names: {', '.join(question.choices)}."
        return parse_listing(self._ground(question, marked, task="list", query=query).text)

    def _phrases(self, question: MarkQuestion, marked: MarkedPicture) -> list[dict[str, Any]]:
        if self.choosing == "likelihood":
            found = self._ground(question, marked, choices=question.phrases).phrases
            firsts = [one.marks[0] if one.marks else None for one in found]
        else:
            each = [self._ground(question, marked, task="refer", query=phrase) for phrase in question.phrases]
            firsts = [one.selected[0].mark if one.selected else None for one in each]
        boxes = {one.id: list(one.bbox_xyxy_px) for one in marked.marking.marks}
        return [
            {"phrase": phrase, "bbox_xyxy_px": None if first is None else boxes[first]}
            for phrase, first in zip(question.phrases, firsts, strict=True)
        ]

    def _objects(self, question: MarkQuestion, marked: MarkedPicture, other: MarkedPicture | None) -> dict[str, Any]:
        if other is None:
            raise BadEvaluation(f"question {question.key} names no `target_image`")
        if self.choosing == "text":
            raise BadEvaluation("objects of two pictures are matched mark by mark; choose by likelihood")
        pairs = {one.mark: one.target_mark for one in self._ground(question, marked, target=other).correspondences}
        targets = {one.id: one.region_index for one in other.marking.marks}
        return {
            one.region_id: {"rle": other.regions.rles[targets[pairs[one.id]]]} if one.id in pairs else None
            for one in marked.marking.marks
        }


def _needed(tags: Tags | None) -> Tags:
    if tags is None:
        raise BadEvaluation("a question about marks needs tags")
    return tags


def _listing(marked: MarkedPicture, result: GroundResult) -> dict[str, Any]:
    """Word a listing by the regions' own numbers: labels count regions, and a style may count marks in another order."""
    numbers = {one.id: one.region_index + 1 for one in marked.marking.marks}
    lines = []
    for mark, name in parse_listing(result.text).items():
        lines.append((numbers.get(mark, _beyond(mark, len(marked.regions))), name))
    return {"text": "\n".join(f"{number}. {name}" for number, name in sorted(lines)), "said": result.text}


def _beyond(mark: str, count: int) -> int:
    """Return the number of an invented mark: one that no region has."""
    return int(mark) if mark.isdigit() and int(mark) > count else count + 1


def _classes(marked: MarkedPicture, names: dict[str, str], *, golden: bool) -> dict[str, Any]:
    known = [one for one in marked.marking.marks if one.id in names]
    if golden:
        return {"items": {one.region_id: names[one.id] for one in known}}
    rles = marked.regions.rles
    return {"items": [{"id": one.id, "name": names[one.id], "rle": rles[one.region_index]} for one in known]}


def _region(marked: MarkedPicture, result: GroundResult) -> dict[str, Any]:
    by_id = {one.id: one for one in marked.marking.marks}
    chosen = [by_id[one.mark] for one in result.selected]
    return {
        "rle": union_mask(marked.regions, [one.region_index for one in chosen]),
        "bbox_xyxy_px": _around(chosen),
        "marks": [one.id for one in chosen],
        "decided_by": result.decided_by,
    }


def _click(result: GroundResult) -> dict[str, Any]:
    return {
        "point_xy_px": None if result.action is None else list(result.action.point_xy_px),
        "marks": [one.mark for one in result.selected],
        "decided_by": result.decided_by,
    }


def _around(marks: Sequence[Mark]) -> list[float] | None:
    if not marks:
        return None
    boxes = [one.bbox_xyxy_px for one in marks]
    return [min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)]
