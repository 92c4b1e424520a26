"""`phrases`: which marks each noun phrase of a sentence speaks of (SoM, phrase grounding on Flickr30K; Recall@1).

The phrases are the caller's own where he gives them in `choices`, else found by the rule of `noun_phrases`. Each is decided as
`refer` decides: the ranker where it is sure, else the model, which is told the whole sentence. Called by `models.grounding` only.
"""

from models.errors import BadInput
from models.grounding.composed import Composed
from models.grounding.noun_phrases import Span, noun_phrases
from models.grounding.plural import how_many
from models.grounding.scene import Scene
from models.grounding.select import Verdict, decide
from models.grounding.types import DecidedBy, GroundResult, Phrase, Selected
from models.vlm.task_prompts import phrase_prompt
from models.vlm.types import NONE

MAX_PHRASES = 32


def phrases(scene: Scene) -> GroundResult:
    """Find the phrases and their marks. Raises BadInput where there are none, too many, or one is not in the sentence."""
    sentence = scene.request.query
    spans = _given(sentence, scene.request.choices) if scene.request.choices else noun_phrases(sentence)
    if not spans:
        raise BadInput("the sentence holds no noun phrase; name the phrases in `choices`")
    if len(spans) > MAX_PHRASES:
        raise BadInput(f"the sentence has {len(spans)} phrases; at most {MAX_PHRASES} are accepted")
    words = [sentence[span.char_start : span.char_end] for span in spans]

    def look_up(phrase: str) -> Verdict:
        dialect = scene.backend.dialect
        return decide(scene, phrase, lambda rows: phrase_prompt(sentence, phrase, rows, dialect))

    verdicts = list(scene.side_by_side(look_up, words))
    found = [verdict.chosen(how_many(phrase)) for verdict, phrase in zip(verdicts, words, strict=True)]
    composed = _composed(sentence, words, found)
    return scene.result(
        "phrases",
        composed.text,
        composed.marks,
        mentions=composed.mentions,
        selected=_selected(scene, verdicts, found),
        none_of_these=not any(found),
        phrases=tuple(
            Phrase(char_start=span.char_start, char_end=span.char_end, marks=marks)
            for span, marks in zip(spans, found, strict=True)
        ),
        decided_by=_who(verdicts),
    )


def _given(sentence: str, choices: tuple[str, ...]) -> tuple[Span, ...]:
    """Find the caller's phrases in the sentence, each behind the one before it where it stands there, else anywhere."""
    spans: list[Span] = []
    after = 0
    folded = sentence.lower()  # lengths agree with the sentence's for all but a few letters, which are checked below
    for choice in choices:
        wanted = choice.strip().lower()
        start = folded.find(wanted, after)
        start = start if start >= 0 else folded.find(wanted)
        if not wanted or start < 0 or len(folded) != len(sentence):
            raise BadInput(f"the phrase {choice[:60]!r} does not stand in the sentence")
        after = start + len(wanted)
        spans.append(Span(char_start=start, char_end=after))
    return tuple(spans)


def _composed(sentence: str, words: list[str], found: list[tuple[str, ...]]) -> Composed:
    """Write the sentence, so that spans into it are spans into the text too, and then a line per phrase with its marks."""
    composed = Composed(sentence)
    for phrase, marks in zip(words, found, strict=True):
        composed.say(f"\n{phrase}: ")
        for number, mark in enumerate(marks):
            composed.say(", [" if number else "[").name(mark).say("]")
        if not marks:
            composed.say(NONE)
    return composed


def _selected(scene: Scene, verdicts: list[Verdict], found: list[tuple[str, ...]]) -> tuple[Selected, ...]:
    """Return every chosen mark once, with the confidence of the phrase that is surest of it."""
    best: dict[str, float] = {}
    for verdict, marks in zip(verdicts, found, strict=True):
        for mark in marks:
            sure = scene.confident(verdict.shares[mark], verdict.decided_by)
            best[mark] = max(sure, best.get(mark, 0.0))
    return tuple(Selected(mark=mark, confidence=sure) for mark, sure in best.items())


def _who(verdicts: list[Verdict]) -> DecidedBy:
    """The model where it decided any phrase, else what decided the first."""
    return "model" if any(verdict.decided_by == "model" for verdict in verdicts) else verdicts[0].decided_by
