"""Constrained choice among marks: `refer`, `act`, and each phrase of `phrases`. Called by `models.grounding` only.

The documented ranker (text, role, position) looks first. Where one mark fits well and clearly better than the rest, it decides.
Else the model weighs existing marks and "none", and each weight is multiplied by exp(score / temperature): equal texts are
left to the model, and against a worse text it must be surer, a small model by far. The answer says who decided.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from models.grounding.plural import how_many
from models.grounding.scene import SHORTLIST, Scene
from models.grounding.types import DecidedBy, GroundResult, Selected
from models.ranking import Ranked, is_clear, is_enough
from models.ranking.places import FIELD_ROLES, LABEL_ROLES
from models.ranking.similarity import normalise
from models.vlm.parse import find_mentions
from models.vlm.prompts import TableRow, Task, build_prompt, marks_answer
from models.vlm.types import NONE

NO_OPINION = 0.3
"""Below this score the ranker has nothing to say: alone it answers "none", and beside the model it is not heard."""
_TEMPERATURE = 0.1
_SMALL_TEMPERATURE = 0.02
"""A small model knows names of interface elements less well than the ranker. Version 1 and the ranker hit 161 of 185 named elements at
0.1 and 169 at 0.02; with version 2 it hardly matters: 169 and 170, and 304 of 355 on pages of ours at 0.02, 0.05, 0.1 and 0.3."""
_SHARE_OF_SEVERAL = 0.5
"""Where a phrase speaks of several things, marks with at least this share of the best one's probability are meant too."""
_ALIKE = 0.01
"""The ranker's scores of two buttons that nothing but "buttons" was said of differ by less."""
_CREDIBLE = 0.25
"""A small model that was told all texts and picks one that does not fit is wrong: right in 3 of 24 choices on our own pages (`markwise
evaluate calibration`), none of four less sure than this on the shared screenshots (`python -m tests.bench.calibration`). They become "none"."""

PromptOf = Callable[[Sequence[TableRow]], str]
"""Rows of the marks to be told of -> the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How sure one may be of each choice (a mark or NONE), and who decided."""

    shares: Mapping[str, float]
    decided_by: DecidedBy

    def chosen(self, wanted: float = 1) -> tuple[str, ...]:
        """Return the best mark, or up to `wanted` ones that are about as good, the best first; empty for NONE."""
        order = sorted(self.shares, key=lambda choice: -self.shares[choice])
        if order[0] == NONE:
            return ()
        enough = self.shares[order[0]] * _SHARE_OF_SEVERAL
        fitting = [choice for choice in order if choice != NONE and self.shares[choice] >= enough]
        return tuple(fitting[: int(min(wanted, len(fitting)))])


def select(scene: Scene, task: Task) -> GroundResult:
    """Choose one mark or none (for a plural expression: some), and for `act` say what to do with it."""
    query = scene.request.query
    verdict = decide(scene, query, lambda rows: build_prompt(task, query, rows, scene.backend.dialect))
    chosen = verdict.chosen(how_many(query) if task == "refer" else 1)
    text = marks_answer(chosen)
    action = None
    if task == "act" and chosen:
        action = scene.action(chosen[0])
    return scene.result(
        task,
        text,
        chosen,
        mentions=find_mentions(text, scene.marks).mentions,
        selected=tuple(
            Selected(mark=mark, confidence=scene.confident(verdict.shares[mark], verdict.decided_by)) for mark in chosen
        ),
        none_of_these=not chosen,
        none_confidence=None if chosen else scene.confident(verdict.shares[NONE], verdict.decided_by, none=True),
        action=action,
        decided_by=verdict.decided_by,
    )


def decide(scene: Scene, query: str, prompt_of: PromptOf) -> Verdict:
    """Weigh the marks for `query`: the ranker where it is sure, else the model, asked with `prompt_of`."""
    who = scene.request.decide
    if not scene.marks:
        return Verdict(shares={NONE: 1.0}, decided_by="model")
    if who != "model":
        ranked = scene.ranked(query)
        top = ranked[0]
        # Those that fit as well as the best: an expression for several things means them too.
        alike = {each.id: each.score for each in ranked if top.score - each.score < _ALIKE}
        if who == "ranker":
            shares = alike if top.score >= NO_OPINION else {NONE: 1.0 - top.score}
            return Verdict(shares=shares, decided_by=_reason(scene, top))
        rivals = [top, *(each for each in ranked[1:] if not _is_label(scene, each, top))]
        if is_clear(rivals) or (scene.small and is_enough(ranked)):
            return Verdict(shares=alike, decided_by=_reason(scene, top))
    shares = _weigh(scene, query, prompt_of)
    if who == "both":
        shares = combined(shares, scene.ranked(query), _SMALL_TEMPERATURE if scene.small else _TEMPERATURE)
    verdict = Verdict(shares=shares, decided_by="model")
    return verdict if who == "model" else _believed(scene, verdict)


def _believed(scene: Scene, verdict: Verdict) -> Verdict:
    """Return "none" instead of a small model's choice that is no more than a guess by what was measured of such choices."""
    chosen = verdict.chosen()
    if not chosen or not scene.small or not scene.request.calibrated:
        return verdict
    share = verdict.shares[chosen[0]]
    credible = scene.confident(share, verdict.decided_by) >= _CREDIBLE
    return verdict if credible else replace(verdict, shares={NONE: 1.0 - share})


def combined(
    probabilities: Mapping[str, float], ranked: Sequence[Ranked], temperature: float = _TEMPERATURE
) -> dict[str, float]:
    """Return the model's `probabilities` times the ranker's opinion, normalised; unchanged where it has none."""
    if ranked[0].score < NO_OPINION:
        return dict(probabilities)
    score_of = {each.id: each.score for each in ranked} | {NONE: NO_OPINION}
    weights = {
        choice: share * math.exp((score_of[choice] - ranked[0].score) / temperature)
        for choice, share in probabilities.items()
    }
    total = sum(weights.values())
    return {choice: weight / total for choice, weight in weights.items()} if total > 0 else dict(probabilities)


def _weigh(scene: Scene, query: str, prompt_of: PromptOf) -> dict[str, float]:
    """Return the model's probability of each mark it was shown, and of NONE.

    Where the ranker has no opinion on more marks than a small model can be told of, groups play for the final.
    """
    ids = tuple(scene.marks)
    if not scene.small or len(ids) <= SHORTLIST:
        return choose(scene, ids, prompt_of)
    shortlist = scene.shortlist(query)
    if shortlist:
        return choose(scene, shortlist, prompt_of)
    winners: list[str] = []
    for start in range(0, len(ids), SHORTLIST - 1):
        group = choose(scene, ids[start : start + SHORTLIST - 1], prompt_of)
        best = max(group, key=lambda choice: group[choice])
        if best != NONE:
            winners.append(best)
    return choose(scene, winners, prompt_of) if winners else {NONE: 1.0}


def choose(scene: Scene, ids: Sequence[str], prompt_of: PromptOf) -> dict[str, float]:
    """Return the model's probability of each of `ids` and of NONE, on a picture that shows these."""
    names = scene.table_names(ids)
    request = scene.ask(prompt_of(scene.rows(ids, names)), scene.picture(ids, names))
    offered = {names.get(mark_id, mark_id): mark_id for mark_id in ids}
    with scene.timed("model"):
        reply = scene.backend.choose(request, tuple(offered))
    scene.replies.append(reply)
    # Checked again after decoding: whatever a backend does, nothing but an offered mark or NONE leaves here.
    offered[NONE] = NONE
    return {offered[choice]: share for choice, share in reply.probabilities.items() if choice in offered} or {NONE: 1.0}


def _is_label(scene: Scene, other: Ranked, top: Ranked) -> bool:
    """Whether `other` is the text that the field `top` got its name from: a field bears its label's words, no rival does."""
    field, label = scene.marks[top.id], scene.marks[other.id]
    named_alike = normalise(field.text or "") == normalise(label.text or "")
    # Labels in colour are at times seen as links.
    return named_alike and (field.role or "") in FIELD_ROLES and (label.role or "") in LABEL_ROLES | {"link"}


def _reason(scene: Scene, top: Ranked) -> DecidedBy:
    """What the ranker's choice rests on: the tree's names, roles and places where it stated the mark, else what was seen."""
    if top.id in scene.request.from_tree:
        return "accessibility"
    return "position" if top.reason == "position" else "text"
