"""Asks a model to choose marks on pictures whose truth is known, and keeps how sure it was and whether it was right.

Called by `models.evaluation.calibrate` (our own drawings and pages) and by the calibration bench, which brings other pictures. Only
the service's own path is asked: marks, ranker, model. It fits nothing.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from models.grounding import GroundRequest, GroundResult, ground
from models.grounding.calibration import source_of
from models.marks import Marking, place
from models.regions import Regions
from models.vlm.types import VlmBackend

Box = tuple[float, float, float, float]

ABSENT_SHARE = 0.2
"""Share of the questions about something that is not there: without any, "none" could never be right."""
POOL = 24
"""Names in the closed pool of `classify`, the true ones of the picture among them."""

_TEMPLATES: dict[str, tuple[str, ...]] = {
    "refer": ("{name}", "the {role} {name}", "{name} {role}"),
    "act": ("Click {name}", "Click the {role} {name}", "Open {name}", "Press {name}", "Tap on {name}"),
    "ask": ("Which mark is {name}?", "Where is the {role} {name}?", "Find {name}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One choice: who made it (a key of the calibration file), how sure it was, and whether it was right."""

    source: str
    share: float
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something on a picture that can be named; a mark is right for it if its point lies in `bbox_xyxy_px`."""

    name: str
    role: str
    bbox_xyxy_px: Box

    def holds(self, point_xy_px: tuple[float, float]) -> bool:
        """Whether a click at the point lands on it."""
        (x, y), (x0, y0, x1, y1) = point_xy_px, self.bbox_xyxy_px
        return x0 <= x < x1 and y0 <= y < y1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """A marked picture and what is on it."""

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    regions: Regions
    marking: Marking
    things: tuple[Thing, ...]
    stated: bool = False

    @classmethod
    def of(
        cls, image: NDArray[np.uint8], regions: Regions, things: Sequence[Thing], *, stated: bool = False
    ) -> "Known":
        """Mark `regions` in the service's default style; `stated`: they come from an accessibility tree."""
        return cls(image=image, regions=regions, marking=place(regions), things=tuple(things), stated=stated)

    @property
    def table(self) -> bool:
        """Whether a model is told of texts or roles."""
        return any(mark.text or mark.role for mark in self.marking.marks)

    def named(self) -> list[Thing]:
        """Things whose name nothing else on the picture has."""
        counts = Counter(thing.name.casefold() for thing in self.things)
        return [thing for thing in self.things if thing.name.strip() and counts[thing.name.casefold()] == 1]

    def right_marks(self, thing: Thing) -> frozenset[str]:
        """Ids of the marks whose point lies on the thing; empty where it was not marked."""
        return frozenset(mark.id for mark in self.marking.marks if thing.holds(mark.point_xy_px))


def chosen(
    backend: VlmBackend, known: Known, absent: Sequence[str], rng: Random, *, questions: int, calibrated: bool
) -> Iterator[Outcome]:
    """Ask for up to `questions` things by name, in all three selecting tasks and several wordings; some are not there.

    `absent` are names of other pictures. The right answer for a thing without a mark is "none".
    """
    things = known.named()
    rng.shuffle(things)
    present = {thing.name.casefold() for thing in known.things}
    strangers = [name for name in absent if name.casefold() not in present]
    for thing in things[:questions]:
        task = rng.choice(tuple(_TEMPLATES))
        lost = bool(strangers) and rng.random() < ABSENT_SHARE
        name = rng.choice(strangers) if lost else _as_people_say(thing.name, rng)
        query = rng.choice(_TEMPLATES[task]).format(name=name, role=thing.role)
        result = ground(backend, _request(known, task, " ".join(query.split()), calibrated=calibrated))
        yield from judged(known, result, frozenset() if lost else known.right_marks(thing))


def placed(backend: VlmBackend, known: Known, rng: Random, *, questions: int, calibrated: bool) -> Iterator[Outcome]:
    """Ask for things by name and place, where several bear the name: "the first Edit", "the last Edit"."""
    by_name: dict[str, list[Thing]] = {}
    for thing in sorted(known.things, key=lambda thing: (round(thing.bbox_xyxy_px[1] / 12), thing.bbox_xyxy_px[0])):
        by_name.setdefault(thing.name.strip().casefold(), []).append(thing)
    several = [alike for name, alike in by_name.items() if len(alike) > 1 and len(name) > 2]
    for alike in rng.sample(several, min(questions, len(several))):
        which, thing = rng.choice((("first", alike[0]), ("second", alike[1]), ("last", alike[-1])))
        task = rng.choice(("refer", "act"))
        query = f"{'Click ' if task == 'act' else ''}the {which} {thing.name.strip()}"
        result = ground(backend, _request(known, task, query, calibrated=calibrated))
        yield from judged(known, result, known.right_marks(thing))


def judged(known: Known, result: GroundResult, right: frozenset[str]) -> Iterator[Outcome]:
    """Yield how a selection did where `right` are the ids that would be right, none of them meaning "none"."""
    if result.none_of_these and result.none_confidence is not None:
        source = source_of(result.task, result.decided_by, table=known.table, none=True)
        yield Outcome(source=source, share=result.none_confidence, right=not right)
    for first in result.selected[:1]:
        if first.confidence is not None:
            source = source_of(result.task, result.decided_by, table=known.table)
            yield Outcome(source=source, share=first.confidence, right=first.mark in right)


def classified(
    backend: VlmBackend, known: Known, names: Sequence[str], rng: Random, *, calibrated: bool
) -> Iterator[Outcome]:
    """Have the marks named from a pool of the true names and others of `names`; marks on nothing are left out."""
    truth: dict[str, str] = {}
    for mark in known.marking.marks:
        on = [thing.name for thing in known.things if thing.holds(mark.point_xy_px)]
        if len(on) == 1 and on[0].strip():
            truth[mark.id] = on[0].strip()
    pool = _pool(truth, names, rng)
    if len(pool) < 2:
        return
    # What was read off the picture is no opinion of the model's: the words are shown to nobody here.
    bare = replace(known.regions, texts=(None,) * len(known.regions), roles=(None,) * len(known.regions))
    unread = Known.of(known.image, bare, known.things)
    result = ground(backend, _request(unread, "classify", "", calibrated=calibrated, choices=tuple(pool)))
    for label in result.labels:
        if label.mark in truth and label.confidence is not None:
            right = label.label.casefold() == truth[label.mark].casefold()
            yield Outcome(source=source_of("classify", "model", table=False), share=label.confidence, right=right)


def _pool(truth: Mapping[str, str], names: Sequence[str], rng: Random) -> list[str]:
    pool = {name.casefold(): name for name in truth.values()}
    others = [name for name in names if name.casefold() not in pool]
    for name in rng.sample(others, min(len(others), max(0, POOL - len(pool)))):
        pool.setdefault(name.casefold(), name)
    mixed = list(pool.values())
    rng.shuffle(mixed)
    return mixed


def _request(known: Known, task: str, query: str, *, calibrated: bool, choices: tuple[str, ...] = ()) -> GroundRequest:
    return GroundRequest(
        image=known.image,
        regions=known.regions,
        marking=known.marking,
        query=query,
        task=task,
        choices=choices,
        from_tree=frozenset(mark.id for mark in known.marking.marks) if known.stated else frozenset(),
        calibrated=calibrated,
    )


def _as_people_say(name: str, rng: Random) -> str:
    """The name as it is, or in lower case, or with a word or a letter less."""
    how, words = rng.random(), name.split()
    if how < 0.15:
        return name.lower()
    if how < 0.3 and len(words) > 2:
        words.pop(rng.randrange(len(words)))
        return " ".join(words)
    if how < 0.4 and len(name) > 6:
        cut = rng.randrange(1, len(name) - 1)
        return name[:cut] + name[cut + 1 :]
    return name
