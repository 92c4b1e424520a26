"""One request prepared for a model: which marks it is told of, which picture it sees, and how much time is left.

Called by the tasks of `models.grounding`. It decides by dialect and input size only, never by the model's name.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendDown, BadInput, OutOfTime
from models.grounding.actions import action_on
from models.grounding.calibration import confidence, source_of
from models.grounding.colors import colors_of
from models.grounding.outright import named_outright
from models.grounding.query_marks import marks_in_query
from models.grounding.renaming import Renamed, numbers_of
from models.grounding.shown import ShownPictures
from models.grounding.ticks import is_on
from models.grounding.types import Action, DecidedBy, GroundRequest, GroundResult, MarkedPicture, Task
from models.marks import Mark, paint, paint_for_model
from models.ranking import Candidate, Ranked, Understood, is_clear, names_color, understand
from models.vlm.prompts import MAX_TEXT_CHARS, TableRow, table_row
from models.vlm.task_prompts import preface
from models.vlm.types import ChoiceReply, Dialect, VlmBackend, VlmReply, VlmRequest

SHORTLIST = 16
"""How many marks the small model is told of at once: more make its table longer than its context and its labels unreadable."""

SIDE_BY_SIDE = 4
"""Calls of one request that a remote model works on at once: a server batches them, and they share the picture's cache."""

# What a tokenizer spells by bytes (Chinese, say) must not push the question out of the model's context: 2,048 tokens for
# ours, of which 196 are the picture, and 4,096 for LLaVA-1.5.
_TEXT_BYTES: dict[Dialect, int] = {"tiny": 900, "general": 3_000}
NO_NAMES: Mapping[str, str] = MappingProxyType({})
_T = TypeVar("_T")
_SHOWN = ShownPictures()
_Asked = TypeVar("_Asked")


class Scene:
    """A request with its clock and its count of tokens. Marks keep their order everywhere."""

    def __init__(self, backend: VlmBackend, request: GroundRequest) -> None:
        """Raises BadInput when the picture and the regions are of different sizes."""
        if request.image.shape[:2] != request.regions.size_hw:
            raise BadInput(
                f"the picture is {request.image.shape[:2]} and its regions are for {request.regions.size_hw}"
            )
        self._given = backend
        self.request = request
        self.marks = {mark.id: mark for mark in request.marking.marks}
        told = any(mark.text or mark.role for mark in self.marks.values())
        self._by_sight = self.small and backend.input_px is not None and request.tags and not told
        """Whether a small model must read the marks off a picture made for it: then it gets what it reads best."""
        self._numbers = numbers_of(tuple(self.marks)) if self._by_sight else {}
        self.backend: VlmBackend = Renamed(backend, self._numbers) if self._numbers else backend
        self.named = marks_in_query(request.query, self.marks)
        self.timing_ms: dict[str, float] = {}
        self.replies: list[ChoiceReply | VlmReply] = []
        self._running: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._understood: dict[str, Understood] = {}
        self._around: list[Candidate] | None = None
        self._painted: tuple[Mapping[str, str], NDArray[np.uint8]] | None = None

    @property
    def small(self) -> bool:
        """Whether the model can be told of a few marks only."""
        return self._given.dialect == "tiny"

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the block's time to `stage`; blocks of one stage that run side by side count once."""
        with self._lock:
            inside, began = self._running.get(stage, (0, 0.0))
            self._running[stage] = (inside + 1, began if inside else time.monotonic())
        try:
            yield
        finally:
            with self._lock:
                inside, began = self._running[stage]
                self._running[stage] = (inside - 1, began)
                if inside == 1:
                    self.timing_ms[stage] = self.timing_ms.get(stage, 0.0) + (time.monotonic() - began) * 1000

    def total_ms(self) -> dict[str, float]:
        """Return all stages and their total so far, in milliseconds."""
        total = (time.monotonic() - self._start) * 1000
        return {stage: round(value, 3) for stage, value in (self.timing_ms | {"total": total}).items()}

    def left_s(self) -> float | None:
        """Return the seconds left for the answer, None without a deadline; raises OutOfTime when there are none."""
        if self.request.deadline_s is None:
            return None
        left = self.request.deadline_s - (time.monotonic() - self._start)
        if left <= 0:
            raise OutOfTime("the answer was not ready before its deadline")
        return left

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """Tell a model that is down from a deadline that is over: raises OutOfTime for the second."""
        try:
            yield
        except OutOfTime:
            raise
        except BackendDown:
            self.left_s()
            raise

    def side_by_side(self, work: Callable[[_Asked], _T], asked: Sequence[_Asked]) -> Iterator[_T]:
        """Yield `work` of each of `asked`, in order, each as soon as it is there; a remote model works on several at once."""
        if self.small or len(asked) < 2:
            yield from map(work, asked)
            return
        with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(asked)), thread_name_prefix="ground") as pool:
            try:
                yield from pool.map(work, asked)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def ranked(self, query: str | None = None) -> list[Ranked]:
        """Return all marks by how well text, role and position fit the query, the best first."""
        return self.understood(query).ranked

    def understood(self, query: str | None = None) -> Understood:
        """Return what the query wants on this screen, with all marks ranked for it."""
        wanted = self.request.query if query is None else query
        if wanted not in self._understood:
            self._understood[wanted] = named_outright(wanted, self.marks) or self._looked_up(wanted)
        return self._understood[wanted]

    def _looked_up(self, wanted: str) -> Understood:
        with self.timed("rank"):
            look = names_color(wanted)
            candidates = [self._candidate(mark, look=look) for mark in self.marks.values()]
            found = understand(wanted, candidates)
        if not is_clear(found.ranked) and (around := self._captions()):
            with self.timed("rank"):
                found = understand(wanted, candidates, around)
        return found

    def _captions(self) -> list[Candidate]:
        """What is written beside the marks, read once and only where a mark is to be selected."""
        if self.request.captions is None or self.request.task not in ("act", "refer"):
            return []
        if self._around is None:
            with self.timed("read"):
                lines = self.request.captions()
            self._around = [
                Candidate(
                    id=f"caption {number}",
                    text=line.text,
                    role="text",
                    bbox_xyxy_px=line.bbox_xyxy_px,
                    size_hw=self.request.regions.size_hw,
                )
                for number, line in enumerate(lines)
            ]
        return self._around

    def action(self, mark_id: str) -> Action:
        """Return what the query wants done, on the mark that was chosen for it."""
        request = self.request
        intent, mark = self.understood().intent, self.marks[mark_id]
        is_so = intent.on is not None and is_on(request.image, mark.bbox_xyxy_px, mark.role) is intent.on
        return action_on(mark, request.regions.size_hw, intent, request.device_pixel_ratio, is_so=is_so)

    def shortlist(self, query: str | None = None, *, filled: bool = False) -> tuple[str, ...]:
        """Return the ids to tell the model of, in mark order: all, or the query's own marks and the best ranked ones.

        Where there are too many for a small model, marks that share nothing with the query are left out unless `filled`; the
        result is empty if there are no others.
        """
        ids = tuple(self.marks)
        if not self.small or len(ids) <= SHORTLIST:
            return ids
        named = self.named if query is None else marks_in_query(query, ids)
        best = [each.id for each in self.ranked(query) if filled or each.score > 0]
        kept = set(list(dict.fromkeys([*named, *best]))[:SHORTLIST])
        return tuple(mark_id for mark_id in ids if mark_id in kept)

    def table_names(self, ids: Sequence[str]) -> dict[str, str]:
        """Return what a small model hears in a table for each of `ids` (in mark order): 1, 2, 3, which it says best.

        Empty where they are called so, where no table tells of them, and where the query speaks of marks by their ids.
        """
        return numbers_of(ids) if self.small and not self._by_sight and not self.named else {}

    def rows(self, ids: Collection[str], names: Mapping[str, str] = NO_NAMES) -> list[TableRow]:
        """Return the table rows of `ids` in mark order, called by `names` where these have them."""
        size_hw = self.request.regions.size_hw
        told = [mark for mark in self.marks.values() if mark.id in ids]
        room = _TEXT_BYTES[self.backend.dialect]
        texts = [(mark.text or "").encode(errors="replace")[: 4 * MAX_TEXT_CHARS] for mark in told]
        limit = None if sum(map(len, texts)) <= room else room // len(told)
        return [
            table_row(
                names.get(mark.id, mark.id),
                mark.bbox_xyxy_px,
                size_hw,
                role=mark.role,
                text=mark.text if limit is None else text[:limit].decode(errors="ignore"),
            )
            for mark, text in zip(told, texts, strict=True)
        ]

    def picture(self, ids: Collection[str], names: Mapping[str, str] = NO_NAMES) -> NDArray[np.uint8]:
        """Return what the model sees: the clean picture without tags, else one marked with `ids` at the model's size."""
        shown = {mark_id: names.get(mark_id, mark_id) for mark_id in self.marks if mark_id in ids}
        last = self._painted
        if last is None or last[0] != shown:
            with self.timed("paint"):
                last = self._painted = (shown, self._paint(shown))
        return last[1]

    def _paint(self, shown: Mapping[str, str]) -> NDArray[np.uint8]:
        request = self.request
        if not request.tags:
            return request.image
        marks = tuple(self.marks[mark_id] for mark_id in shown)
        if self.backend.input_px is not None:
            regions = request.regions.take([mark.region_index for mark in marks])
            style, size_px = request.style or request.marking.style, self.backend.input_px
            names = [self._numbers.get(mark_id, name) for mark_id, name in shown.items()]
            return _SHOWN.get(
                request.image,
                request.marking,
                (tuple(shown.items()), repr(style), size_px),
                lambda: paint_for_model(request.image, regions, names, style, size_px, close=self._by_sight),
            )
        if len(marks) < len(self.marks):
            return paint(request.image, request.regions, replace(request.marking, marks=marks))
        return (
            request.overlay if request.overlay is not None else paint(request.image, request.regions, request.marking)
        )

    def ask(self, prompt: str, *pictures: NDArray[np.uint8], max_tokens: int | None = None) -> VlmRequest:
        """Return the model's request about `pictures`; raises OutOfTime when the deadline is over."""
        earlier = [(turn.role, turn.text) for turn in self.request.earlier]
        said_before = "" if self.small else preface(self.request.instructions, earlier)
        return VlmRequest(
            images=pictures,
            prompt=said_before + prompt,
            max_tokens=self.request.max_tokens if max_tokens is None else max_tokens,
            deadline_s=self.left_s(),
        )

    def target(self) -> "Scene":
        """Return the other picture of `correspond` as a scene with this one's clock; raises BadInput without one."""
        target: MarkedPicture | None = self.request.target
        if target is None:
            raise BadInput("the task 'correspond' needs the marks of a second picture")
        made = Scene(
            self._given,
            replace(
                self.request,
                image=target.image,
                regions=target.regions,
                marking=target.marking,
                overlay=target.overlay,
                target=None,
            ),
        )
        made._start, made.timing_ms, made.replies = self._start, self.timing_ms, self.replies
        made._lock, made._running = self._lock, self._running
        return made

    def confident(self, share: float, decided_by: DecidedBy, *, none: bool = False) -> float:
        """Return the calibrated confidence of a share of the model or a score of the ranker; `none`: that no mark fits."""
        if not self.request.calibrated:
            return share
        table = any(mark.text or mark.role for mark in self.marks.values())
        source = source_of(self.request.task, decided_by, table=table, none=none)
        return confidence(share, source, weights=self.backend.version)

    def result(
        self, task: Task, text: str, marks: Collection[str], *, ignored: tuple[str, ...] = (), **found: Any
    ) -> GroundResult:
        """Return the answer with everything filled in that is the same for every task; `marks` are the named ones."""
        unsaid = ("instructions",) if self.small and self.request.instructions.strip() else ()
        return GroundResult(
            task=task,
            text=text,
            marks=tuple(self.marks[mark] for mark in dict.fromkeys(marks)),
            ignored=(*unsaid, *ignored),
            model_name=self.backend.name,
            model_version=self.backend.version,
            prompt_tokens=sum(reply.prompt_tokens for reply in self.replies),
            completion_tokens=sum(reply.completion_tokens for reply in self.replies),
            timing_ms=self.total_ms(),
            lookalikes=self.request.lookalikes,
            **found,
        )

    def _candidate(self, mark: Mark, *, look: bool) -> Candidate:
        return Candidate(
            id=mark.id,
            text=mark.text,
            role=mark.role,
            bbox_xyxy_px=mark.bbox_xyxy_px,
            size_hw=self.request.regions.size_hw,
            colors=colors_of(self.request.image, mark.bbox_xyxy_px) if look and (mark.role or mark.text) else {},
        )
