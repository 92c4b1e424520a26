"""Which marks a question names: "[3]", "mark 3", and a bare 3 where it can be nothing else ("what is left of 3?").

SoM's interleaved prompts put mark ids between the words (SoM, section 3.3). English rules, nothing learned. Called by
`grounding.scene` and `grounding.intent`; knows no pictures.
"""

import re
from collections.abc import Collection

from models.grounding.english import BEFORE_LETTER, COUNTING
from models.vlm.parse import find_mentions

_WORD_BEFORE = re.compile(r"(\w+)\W{0,3}$")
_BARE = re.compile(r"(?<![\w.,#$€£:/-])#?(?P<id>[0-9]{1,3}|[A-Z]{1,2})(?![\w%°/:-]|[.,][0-9])")
# "the 3 dogs", "top 3": a count or a rank. After anything else a bare number is a mark, if such a mark exists.
# What may follow a mark's name; any other word makes it a count ("3 dogs").
_AFTER = re.compile(
    r"\s*(?:$|[^\w\s]|(?:and|or|is|are|was|were|be|to|in|on|at|by|of|with|than|from|but|nor|as|like|has|have|does|do|can|"
    r"above|below|left|right|under|over|next|near|behind|beside|say|says|look|looks|mean|means|belong|belongs|show|shows|relate|relates|here|there|now|please)\b)",
    re.IGNORECASE,
)
# A letter alone is a word as often as a mark; after one of these it is a mark.
_ASKS_WHAT = re.compile(
    r"\s*(?:what|which|who|find|point|show|name|tell)\b(?!\s+(?:color|colour|text|word))", re.IGNORECASE
)
_NAMED_PLACE = re.compile(
    r"\b(?:left|right|above|below|under|over|beneath|beside|next|near|nearest|closest|between|behind|around)\b",
    re.IGNORECASE,
)


def marks_in_query(query: str, ids: Collection[str]) -> tuple[str, ...]:
    """Return the existing marks that `query` names, each once, in the order of their first mention."""
    known = frozenset(ids)
    found = [(mention.char_start, mention.mark) for mention in find_mentions(query, known).mentions]
    found += [(bare.start(), bare["id"]) for bare in _BARE.finditer(query) if _is_mark(query, bare, known)]
    return tuple(dict.fromkeys(mark for _, mark in sorted(found)))


def asks_beside_mark(query: str, ids: Collection[str]) -> bool:
    """Whether `query` asks what stands in some relation to a mark that it names: "what is left of 3?", not "is 2 left of 3?"."""
    asks = _ASKS_WHAT.match(query) is not None and _NAMED_PLACE.search(query) is not None
    return asks and bool(marks_in_query(query, ids))


def _is_mark(query: str, bare: "re.Match[str]", known: frozenset[str]) -> bool:
    if bare["id"] not in known or not _AFTER.match(query, bare.end()):
        return False
    before = _WORD_BEFORE.search(query, 0, bare.start())
    word = before[1].lower() if before else ""
    if bare[0].startswith("#"):
        return True
    if bare["id"].isalpha():
        return word in BEFORE_LETTER and bare["id"] != "I"
    return word not in COUNTING
