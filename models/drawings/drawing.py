"""What the generator returns: a picture, its regions, and what each region truly is.

Seeds are split by range, so that a test can never meet a picture the model was trained on. Painting marks on a
drawing is the business of `models.marks`.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.regions import Regions

TRAIN_SEEDS: Final = range(1_000_000)
VALIDATION_SEEDS: Final = range(1_000_000, 1_010_000)
HELD_OUT_SEEDS: Final = range(2_000_000, 2_100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One drawn picture and its truth.

    `names[i]` is the answer to "what is mark i": `"red circle"` in a scene, `'button "Save"'` in a screen.
    `regions` of a screen carry `texts` and `roles`; those of a scene carry neither.
    """

    image: NDArray[np.uint8]  # (H, W, 3) RGB
    regions: Regions
    names: tuple[str, ...]
    kind: Literal["scene", "screen"]

    def shuffled(self, rng: Random) -> "Drawing":
        """The same drawing with its regions in any order, since they are drawn from the first to the last and marks are not."""
        order = list(range(len(self.regions)))
        rng.shuffle(order)
        return replace(self, regions=self.regions.take(order), names=tuple(self.names[i] for i in order))
