"""Constrained choice of one mark: `refer` and `act`. Called by `models.grounding` only.

The documented ranker (text, role, position) looks first. Where one mark fits well and clearly better than the rest, it decides.
Else the model weighs existing marks and "none", and each weight is multiplied by exp(score / temperature): equal texts are
left to the model, and against a worse text it must be surer, a small model by far. The answer says who decided.
"""

import math
from collections.abc import Mapping, Sequence

from models.grounding.actions import action_on
from models.grounding.scene import SHORTLIST, Scene
from models.grounding.types import DecidedBy, GroundResult, Selected, Task
from models.ranking import Ranked, parse_action
from models.vlm.parse import find_mentions
from models.vlm.prompts import build_prompt, choice_answer
from models.vlm.types import NONE, ChoiceReply

CLEAR_SCORE = 0.85
# On 16 pages with 185 named elements the ranker's first was right in 154 of 156 cases at this margin, in 142 of 143 at 0.1;
# below it in 14 of 29.
CLEAR_MARGIN = 0.025
NO_OPINION = 0.3
"""Below this score the ranker has nothing to say: alone it answers "none", and beside the model it is not heard."""
_TEMPERATURE = 0.1
_SMALL_TEMPERATURE = 0.02
"""A small model knows names of interface elements less well than the ranker: of 185 named elements on 16 pages it and the
ranker together hit 161 at 0.1, 169 at 0.02, and the ranker alone 170."""


class _Usage:
    """Tokens over all the model's calls of one choice."""

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.completion_tokens = 0

    def add(self, reply: ChoiceReply) -> ChoiceReply:
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        return reply


def select(scene: Scene, task: Task) -> GroundResult:
    """Choose one mark or none, and for `act` say what to do with it."""
    intent = parse_action(scene.request.query) if task == "act" else None
    usage = _Usage()
    chosen, confidence, decided_by = _decide(scene, task, usage)
    text = choice_answer(chosen, "tiny")
    found = find_mentions(text, scene.marks)
    mark = scene.marks.get(chosen)
    action = None
    if intent is not None and mark is not None:
        action = action_on(mark, scene.request.regions.size_hw, intent.type, intent.text)
    return GroundResult(
        task=task,
        text=text,
        mentions=found.mentions,
        marks=(mark,) if mark else (),
        selected=(Selected(mark=chosen, confidence=confidence),) if mark else (),
        none_of_these=mark is None,
        action=action,
        decided_by=decided_by,
        model_name=scene.backend.name,
        model_version=scene.backend.version,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        timing_ms=scene.total_ms(),
    )


def _decide(scene: Scene, task: Task, usage: _Usage) -> tuple[str, float, DecidedBy]:
    """Return the chosen id or NONE, how sure, and who decided."""
    decide = scene.request.decide
    if not scene.marks:
        return NONE, 1.0, "model"
    if decide != "model":
        ranked = scene.ranked()
        top = ranked[0]
        if decide == "ranker":
            chosen = top.id if top.score >= NO_OPINION else NONE
            return chosen, top.score if chosen != NONE else 1.0 - top.score, _reason(top)
        if is_clear(ranked):
            return top.id, top.score, _reason(top)
    probabilities = _weigh(scene, task, usage)
    if decide == "both":
        temperature = _SMALL_TEMPERATURE if scene.small else _TEMPERATURE
        probabilities = combined(probabilities, scene.ranked(), temperature)
    best = max(probabilities, key=lambda choice: probabilities[choice])
    return best, probabilities[best], "model"


def is_clear(ranked: Sequence[Ranked]) -> bool:
    """Whether the best of `ranked` fits well and clearly better than the second."""
    second = ranked[1].score if len(ranked) > 1 else 0.0
    return ranked[0].score >= CLEAR_SCORE and ranked[0].score - second >= CLEAR_MARGIN


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


def _weigh(scene: Scene, task: Task, usage: _Usage) -> dict[str, float]:
    """Return the model's probability of each mark it was shown, and of NONE.

    Where the ranker has no opinion on more marks than a small model can be told of, groups play for the final.
    """
    ids = tuple(scene.marks)
    if not scene.small or len(ids) <= SHORTLIST:
        return _ask(scene, task, ids, usage)
    shortlist = scene.shortlist()
    if shortlist:
        return _ask(scene, task, shortlist, usage)
    winners: list[str] = []
    for start in range(0, len(ids), SHORTLIST - 1):
        group = _ask(scene, task, ids[start : start + SHORTLIST - 1], usage)
        best = max(group, key=lambda choice: group[choice])
        if best != NONE:
            winners.append(best)
    return _ask(scene, task, winners, usage) if winners else {NONE: 1.0}


def _ask(scene: Scene, task: Task, ids: Sequence[str], usage: _Usage) -> dict[str, float]:
    prompt = build_prompt(task, scene.request.query, scene.rows(ids), scene.backend.dialect)
    request = scene.ask(prompt, ids, scene.request.max_tokens)
    with scene.timed("model"):
        reply = usage.add(scene.backend.choose(request, ids))
    # Checked again after decoding: whatever a backend does, nothing but an offered mark or NONE leaves here.
    return {choice: share for choice, share in reply.probabilities.items() if choice == NONE or choice in ids} or {
        NONE: 1.0
    }


def _reason(top: Ranked) -> DecidedBy:
    match top.reason:
        case "position":
            return "position"
        case "accessibility":
            return "accessibility"
        case _:
            return "text"
