"""Tag listing: the share of marks whose name is listed rightly (SoM-LLaVA, arXiv 2404.16375, section 5.2).

The paper leaves the matching open; here a name is right if it equals the class name after lower-casing and without a
leading article or a full stop. A line about a mark that does not exist is invented, a mark without a line is missed.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from models.errors import BadEvaluation
from models.evaluation.listing import ListingScore, normal, parse_listing
from models.evaluation.scores.reading import Row, field, question_id
from models.evaluation.scores.sheets import Benchmark, Counts, Matched, Pairs, Sheets, pair_up, percent

_ARTICLE: Final = re.compile(r"^(?:an?|the)\s+")
Items = Mapping[str, str]  # mark -> name


def pair(sheets: Sheets) -> Matched[Items, str]:
    """Pair answers {image, text} with labels {image, items: [name of mark 1, of mark 2, ...] or {mark: name}}."""
    return pair_up(
        ((question_id(row, "image"), _items(row)) for row in sheets.truth("items")),
        ((question_id(row, "image"), str(field(row, "text", where="answers"))) for row in sheets.said),
    )


def tally(pairs: Pairs[Items, str]) -> Counts:
    """Count marks and images."""
    each = [_one(items, text) for _, items, text in pairs]
    whole = sum(each, ListingScore())
    return {**asdict(whole), "shares": sum(one.item_accuracy for one in each)}


def metrics(counts: Counts) -> dict[str, float]:
    """Read the counts.

    `item_accuracy` is right items of all items, `list_accuracy` the paper's mean over images of M/N, `image_accuracy` the
    share of images with every item right and none invented; `invented` and `missed` are counts of marks.
    """
    return {
        "item_accuracy": percent(counts["right"], counts["items"]),
        "list_accuracy": percent(counts["shares"], counts["pictures"]),
        "image_accuracy": percent(counts["whole_right"], counts["pictures"]),
        "invented": counts["invented"],
        "missed": counts["missing"],
    }


def _one(items: Items, text: str) -> ListingScore:
    said = parse_listing(text)
    right = sum(plain_name(said.get(mark, "")) == plain_name(item) for mark, item in items.items())
    invented = len(said.keys() - items.keys())
    return ListingScore(
        items=len(items),
        right=right,
        missing=len(items.keys() - said.keys()),
        invented=invented,
        pictures=1,
        whole_right=int(right == len(items) and not invented),
    )


def plain_name(text: str) -> str:
    """Return a name as it is compared: lower case, single blanks, no leading article, no full stop at its end."""
    return _ARTICLE.sub("", normal(text))


def _items(row: Row) -> Items:
    items: Any = field(row, "items", where="labels")
    if isinstance(items, list):
        items = {str(mark): item for mark, item in enumerate(items, 1)}
    if not isinstance(items, dict) or not all(isinstance(item, str) for item in items.values()):
        raise BadEvaluation(f"`items` must be a list of names, or names by mark; got {str(items)[:100]}")
    return items


BENCHMARK = Benchmark(
    name="listing",
    chief="list_accuracy",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=lambda items, text: _one(items, text).item_accuracy,
)
