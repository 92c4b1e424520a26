"""How many things a phrase speaks of: one ("the red cup"), a stated number ("two dogs"), or several ("the dogs").

English rules on the head of a noun phrase, nothing learned. Called where one expression may mean several marks.
"""

import math
import re

from models.grounding.english import DETERMINERS, IRREGULAR_PLURALS, QUANTIFIERS, SINGULAR_IN_S

NUMBERS = {
    "two": 2,
    "both": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
# Words in -s that are one thing, and endings that make no plural: glass, bus, tennis.
_NO_PLURAL = ("ss", "us", "is")
# The head of a noun phrase stands before these: "two men in hats", "a box of apples".
_HEAD_ENDS = re.compile(
    r"\b(?:in|on|at|of|with|by|from|to|for|near|behind|beside|under|over|above|below|between|next|left|right|that|which|who"
    r"|wearing|holding|sitting|standing|labell?ed|named|called)\b|,",
    re.IGNORECASE,
)


def how_many(phrase: str) -> float:
    """Return how many things `phrase` speaks of: 1, the stated number, or infinity for an uncounted plural."""
    said = re.findall(r"[A-Za-z]+|[0-9]+", _HEAD_ENDS.split(phrase, maxsplit=1)[0])
    if not said:
        return 1
    words = [word.lower() for word in said]
    counted = (
        words[1:] if words[0] in DETERMINERS - NUMBERS.keys() else words
    )  # "two dogs", "the two dogs"; not "mark 3"
    if len(counted) > 1 and counted[0].isdigit():
        return max(1, min(int(counted[0]), 99))
    if counted and counted[0] in NUMBERS:
        return NUMBERS[counted[0]]
    head = words[-1]
    if head in IRREGULAR_PLURALS or words[0] in QUANTIFIERS:
        return math.inf if words[0] not in ("a", "an", "one") else 1
    # A capital is a name on the screen: "Settings" is one thing.
    plural = said[-1].islower() and head.endswith("s") and len(head) > 3 and not head.endswith(_NO_PLURAL)
    plural = plural and head not in SINGULAR_IN_S
    return math.inf if plural and words[0] not in ("a", "an", "one", "this", "that") else 1
