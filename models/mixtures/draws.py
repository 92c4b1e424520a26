"""Chance that depends on nothing but a seed, a purpose and the sample itself.

A sample is drawn the same whatever stands before it, so a mixture does not depend on the order in which its texts are
read, a larger `take` holds the smaller one, and a new text does not reshuffle the others. Stable over releases of Python,
which promises that of no generator.
"""

from hashlib import blake2b

_WHOLE = 2**64


def identity(key: str) -> int:
    """Return 64 bits that stand for a sample's key."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")


def draw(seed: int, purpose: str, sample: int, copy: int = 0) -> int:
    """Return 64 bits of chance of the sample with this `identity` for one purpose; the smallest are chosen."""
    text = f"{seed}:{purpose}:{sample}:{copy}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def chance(bits: int) -> float:
    """Return a draw as a number in [0, 1)."""
    return bits / _WHOLE


HELD_OUT_SHARE = 0.10
"""Of the pictures, for testing (SVIT, section 5.2)."""


def held_out(picture: str, share: float = HELD_OUT_SHARE) -> bool:
    """Whether a picture belongs to the test split: the same for every recipe and seed, so that no mixture trains on it."""
    return chance(identity(f"held out:{picture}")) < share
