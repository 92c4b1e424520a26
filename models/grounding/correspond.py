"""`correspond`: which mark of a second picture is on the same thing (SoM, video object segmentation; J).

Where place and look leave no doubt (`frames`), they decide and `decided_by` says position. The other marks are asked of the
model: a large one sees both pictures; the small one reads one picture at a time, so it is asked what the mark is in the first
and which mark that is in the second. A target mark is given once, to the surest. Called by `models.grounding` only.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from models.grounding.composed import Composed
from models.grounding.frames import Frame, sure_pairs
from models.grounding.scene import SHORTLIST, Scene
from models.grounding.select import choose
from models.grounding.types import Correspondence, GroundResult, Selected
from models.vlm.prompts import WHAT_TEMPLATES, build_prompt, mark_table
from models.vlm.task_prompts import correspond_prompt
from models.vlm.types import NONE

_NAME_TOKENS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    mark: str
    target_mark: str
    share: float


def correspond(scene: Scene) -> GroundResult:
    """Match every mark, or those that the query names, with the marks of `request.target`; raises BadInput without one."""
    target = scene.target()
    asked = scene.named or tuple(scene.marks)
    pairs = _by_sight(scene, target) if scene.request.decide != "model" else {}
    found = {mark: pairs[mark] for mark in asked if mark in pairs}
    taken = set(pairs.values())
    left = [mark for mark in asked if mark not in found]
    free = tuple(mark for mark in target.marks if mark not in taken)
    asked_model = bool(left and free) and scene.request.decide != "ranker"
    shares = dict.fromkeys(found, 1.0)
    if asked_model:
        by_model = _by_small_model if scene.small else _by_large_model
        for pair in _surest(scene.side_by_side(by_model(scene, target, free), left)):
            found[pair.mark], shares[pair.mark] = pair.target_mark, pair.share
    composed = Composed()
    for number, mark in enumerate(asked):
        composed.say("\n" if number else "").name(mark).say(f" -> {found.get(mark, NONE)}")
    decided_by = "model" if asked_model else "position"
    return scene.result(
        "correspond",
        composed.text,
        composed.marks,
        mentions=composed.mentions,
        selected=tuple(
            Selected(mark=mark, confidence=scene.confident(shares[mark], "position" if mark in pairs else "model"))
            for mark in asked
            if mark in found
        ),
        none_of_these=not found,
        correspondences=tuple(Correspondence(mark=mark, target_mark=found[mark]) for mark in asked if mark in found),
        decided_by=decided_by,
    )


def _by_sight(scene: Scene, target: Scene) -> dict[str, str]:
    """Return the pairs of marks that place and look decide, over all marks: a rival need not be asked about."""
    with scene.timed("match"):
        ids, target_ids = list(scene.marks), list(target.marks)
        pairs = sure_pairs(_frame(scene), _frame(target))
    return {ids[i]: target_ids[j] for i, j in pairs.items()}


def _frame(scene: Scene) -> Frame:
    indices = [mark.region_index for mark in scene.marks.values()]
    return Frame(image=scene.request.image, regions=scene.request.regions.take(indices))


def _surest(pairs: Iterable[_Pair | None]) -> list[_Pair]:
    """Give every target mark to the surest pair."""
    best: dict[str, _Pair] = {}
    for pair in pairs:
        if pair is not None and (pair.target_mark not in best or best[pair.target_mark].share < pair.share):
            best[pair.target_mark] = pair
    return list(best.values())


def _best(mark: str, shares: dict[str, float]) -> _Pair | None:
    best = max(shares, key=lambda choice: shares[choice])
    return None if best == NONE else _Pair(mark=mark, target_mark=best, share=shares[best])


def _by_large_model(scene: Scene, target: Scene, free: tuple[str, ...]) -> Callable[[str], _Pair | None]:
    pictures = scene.picture(tuple(scene.marks)), target.picture(tuple(target.marks))
    rows, target_rows = scene.rows(tuple(scene.marks)), target.rows(tuple(target.marks))
    query = "" if scene.named else scene.request.query

    def ask(mark: str) -> _Pair | None:
        request = scene.ask(correspond_prompt(mark, query, rows, target_rows), *pictures)
        with scene.timed("model"):
            reply = scene.backend.choose(request, free)
        scene.replies.append(reply)
        offered = {choice: share for choice, share in reply.probabilities.items() if choice == NONE or choice in free}
        return _best(mark, offered or {NONE: 1.0})

    return ask


def _by_small_model(scene: Scene, target: Scene, free: tuple[str, ...]) -> Callable[[str], _Pair | None]:
    ids = tuple(scene.marks)

    def ask(mark: str) -> _Pair | None:
        group = ids if len(ids) <= SHORTLIST else tuple(_around(ids, mark))
        prompt = mark_table(scene.rows(group)) + WHAT_TEMPLATES[0].replace("{mark}", mark)
        request = scene.ask(prompt, scene.picture(group), max_tokens=_NAME_TOKENS)
        with scene.timed("model"):
            said = scene.backend.generate(request)
        scene.replies.append(said)
        name = said.text.rstrip(". ")
        if not name:
            return None
        offered = free[:SHORTLIST]
        phrase = f"the {name}"
        return _best(mark, choose(target, offered, lambda rows: build_prompt("refer", phrase, rows, "tiny")))

    return ask


def _around(ids: tuple[str, ...], mark: str) -> tuple[str, ...]:
    """Return SHORTLIST ids in mark order with `mark` among them."""
    start = max(0, min(ids.index(mark) - SHORTLIST // 2, len(ids) - SHORTLIST))
    return ids[start : start + SHORTLIST]
