"""What the small model answers as the service asks it: held-out drawings whose marks have any ids, style and size.

`models.evaluation.drawings --set served` prints it. There the weights are asked alone, about pictures that were painted any which way;
here `ground` paints, words and decodes, as it does for whoever calls the service. The ranker has no say.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from models.grounding import GroundRequest, GroundResult, ground
from models.marks import Marking, place, style_of
from models.regions import Regions
from models.training.framing import resized
from models.training.segments import Scene, scene_segments
from models.training.varied import MarkKind, ids_of, plain_ids, scene_of
from models.vlm.local import LocalBackend
from models.vlm.types import VlmBackend

STYLE: Final = "markwise"
FILLED: Final[dict[str, Any]] = {"name": STYLE, "draw": ["box", "mask", "mark"], "alpha": 0.2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a scene comes: its ids, the style that is asked for, and the size of what is drawn in its picture."""

    kind: MarkKind = "number"
    gaps: bool = False
    style: str | dict[str, Any] = STYLE
    size: float = 1.0


WAYS: Final[dict[str, Way]] = {
    "2-10": Way(),
    "letters": Way(kind="letter"),
    "ids to 99": Way(gaps=True),
    "som": Way(style="som"),
    "som-llava": Way(style="som-llava"),
    "filled": Way(style=FILLED),
    "x0.7": Way(size=0.7),
    "x0.85": Way(size=0.85),
    "x1.15": Way(size=1.15),
    "x1.3": Way(size=1.3),
}


def evaluate_served(folder: Path, count: int, first_seed: int) -> dict[str, float]:
    """Accuracies on `count` scenes of 2-10 objects as they are, and on a quarter as many in every other way."""
    backend = LocalBackend(folder)
    right, asked = Counter[str](), Counter[str]()
    for at in range(count):
        for name, way in WAYS.items():
            if name == "2-10" or at < max(1, count // 4):
                for task, hit in _answered(backend, first_seed + at, way, yes_no=name == "2-10"):
                    right[f"{name}: {task}"] += hit
                    asked[f"{name}: {task}"] += 1
    return {task: round(right[task] / asked[task], 4) for task in asked}


def _answered(backend: VlmBackend, seed: int, way: Way, *, yes_no: bool) -> Iterable[tuple[str, bool]]:
    """Each task that was asked about the scene of a seed, and whether the answer was right."""
    rng = Random(f"served-{seed}")
    drawing = resized(scene_of(seed, way.size), way.size)
    marking = numbered(drawing.regions, way, rng)
    names = {one.id: drawing.names[one.region_index] for one in marking.marks}

    def answer(task: str, query: str) -> GroundResult:
        return ground(
            backend,
            GroundRequest(
                image=drawing.image, regions=drawing.regions, marking=marking, style=style_of(way.style), task=task, query=query,
                decide="model",
            ),
        )  # fmt: skip

    listed = {one.mark: one.label for one in answer("list", "").labels}
    for mark_id, name in names.items():
        yield "list-item", listed.get(mark_id) == name
        yield "what", answer("ask", f"What is mark {mark_id}?").text == f"{name}."
        yield "which", [one.mark for one in answer("refer", f"Which mark is the {name}?").selected] == [mark_id]
    if yes_no:
        scene = Scene(ids=tuple(names), names=tuple(names.values()))
        for one in scene_segments(scene, rng, which=12, what=0, yes_no=6, dotless=0.5):
            if one.task == "yes-no":
                yield "yes-no", answer("ask", one.query).text == one.answer
            elif one.answer == "None.":
                yield "which-none", answer("refer", one.query).none_of_these


def numbered(regions: Regions, way: Way, rng: Random) -> Marking:
    """The marks of all regions, with ids of the way's kind in their order."""
    marking = place(regions, way.style)
    count = len(marking.marks)
    ids = ids_of(rng, count, way.kind) if way.gaps else plain_ids(count, way.kind)
    return replace(marking, marks=tuple(replace(one, id=i) for one, i in zip(marking.marks, ids, strict=True)))
