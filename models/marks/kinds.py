"""Numbers or letters: which ids cannot be confused with what the picture itself says.

The paper asks for it (SoM, section 3.2: no numbers on pictures full of numbers, no letters on documents) and leaves the
rule open. Ours: recognised texts decide by the signs in them that look like ids; without texts the pixels do.
"""

import re
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from models.marks.glyphs import mostly_digits
from models.marks.presets import Kind

_WORD = re.compile(r"[A-Za-z0-9]+")
_MAX_DIGITS = 3  # longer numbers look like no mark
_MAX_LETTERS = 2
_LEAST_SHARE = 0.25  # of the texts


def kind_for(
    texts: Sequence[str | None], image: NDArray[np.uint8] | None = None, earlier_ids: Collection[str] = ()
) -> Kind:
    """Return the kind of marks for a picture with these regions' texts: "number" unless letters are clearer.

    Letters are taken where more short numbers (up to three digits) than short capitals (A, OK) stand in the texts, and at
    least in every fourth one; without any text, where `image` (H, W, 3) shows more printed digits than letters. Ids of
    an earlier marking decide first, so that a sequence of screenshots keeps its kind.
    """
    if earlier_ids:
        return "letter" if any(name.isalpha() for name in earlier_ids) else "number"
    known = [_WORD.findall(text) for text in texts if text]
    if not known:
        return "letter" if image is not None and mostly_digits(image) else "number"
    numbers = sum(any(word.isdigit() and len(word) <= _MAX_DIGITS for word in words) for words in known)
    capitals = sum(any(word.isalpha() and word.isupper() and len(word) <= _MAX_LETTERS for word in w) for w in known)
    return "letter" if numbers > capitals and numbers >= _LEAST_SHARE * len(known) else "number"
