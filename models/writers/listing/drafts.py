"""A finished listing as a draft. Called by both listing writers; decides nothing."""

from collections.abc import Mapping
from typing import Any

from models.writers.types import Draft, dialogue


def listing_draft(instruction: str, listing: str, provenance: Mapping[str, Any]) -> Draft:
    """One tagged text: the instruction as the human turn, the listing as the answer."""
    return Draft(
        kind="listing",
        conversations=dialogue([(instruction, listing)]),
        tagged=True,
        provenance={"instruction": instruction, **provenance},
    )
