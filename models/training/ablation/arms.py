"""What is compared: the mixtures of the paper's Table 4, the sizes, and one cell of the grid. Loads no torch."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["base", "list", "qa", "dense"]
# Share of the rows of a batch that come from each kind. A third is much more than the paper's 30K of 695K, because a model that
# starts with a language half that never read has no instruction tuning to fall back on; what is added is alike for all arms.
ARMS: Final[dict[str, dict[Kind, float]]] = {
    "base": {"base": 1.0},
    "base+listing": {"base": 2 / 3, "list": 1 / 3},
    "base+qa": {"base": 2 / 3, "qa": 1 / 3},
    "base+listing+qa": {"base": 2 / 3, "list": 1 / 6, "qa": 1 / 6},
    "base+dense": {"base": 2 / 3, "dense": 1 / 3},
}
TAGGED: Final[frozenset[Kind]] = frozenset({"list", "qa"})
# Layers of the language half; the first four start structured, those above as the library starts them.
SIZES: Final = {"small": 4, "large": 8}


def lists(arm: str) -> bool:
    """Whether an arm is taught listings, so that it matters of how many pictures."""
    return "list" in ARMS[arm]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One training run: which mixture, which seed, how large a model, how many tokens, how many listed pictures."""

    arm: str
    seed: int
    size: str
    tokens: int
    listing_pictures: int

    @property
    def name(self) -> str:
        """A file name that tells it from every other cell."""
        arm = self.arm.replace("+", "-")
        return f"{arm}_{self.size}_{self.tokens // 1000}k_{self.listing_pictures}_seed{self.seed}"
