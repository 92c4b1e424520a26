"""Puts the questions of mark tasks to a model without marks: it must say where, in numbers. What marks are measured against.

Coordinates are shares of what the model is shown: of the picture, or of the padded square for a model that sees only such
squares (LLaVA-1.5). Prompts are ours. An answer without readable coordinates finds nothing. Knows no file.
"""

import json
import re
from typing import Any, Final

from models.errors import BadEvaluation
from models.evaluation.grounding import rle_of
from models.evaluation.runs.tags import Picture, regions_of
from models.evaluation.runs.tasks import MarkQuestion
from models.marks.for_model import fit_square
from models.regions import Regions
from models.vlm.prompts import LIST_TEMPLATES
from models.vlm.types import VlmBackend, VlmRequest

_NUMBER: Final = re.compile(r"-?\d*\.?\d+")
_LIST: Final = re.compile(r"[\[(]([^\[\]()]*)[\])]")
_BOX: Final = "Answer with a box alone, as [left, top, right, bottom]; each number is a share of the picture's width or height, from 0 to 1."
_POINT: Final = (
    "Answer with a point alone, as [x, y]; each number is a share of the picture's width or height, from 0 to 1."
)
_TOKENS: Final = 64


def answer(backend: VlmBackend, question: MarkQuestion, picture: Picture, target: Picture | None) -> dict[str, Any]:
    """Return the fields of an answer line; raises what the backend raises."""
    wanted = json.dumps(question.query, ensure_ascii=False)
    match question.task:
        case "list":
            return {"text": _said(backend, LIST_TEMPLATES[0], picture, tokens=1024)}
        case "refer":
            return {"bbox_xyxy_px": _box(backend, f"Where is what these words mean: {wanted}? {_BOX}", picture)}
        case "act":
            numbers = _numbers(backend, f"Where does one click to do this: {wanted}? {_POINT}", picture, count=2)
            return {"point_xy_px": None if numbers is None else _placed(backend, picture, numbers)}
        case "phrases":
            return {
                "phrases": [
                    {
                        "phrase": phrase,
                        "bbox_xyxy_px": _box(
                            backend,
                            f"Where is what these words mean: {json.dumps(phrase, ensure_ascii=False)}? {_BOX}",
                            picture,
                        ),
                    }
                    for phrase in question.phrases
                ]
            }
        case "classify":
            return {"items": _classes(backend, question, picture)}
        case "correspond":
            return {"objects": _objects(backend, question, picture, target)}


def _classes(backend: VlmBackend, question: MarkQuestion, picture: Picture) -> dict[str, str]:
    regions = _given(question, picture)
    names = ", ".join(question.choices)
    items = {}
    for name, box in zip(regions.ids, regions.boxes_xyxy_px.tolist(), strict=True):
        prompt = f"What is inside the box {_shares(backend, picture, box)} of the picture? Answer with one of these names alone: {names}."
        items[name] = backend.weigh(
            VlmRequest(images=(picture,), prompt=prompt, max_tokens=_TOKENS), question.choices
        ).best
    return items


def _objects(backend: VlmBackend, question: MarkQuestion, picture: Picture, target: Picture | None) -> dict[str, Any]:
    if target is None:
        raise BadEvaluation(f"question {question.key} names no `target_image`")
    regions = _given(question, picture)
    objects: dict[str, Any] = {}
    for name, box in zip(regions.ids, regions.boxes_xyxy_px.tolist(), strict=True):
        where = _shares(backend, picture, box)
        prompt = (
            f"A thing lies in the box {where} of the first picture. Where does it lie in the second picture? {_BOX}"
        )
        found = _box(backend, prompt, picture, target)
        objects[name] = None if found is None else {"rle": _filled(found, target)}
    return objects


def _given(question: MarkQuestion, picture: Picture) -> Regions:
    if question.regions is None:
        raise BadEvaluation(f"question {question.key} names no `regions`, and without tags there are no others")
    return regions_of(question.regions, (picture.shape[0], picture.shape[1]))


def _filled(box: list[float], picture: Picture) -> Any:
    return rle_of(Regions.from_boxes((picture.shape[0], picture.shape[1]), [box]).mask(0))


def _box(backend: VlmBackend, prompt: str, *pictures: Picture) -> list[float] | None:
    """Return the box that the model says, in pixels of the last picture."""
    numbers = _numbers(backend, prompt, *pictures, count=4)
    if numbers is None:
        return None
    corners = _placed(backend, pictures[-1], numbers[:2]) + _placed(backend, pictures[-1], numbers[2:])
    return corners if corners[0] < corners[2] and corners[1] < corners[3] else None


def _numbers(backend: VlmBackend, prompt: str, *pictures: Picture, count: int) -> list[float] | None:
    """Return the shares in the first bracket that holds just `count` numbers from 0 to 1; None where there is none."""
    for inside in _LIST.findall(_said(backend, prompt, *pictures)):
        numbers = [float(one) for one in _NUMBER.findall(inside)]
        if len(numbers) == count and all(0.0 <= one <= 1.0 for one in numbers):
            return numbers
    return None


def _said(backend: VlmBackend, prompt: str, *pictures: Picture, tokens: int = _TOKENS) -> str:
    return backend.generate(VlmRequest(images=pictures, prompt=prompt, max_tokens=tokens)).text


def _placed(backend: VlmBackend, picture: Picture, shares: list[float]) -> list[float]:
    """Return a point in pixels of the picture from shares of what the model sees."""
    if backend.input_px is None:
        return [shares[0] * picture.shape[1], shares[1] * picture.shape[0]]
    _, scale, offset = fit_square(picture, backend.input_px)
    return [(share * backend.input_px - off) / by for share, off, by in zip(shares, offset, scale, strict=True)]


def _shares(backend: VlmBackend, picture: Picture, box: list[float]) -> str:
    """Return a box in pixels as shares of what the model sees."""
    if backend.input_px is None:
        values = [value / picture.shape[1 - i % 2] for i, value in enumerate(box)]
    else:
        _, scale, offset = fit_square(picture, backend.input_px)
        values = [(value * scale[i % 2] + offset[i % 2]) / backend.input_px for i, value in enumerate(box)]
    return "[" + ", ".join(f"{value:.3f}" for value in values) + "]"
