"""`classify`: what each mark is, from a closed pool of names (SoM, open-vocabulary segmentation; precision).

The model weighs the pool for one mark at a time and nothing outside of the pool can come back. On dense pictures only a group of
marks is painted at once, as the published benchmark does with groups of 5. Called by `models.grounding` only.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from models.grounding.composed import Composed
from models.grounding.scene import SHORTLIST, Scene
from models.grounding.types import GroundResult, Label
from models.ranking.similarity import normalise
from models.vlm.parse import Mention
from models.vlm.task_prompts import classify_prompt, closed_pool

GROUP = 5
DENSE = 2 * GROUP
"""Above this many marks a large model sees them group by group; a small one reads up to SHORTLIST at once, as in `list`."""


def classify(scene: Scene) -> GroundResult:
    """Name every mark, or those that the query names. Raises BadInput for a pool that cannot be used."""
    return next(piece for piece in stream(scene) if isinstance(piece, GroundResult))


def stream(scene: Scene) -> Iterator[str | Mention | GroundResult]:
    """Yield a line per mark with its mention as soon as it and all before it are named, then the result; raises like `classify`."""
    answers = closed_pool(scene.request.choices, scene.backend.dialect)
    asked = tuple(mark for mark in scene.marks if mark in scene.named) or tuple(scene.marks)
    read = _read(scene, asked, answers) if scene.small else {}
    labels: list[Label] = []
    composed = Composed()
    for label in _labels(scene, asked, answers, read):
        start = len(composed.text)
        composed.say("\n" if labels else "").name(label.mark).say(f". {label.label}")
        labels.append(label)
        yield composed.text[start:]
        yield composed.mentions[-1]
    yield scene.result(
        "classify",
        composed.text,
        composed.marks,
        mentions=composed.mentions,
        labels=tuple(labels),
        decided_by="text" if read and len(read) == len(labels) else "model",
        ignored=("query",) if scene.small and scene.request.query.strip() and not scene.named else (),
    )


def _labels(scene: Scene, asked: Sequence[str], answers: dict[str, str], read: Mapping[str, Label]) -> Iterator[Label]:
    """Yield the labels in mark order, each as soon as all before it are there."""
    groups = _groups(scene, [mark for mark in asked if mark not in read])
    named = (label for group in groups for label in scene.side_by_side(partial(_weigh, scene, answers, group), group))
    for mark in asked:
        yield read[mark] if mark in read else next(named)


def _groups(scene: Scene, asked: Sequence[str]) -> list[list[str]]:
    size = SHORTLIST if scene.small else GROUP if len(asked) > DENSE else max(1, len(asked))
    return [list(asked[start : start + size]) for start in range(0, len(asked), size)]


def _weigh(scene: Scene, answers: dict[str, str], group: Sequence[str], mark: str) -> Label:
    query = "" if scene.named else scene.request.query
    prompt = classify_prompt(mark, tuple(answers), query, scene.rows(group), scene.backend.dialect)
    request = scene.ask(prompt, scene.picture(group))
    with scene.timed("model"):
        reply = scene.backend.weigh(request, tuple(answers))
    scene.replies.append(reply)
    # Checked again after decoding: whatever a backend does, no name but one of the pool leaves here.
    shares = {answer: share for answer, share in reply.probabilities.items() if answer in answers}
    best = max(shares or dict.fromkeys(answers, 0.0), key=lambda answer: shares.get(answer, 0.0))
    return Label(mark=mark, label=answers[best], confidence=scene.confident(shares.get(best, 0.0), "model"))


def _read(scene: Scene, asked: Sequence[str], answers: dict[str, str]) -> dict[str, Label]:
    """Return the marks whose recognised text or role is one of the pool, word for word: a small model need not guess them."""
    pool = {normalise(choice): choice for choice in answers.values()}
    found = {}
    for mark in asked:
        known = [normalise(words) for words in (scene.marks[mark].text, scene.marks[mark].role) if words]
        fitting = next((pool[words] for words in known if words and words in pool), None)
        if fitting is not None:
            found[mark] = Label(mark=mark, label=fitting, confidence=scene.confident(1.0, "text"))
    return found
