"""Draws benchmarks: the files of a suite about held-out scenes and screens, so that a model is measured with nothing to fetch.

The layouts are those of the official files and of `runs.tasks`. A seed gives the same files. What is drawn says how well
a model reads marks, not how well it knows the world. Called by commands and evaluation jobs; knows no model.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from PIL import Image

from models import drawings
from models.drawings import Drawing
from models.errors import BadEvaluation
from models.evaluation.grounding import rle_of
from models.evaluation.probes import SAMPLINGS, probes
from models.evaluation.suites import Suite
from models.marks import place
from models.regions import Regions
from models.vlm.prompts import ACT_TEMPLATES

_Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A drawing with its file name and its number among those of one suite."""

    number: int
    name: str
    drawing: Drawing

    @property
    def regions(self) -> _Rows:
        """The true regions as rows of a question file; without the names, which are what is asked."""
        return [{"id": str(i), "rle": rle} for i, rle in enumerate(self.drawing.regions.rles, 1)]


def draw(benchmark: str, folder: Path, *, n: int = 50, seed: int = 0) -> Suite:
    """Write a suite about `n` drawings into `folder`; raises BadEvaluation for a benchmark that cannot be drawn."""
    if benchmark not in DRAWABLE:
        raise BadEvaluation(f"{benchmark} cannot be drawn, its files are needed; drawn are {', '.join(DRAWABLE)}")
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    drawn = list(_drawings(n, seed, drawings.screen if benchmark == "click" else drawings.scene))
    for one in drawn:
        _save(one.drawing.image, images / one.name)
    questions, labels = DRAWABLE[benchmark](drawn, Random(f"{benchmark}:{seed}"), images)
    files = [_lines(folder / f"{name}.jsonl", rows) for name, rows in labels.items()]
    return Suite(
        benchmark=benchmark,
        questions=_lines(folder / "questions.jsonl", questions),
        labels=tuple(sorted(files)),
        images=images,
    )


def _drawings(n: int, seed: int, make: Callable[[int], Drawing]) -> Iterator[Drawn]:
    seeds = drawings.HELD_OUT_SEEDS
    first = seeds.start + (seed * n) % (len(seeds) - n)
    for number in range(n):
        yield Drawn(number=number + 1, name=f"{first + number}.png", drawing=_in_order(make(first + number)))


def _in_order(drawing: Drawing) -> Drawing:
    """Return the drawing with its regions in the order of their marks, so that labels and painted numbers agree."""
    order = [one.region_index for one in place(drawing.regions).marks]
    return replace(drawing, regions=drawing.regions.take(order), names=tuple(drawing.names[i] for i in order))


def _listing(drawn: list[Drawn], _rng: Random, _images: Path) -> tuple[_Rows, dict[str, _Rows]]:
    questions = [
        {"question_id": one.number, "image": one.name, "text": "List the marks.", "regions": one.regions}
        for one in drawn
    ]
    return questions, {"labels": [{"image": one.name, "items": list(one.drawing.names)} for one in drawn]}


def _pope(drawn: list[Drawn], rng: Random, _images: Path) -> tuple[_Rows, dict[str, _Rows]]:
    things = {one.name: list(one.drawing.names) for one in drawn}
    regions = {one.name: one.regions for one in drawn}
    seed = rng.randrange(2**31)
    questions: _Rows = []
    labels: dict[str, _Rows] = {}
    for sampling in SAMPLINGS:
        labels[sampling] = []
        for probe in probes(things, sampling, seed):
            asked = probe.question(len(questions) + 1, sampling)
            questions.append(asked | {"regions": regions[probe.image]})
            labels[sampling].append(probe.label(len(questions)))
    return questions, labels


def _classify(drawn: list[Drawn], rng: Random, _images: Path) -> tuple[_Rows, dict[str, _Rows]]:
    every = sorted({name for one in drawn for name in one.drawing.names})
    questions = []
    for one in drawn:
        others = [name for name in every if name not in one.drawing.names]
        pool = sorted({*one.drawing.names, *rng.sample(others, min(8, len(others)))})
        questions.append({"question_id": one.number, "image": one.name, "choices": pool, "regions": one.regions})
    labels = [
        {"question_id": one.number, "items": {str(i): name for i, name in enumerate(one.drawing.names, 1)}}
        for one in drawn
    ]
    return questions, {"labels": labels}


def _refer(drawn: list[Drawn], rng: Random, _images: Path) -> tuple[_Rows, dict[str, _Rows]]:
    questions, labels = [], []
    for one in drawn:
        meant = rng.randrange(len(one.drawing.names))
        text = f"the {one.drawing.names[meant]}"
        questions.append({"question_id": one.number, "image": one.name, "text": text, "regions": one.regions})
        labels.append({"question_id": one.number, "rle": one.drawing.regions.rles[meant]})
    return questions, {"labels": labels}


def _phrases(drawn: list[Drawn], rng: Random, _images: Path) -> tuple[_Rows, dict[str, _Rows]]:
    questions, labels = [], []
    for one in drawn:
        meant = rng.sample(range(len(one.drawing.names)), min(2, len(one.drawing.names)))
        phrases = [f"the {one.drawing.names[i]}" for i in meant]
        asked = {"question_id": one.number, "image": one.name, "phrases": phrases, "regions": one.regions}
        questions.append(asked | {"text": f"The picture shows {' and '.join(phrases)}."})
        boxes = one.drawing.regions.boxes_xyxy_px.tolist()
        truth = [{"phrase": phrase, "boxes_xyxy_px": [boxes[i]]} for phrase, i in zip(phrases, meant, strict=True)]
        labels.append({"question_id": one.number, "phrases": truth})
    return questions, {"labels": labels}


def _video(drawn: list[Drawn], rng: Random, images: Path) -> tuple[_Rows, dict[str, _Rows]]:
    """A later frame: the camera has moved, so that everything lies elsewhere and some of it is cut at the edge."""
    questions, labels = [], []
    for one in drawn:
        height, width = one.drawing.image.shape[:2]
        dx, dy = (rng.choice((-1, 1)) * rng.randint(4, max(5, side // 12)) for side in (width, height))
        later = f"{Path(one.name).stem}-later.png"
        _save(_shifted(one.drawing.image, dx, dy), images / later)
        moved = _moved(one.drawing.regions, dx, dy)
        order = rng.sample(range(len(moved)), len(moved))
        questions.append(
            {
                "question_id": one.number,
                "image": one.name,
                "regions": one.regions,
                "target_image": later,
                "target_regions": [{"id": str(k), "rle": moved[i]} for k, i in enumerate(order, 1)],
            }
        )
        labels.append({"question_id": one.number, "objects": {str(i): {"rle": rle} for i, rle in enumerate(moved, 1)}})
    return questions, {"labels": labels}


def _click(drawn: list[Drawn], rng: Random, _images: Path) -> tuple[_Rows, dict[str, _Rows]]:
    questions, labels = [], []
    for one in drawn:
        named = one.drawing.regions
        unique = [i for i, text in enumerate(named.texts) if text and named.texts.count(text) == 1]
        if not unique:
            continue
        meant = rng.choice(unique)
        phrase = f'the {named.roles[meant]} "{named.texts[meant]}"'
        asked = {
            "question_id": one.number,
            "image": one.name,
            "text": rng.choice(ACT_TEMPLATES).replace("{phrase}", phrase),
        }
        boxes = named.boxes_xyxy_px.tolist()
        rows = [
            {"id": str(i), "bbox_xyxy_px": box, "text": text, "role": role}
            for i, (box, text, role) in enumerate(zip(boxes, named.texts, named.roles, strict=True), 1)
        ]
        questions.append(asked | {"regions": rows})
        labels.append({"question_id": one.number, "bbox_xyxy_px": boxes[meant]})
    return questions, {"labels": labels}


def _shifted(image: Any, dx: int, dy: int) -> Any:
    height, width = image.shape[:2]
    rows = np.clip(np.arange(height) - dy, 0, height - 1)
    columns = np.clip(np.arange(width) - dx, 0, width - 1)
    return image[rows][:, columns]


def _moved(regions: Regions, dx: int, dy: int) -> list[Any]:
    """Return the masks in the later frame; what left the frame is cut off."""
    height, width = regions.size_hw
    moved = []
    for i in range(len(regions)):
        mask = np.zeros((height, width), bool)
        whole = regions.mask(i)
        mask[max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)] = whole[
            max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)
        ]
        moved.append(rle_of(mask))
    return moved


def _save(image: Any, path: Path) -> None:
    Image.fromarray(image).save(path, compress_level=1)


def _lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


Make = Callable[[list[Drawn], Random, Path], tuple[_Rows, dict[str, _Rows]]]

DRAWABLE: Final[Mapping[str, Make]] = MappingProxyType(
    {
        "listing": _listing,
        "pope": _pope,
        "classify": _classify,
        "refer": _refer,
        "phrases": _phrases,
        "video": _video,
        "click": _click,
    }
)
"""The benchmarks that can be drawn."""
