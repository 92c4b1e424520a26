"""SVIT's balance: "Yes" answers are dropped by chance until there are `YES_PER_NO` for each "No".

Raw SVIT has 20 to 1; at 8 a model says both equally often, at 1 it says "No" (section 5.2, figure 5). Counted in
questions, not in conversations: a dropped one leaves the rest of its conversation.
"""

import re
from collections.abc import Sequence

from models.mixtures.draws import draw

YES_PER_NO = 8.0

_ANSWER = re.compile(r"\W*(yes|no)\b(\s*(?:[.,!;:]|$))?", re.IGNORECASE)
# "No people can be seen" answers "how many", not yes or no, unless the question asks for one.
_ASKS = re.compile(
    r"\W*(?:is|are|am|was|were|do|does|did|can|could|has|have|had|will|would|should|shall|may|might|must)\b|"
    r".*\b(?:is|are|does|do|has|have|can) (?:there|it|he|she|they|the|this|that|these|those|any)\b",
    re.IGNORECASE | re.DOTALL,
)

Asked = tuple[int, int, int]
"""Index of the sample, its identity, number of the round."""


def verdict(question: str, answer: str) -> str | None:
    """Return "yes" or "no" where a round asks for one of them, else None."""
    match = _ANSWER.match(answer)
    if match is None or (match[2] is None and not _ASKS.match(question)):
        return None
    return match[1].lower()


def surplus(yes: Sequence[Asked], no: int, *, seed: int, ratio: float = YES_PER_NO) -> dict[int, list[int]]:
    """Return the rounds to drop of each sample, so that at most `ratio` times `no` of the `yes` rounds are left."""
    kept = int(ratio * no)
    drawn = sorted(yes, key=lambda one: draw(seed, "yes or no", one[1], one[2]))
    dropped: dict[int, list[int]] = {}
    for index, _, number in drawn[kept:]:
        dropped.setdefault(index, []).append(number)
    return {index: sorted(numbers) for index, numbers in sorted(dropped.items())}
