"""The six levels of Semantic-SAM and the slots of the network that learned them. Knows no torch.

Level 1 is the coarsest, level 6 the finest (Li et al. 2023, section 3; the order is the published demo's).
"""

from collections.abc import Sequence

from models.errors import BadInput

LEVELS = (1, 2, 3, 4, 5, 6)
SLOT_OF_LEVEL = {1: 3, 2: 2, 3: 0, 4: 4, 5: 1, 6: 5}
"""Which of a click's six masks a level is."""


def level_set(levels: Sequence[int]) -> tuple[int, ...]:
    """Check a set of levels, kept in the given order: 1 to 6, each at most once; raises BadInput."""
    wanted = tuple(levels)
    if not wanted or len(set(wanted)) != len(wanted) or not set(wanted) <= set(LEVELS):
        raise BadInput(f"levels are different numbers from 1 (coarsest) to 6 (finest); got {list(levels)}")
    return wanted
