"""Rule-based SoM-QA: questions about names, places and counts, with answers that follow from the marks alone.

No teacher, no pixels. The short answers are worded as our own small model is taught to answer.
"""

import random
from collections.abc import Callable, Sequence

from models.errors import BadInput
from models.vlm.prompts import COUNT_TEMPLATES, WHAT_TEMPLATES, WHICH_TEMPLATES, YES_NO_TEMPLATES, marks_answer
from models.writers.som_qa.taught import LEAST_TURNS, MOST_TURNS
from models.writers.types import Draft, Subject, TaggedMark, Teacher, WriterOptions, dialogue

_SIDES = (
    (0, "Which lies further left, [{one}] or [{two}]?"),
    (1, "Which lies higher up, [{one}] or [{two}]?"),
)
_LEAST_APART_PX = 2.0

Pair = tuple[str, str]
Named = tuple[str, str, TaggedMark]
"""A mark's id, its name on one line, and the mark."""


class RuleQa:
    """Writes one conversation per tagged picture of which every mark has a name."""

    name = "rules"
    prompt_version = "som-qa-rules-1"

    def __init__(self, options: WriterOptions) -> None:
        """`extra["turns"]` is how many questions are wanted (3)."""
        self._turns = int(options.extra.get("turns", LEAST_TURNS))
        if not 1 <= self._turns <= MOST_TURNS:
            raise BadInput(f"a conversation has 1 to {MOST_TURNS} turns")

    def write(self, subject: Subject, teacher: Teacher | None) -> Sequence[Draft]:
        """Return one conversation; raises BadInput where a name is missing or there are no marks."""
        marks = () if subject.tagged is None else subject.tagged.marks
        named = [(mark.id, " ".join(mark.name.split()), mark) for mark in marks if mark.name and mark.name.strip()]
        if not named or len(named) < len(marks):
            raise BadInput("Rule-based questions need a name (`text`, else `role`) for every mark.")
        pairs = _conversation(named, self._turns, random.Random(f"som-qa:{subject.seed}"))
        provenance = {
            "writer": self.name,
            "prompt_version": self.prompt_version,
            "instruction": pairs[0][0],
            "seed": subject.seed,
            "marks": len(marks),
        }
        return [Draft(kind="conversation", conversations=dialogue(pairs), tagged=True, provenance=provenance)]


def _conversation(named: Sequence[Named], turns: int, draw: random.Random) -> list[Pair]:
    """Draw questions until there are enough; none comes twice. A picture with one mark gives fewer than many turns."""
    kinds: list[Callable[[Sequence[Named], random.Random], Pair | None]] = [_what, _which, _is_it, _count, _side]
    pairs: dict[str, str] = {}
    for _ in range(20 * turns):
        made = draw.choice(kinds)(named, draw)
        if made is not None:
            pairs.setdefault(*made)
        if len(pairs) == turns:
            break
    return list(pairs.items())


def _what(named: Sequence[Named], draw: random.Random) -> Pair:
    mark_id, name, _ = draw.choice(named)
    return draw.choice(WHAT_TEMPLATES).format(mark=mark_id), name


def _which(named: Sequence[Named], draw: random.Random) -> Pair:
    wanted = draw.choice(named)[1]
    phrase = wanted if wanted[:1].isupper() else f"the {wanted}"
    question = draw.choice(WHICH_TEMPLATES).replace("{phrase}", phrase)
    return question, marks_answer([mark_id for mark_id, name, _ in named if name == wanted])


def _is_it(named: Sequence[Named], draw: random.Random) -> Pair:
    mark_id, name, _ = draw.choice(named)
    others = sorted({other for _, other, _ in named if other != name})
    true = not others or draw.random() < 0.5
    phrase = name if true else draw.choice(others)
    question = draw.choice(YES_NO_TEMPLATES).replace("{mark}", mark_id).replace("{phrase}", f"the {phrase}")
    return question, "Yes." if true else "No."


def _count(named: Sequence[Named], draw: random.Random) -> Pair:
    return draw.choice(COUNT_TEMPLATES), str(len(named))


def _side(named: Sequence[Named], draw: random.Random) -> Pair | None:
    if len(named) < 2:
        return None
    (one, _, first), (two, _, second) = draw.sample(list(named), 2)
    axis, question = draw.choice(_SIDES)
    where = [mark.bbox_xyxy_px[axis] + mark.bbox_xyxy_px[axis + 2] for mark in (first, second)]
    if abs(where[0] - where[1]) < 2 * _LEAST_APART_PX:
        return None
    return question.format(one=one, two=two), marks_answer([one if where[0] < where[1] else two])
