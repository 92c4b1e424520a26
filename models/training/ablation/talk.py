"""What is said about one drawn picture in the ablation: base instruction data, listings, questions about marks, dense captions.

Base data and captions are about the picture without tags and never name a mark; listings and questions are about the picture
with tags. The wording of marks is serving's own, and as in the small model's own training the answer is also asked for where the
telling word of the question ends. Knows no tokens, no pixels and no loss.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from models.drawings import words
from models.training.segments import Scene, Segment, listing, segment
from models.vlm import prompts

BASE_TURNS: Final = 6
QA_TURNS: Final = 5
SPLITS: Final = ("kind", "color", "pair")
# POPE's own half: every question about something that is there has one about something that is not.
PRESENT_SHARE: Final = 0.5
# In small letters: before a capital the tokenizer cuts a blank of its own, and the first token must tell.
YES: Final = "yes."
NO: Final = "no."
EXISTS: Final[dict[str, tuple[str, ...]]] = {
    "kind": ("Is there a {kind} in the picture?", "Does the picture show a {kind}?", "Can you see a {kind}?"),
    "color": ("Is there anything {color}?", "Does the picture show anything {color}?", "Can you see anything {color}?"),
    "pair": (
        "Is there a {color} {kind} in the picture?",
        "Does the picture show a {color} {kind}?",
        "Can you see a {color} {kind}?",
    ),
}
COLOR_OF: Final = ("What color is the {kind}?", "Which color does the {kind} have?")
KIND_OF: Final = ("What is {color}?", "Which thing is {color}?")
COUNT: Final = ("How many things are in the picture?", "Count the things.")
CAPTION: Final = ("Say in a few words what the picture shows.", "Give a short caption.", "What is this?")
DENSE: Final = (
    "Describe the picture in detail.",
    "Say everything that can be seen.",
    "Give a full description of the picture.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A picture's things in mark order, names such as `red circle`, and their numbers in reading order."""

    names: tuple[str, ...]
    reading: tuple[int, ...]

    @property
    def scene(self) -> Scene:
        """The same with the mark ids 1..N."""
        return Scene(ids=tuple(str(number) for number in range(1, len(self.names) + 1)), names=self.names)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(color, kind) of every thing."""
        return [(name.split(" ", 1)[0], name.split(" ", 1)[1]) for name in self.names]


def base_turns(facts: Facts, rng: Random, turns: int = BASE_TURNS) -> list[Segment]:
    """Short questions about the picture without tags, as LLaVA's instruction data has them; half of them yes or no."""
    makers: tuple[Callable[[Facts, Random], Segment | None], ...] = (_color, _color, _kind, _kind, _count, _caption)
    found = [exists(facts, rng) for _ in range(turns // 2)]
    while len(found) < turns:
        made = rng.choice(makers)(facts, rng)
        if made is not None:
            found.append(made)
    return found


def listing_turns(facts: Facts, rng: Random) -> list[Segment]:
    """The listing of all marks."""
    return [segment("list", rng.choice(prompts.LIST_TEMPLATES), listing(facts.scene))]


def question_turns(facts: Facts, rng: Random, turns: int = QA_TURNS) -> list[Segment]:
    """Questions about marks: what one is, which one is meant, whether it is that, of what color it is."""
    makers = (_mark_what, _mark_what, _mark_which, _mark_which, _mark_is, _mark_color)
    return [rng.choice(makers)(facts, rng) for _ in range(turns)]


def dense_turns(facts: Facts, rng: Random) -> list[Segment]:
    """Everything in the picture in reading order: what a listing says, without a mark."""
    return [segment("dense", rng.choice(DENSE), f"{', '.join(facts.names[i] for i in facts.reading)}.")]


def exists(facts: Facts, rng: Random) -> Segment:
    """POPE's question about a kind, a color or both."""
    split = rng.choice(SPLITS)
    absent = absent_names(facts)[split]
    if not absent or rng.random() < PRESENT_SHARE:
        return exists_question(split, rng.choice(facts.pairs), YES, rng.choice(EXISTS[split]))
    return exists_question(split, rng.choice(absent), NO, rng.choice(EXISTS[split]))


def exists_question(split: str, pair: tuple[str, str], answer: str, template: str | None = None) -> Segment:
    """One of POPE's questions with its answer, `yes.` or `no.`, in its first wording without a `template`."""
    phrase = {"kind": pair[1], "color": pair[0], "pair": " ".join(pair)}[split]
    return segment("exists", (template or EXISTS[split][0]).format(color=pair[0], kind=pair[1]), answer, hint=phrase)


def absent_names(facts: Facts) -> dict[str, list[tuple[str, str]]]:
    """(color, kind) of what is not there: a kind, a color, or a pair of which each half is there on another thing.

    The last are the hardest, like POPE's adversarial ones; its popular ones need kinds that are more common than others.
    """
    colors, kinds = {color for color, _ in facts.pairs}, {kind for _, kind in facts.pairs}
    return {
        "kind": [("red", kind) for kind in words.KINDS if kind not in kinds],
        "color": [(color, "circle") for color in words.COLORS if color not in colors],
        "pair": [
            (color, kind) for color in sorted(colors) for kind in sorted(kinds) if (color, kind) not in facts.pairs
        ],
    }


def short_questions(facts: Facts) -> list[Segment]:
    """Every question of the base kinds `color` and `kind` that has one answer, in its first wording."""
    found = [segment("color", COLOR_OF[0].format(kind=kind), f"{color}.") for color, kind in _lone(facts, 1)]
    return found + [segment("kind", KIND_OF[0].format(color=color), f"{kind}.") for color, kind in _lone(facts, 0)]


def _lone(facts: Facts, at: int) -> list[tuple[str, str]]:
    """(color, kind) of the things whose color (0) or kind (1) no other thing has."""
    counts = Counter(pair[at] for pair in facts.pairs)
    return [pair for pair in facts.pairs if counts[pair[at]] == 1]


def _color(facts: Facts, rng: Random) -> Segment | None:
    pairs = _lone(facts, 1)
    if not pairs:
        return None
    color, kind = rng.choice(pairs)
    return segment("color", rng.choice(COLOR_OF).format(kind=kind), f"{color}.", hint=kind)


def _kind(facts: Facts, rng: Random) -> Segment | None:
    pairs = _lone(facts, 0)
    if not pairs:
        return None
    color, kind = rng.choice(pairs)
    return segment("kind", rng.choice(KIND_OF).format(color=color), f"{kind}.", hint=color)


def _count(facts: Facts, rng: Random) -> Segment:
    return segment("count", rng.choice(COUNT), f"{len(facts.names)}.")


def _caption(facts: Facts, rng: Random) -> Segment:
    return segment("caption", rng.choice(CAPTION), f"{facts.names[facts.reading[0]]}.")


def _mark_what(facts: Facts, rng: Random) -> Segment:
    i = rng.randrange(len(facts.names))
    return segment("what", _asked(prompts.WHAT_TEMPLATES, rng, mark=str(i + 1)), f"{facts.names[i]}.", hint=str(i + 1))


def _mark_which(facts: Facts, rng: Random) -> Segment:
    i = rng.randrange(len(facts.names))
    query = _asked(prompts.WHICH_TEMPLATES[:9], rng, phrase=f"the {facts.names[i]}")
    return segment("which", query, prompts.choice_answer(str(i + 1), "tiny"), hint=f"the {facts.names[i]}")


def _mark_is(facts: Facts, rng: Random) -> Segment:
    i = rng.randrange(len(facts.names))
    name, answer = facts.names[i], YES
    others = [other for other in facts.names if other != name]
    if others and rng.random() < 0.5:
        name, answer = rng.choice(others), NO
    return segment("mark-is", _asked(prompts.YES_NO_TEMPLATES, rng, mark=str(i + 1), phrase=f"the {name}"), answer)


def _mark_color(facts: Facts, rng: Random) -> Segment:
    i = rng.randrange(len(facts.names))
    return segment("mark-color", f"What color is mark {i + 1}?", f"{facts.pairs[i][0]}.", hint=str(i + 1))


def _asked(templates: Sequence[str], rng: Random, **values: str) -> str:
    return rng.choice(templates).format(**values)
