"""The words that tell an informative text: colour, material, number, place and size, in the proportions of SVIT's table.

The paper prints how many key words each concept has (17, 33, 14, 28, 28) and says that a model proposed them; these are
ours. Spellings of one word are joined by a slash. Called by `coreset`.
"""

import re
from typing import Final


def _words(listed: str) -> tuple[str, ...]:
    return tuple(listed.split(", "))


CONCEPTS: Final[dict[str, tuple[str, ...]]] = {
    "color": _words(
        "red, orange, yellow, green, blue, purple, pink, brown, black, white, gray/grey, beige, gold/golden, silver, tan, "
        "turquoise, maroon"
    ),
    "material": _words(
        "wood/wooden, metal/metallic, glass, plastic, paper, cardboard, leather, cotton, wool/woolen/woollen, silk, denim, "
        "linen, fabric/cloth, rubber, concrete, cement, brick, stone, marble, granite, ceramic, porcelain, clay, steel, "
        "iron, aluminum/aluminium, copper, brass, bronze, bamboo, straw, wicker, fur"
    ),
    "quantity": _words("one, two, three, four, five, six, seven, eight, nine, ten, dozen, several, many, few"),
    "spatial relation": _words(
        "left, right, above, below, under, underneath, over, behind, beside, between, inside, outside, near, far, around, "
        "across, along, against, through, opposite, on top of, in front of, next to, in the middle, at the bottom, "
        "in the corner, in the background, in the foreground"
    ),
    "size": _words(
        "big, small, large, little, tiny, huge, giant/gigantic, tall, short, long, wide, narrow, thick, thin, deep, shallow, "
        "high, low, broad, slim, massive, miniature, enormous, medium, oversized, compact, bulky, petite"
    ),
}

_KEY_WORD: Final[dict[str, str]] = {
    spelling: word for words in CONCEPTS.values() for word in words for spelling in word.split("/")
}
# Longest first: "in front of" must not be cut short by a word that it begins with.
_FOUND: Final = re.compile(
    r"\b(?:" + "|".join(re.escape(text) for text in sorted(_KEY_WORD, key=len, reverse=True)) + r")\b"
)


def concept_words(text: str) -> frozenset[str]:
    """Return the key words that stand in `text`, each once, spellings joined."""
    return frozenset(_KEY_WORD[match] for match in _FOUND.findall(text.lower()))
