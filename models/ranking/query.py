"""Reads instructions: what to do, to what, where it stands. Regular expressions over English, nothing learned.

Used by `models.ranking` and by whoever turns an instruction into an action. Knows nothing about candidates.
"""

import re
from dataclasses import dataclass
from typing import Literal

ActionType = Literal["click", "type", "select"]
Relation = Literal["left", "right", "above", "below", "near", "inside"]

# What people call a role -> the roles a segmenter or an accessibility tree may have given.
_FIELD_ROLES = frozenset({"textbox", "searchbox", "combobox", "spinbutton", "textarea", "input"})
_LIST_ROLES = frozenset({"combobox", "listbox", "select", "menu", "button"})
ROLE_WORDS: dict[str, frozenset[str]] = {
    "button": frozenset({"button", "icon", "togglebutton", "submit"}),
    "link": frozenset({"link"}),
    "hyperlink": frozenset({"link"}),
    "search box": _FIELD_ROLES,
    "search bar": _FIELD_ROLES,
    "search field": _FIELD_ROLES,
    "text box": _FIELD_ROLES,
    "text field": _FIELD_ROLES,
    "text area": _FIELD_ROLES,
    "input field": _FIELD_ROLES,
    "input box": _FIELD_ROLES,
    "edit box": _FIELD_ROLES,
    "textbox": _FIELD_ROLES,
    "textarea": _FIELD_ROLES,
    "searchbox": _FIELD_ROLES,
    "field": _FIELD_ROLES,
    "input": _FIELD_ROLES,
    "box": _FIELD_ROLES | {"checkbox"},
    "check box": frozenset({"checkbox", "switch", "menuitemcheckbox"}),
    "checkbox": frozenset({"checkbox", "switch", "menuitemcheckbox"}),
    "switch": frozenset({"switch", "checkbox", "toggle"}),
    "toggle": frozenset({"switch", "checkbox", "toggle"}),
    "radio button": frozenset({"radio", "menuitemradio"}),
    "radio": frozenset({"radio", "menuitemradio"}),
    "option": frozenset({"option", "radio", "menuitem"}),
    "dropdown menu": _LIST_ROLES,
    "drop-down": _LIST_ROLES,
    "dropdown": _LIST_ROLES,
    "combo box": _LIST_ROLES,
    "combobox": _LIST_ROLES,
    "list": _LIST_ROLES,
    "select": _LIST_ROLES,
    "tab": frozenset({"tab", "button", "link"}),
    "menu item": frozenset({"menuitem", "menu", "link", "button"}),
    "menu": frozenset({"menuitem", "menu", "button"}),
    "slider": frozenset({"slider"}),
    "icon": frozenset({"icon", "button", "image", "img"}),
    "heading": frozenset({"heading"}),
    "title": frozenset({"heading", "text"}),
    "image": frozenset({"image", "img", "icon"}),
    "picture": frozenset({"image", "img", "icon"}),
    "cell": frozenset({"cell", "gridcell", "columnheader"}),
    "column header": frozenset({"columnheader", "cell"}),
}
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_RELATIONS: tuple[tuple[str, Relation], ...] = (
    (r"(?:to the )?left of", "left"),
    (r"(?:to the )?right of", "right"),
    (r"(?:just |right )?(?:above|over)", "above"),
    (r"(?:just |right )?(?:below|under|underneath|beneath)", "below"),
    (r"(?:next to|beside|near|close to|by)", "near"),
)
_CORNER = re.compile(
    r"\b(?:(?:at|in|on|from) )?(?:the )?(?P<words>(?:(?:upper|top|lower|bottom|left|right|middle|cent(?:er|re))[\s-]?){1,2})"
    r"(?:\s?(?:corner|edge|side|part|of the (?:page|screen|window|image|picture)))*\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]+)[\"“”«»]|(?<!\w)['‘`]([^'’`]+)['’`](?!\w)")
_CLICK = re.compile(
    r"^(?:please |now |then )*(?:(?:double-|right-|left-)?click(?: on)?|press|tap(?: on)?|hit|push|open|choose|select|pick|"
    r"activate|follow|check|tick|uncheck|toggle|focus(?: on)?|go to|navigate to|find|locate|show(?: me)?)\s+",
    re.IGNORECASE,
)
_ASK = re.compile(
    r"^(?:which|what)\s+(?:mark|number|label|element|region|one|item)s?\s+(?:is|are|shows|has|marks|contains|says)\s+|"
    r"^(?:where|what|which)\s+(?:is|are)\s+|^mark (?:of|for)\s+",
    re.IGNORECASE,
)
_TYPE = re.compile(
    r"^(?:please |now |then )*(?:type|enter|write|input|put)\s+(?P<text>.+?)\s+(?:into|in|to|on|as)\s+(?P<target>.+)$",
    re.IGNORECASE,
)
_FILL = re.compile(
    r"^(?:please |now |then )*fill(?:\s+(?:in|out))?\s+(?P<target>.+?)\s+with\s+(?P<text>.+)$", re.IGNORECASE
)
_SELECT = re.compile(
    r"^(?:please |now |then )*(?:select|choose|pick|set)\s+(?P<text>.+?)\s+(?P<word>in|from|for|under)\s+(?P<target>.+)$",
    re.IGNORECASE,
)
_SET_TO = re.compile(r"^(?:please |now |then )*set\s+(?P<target>.+?)\s+to\s+(?P<text>.+)$", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:(?:the|a|an|this|that)\s+)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionIntent:
    """What an instruction wants done: `target` names the thing, `text` what to type or to select."""

    type: ActionType
    target: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target phrase taken apart; `name` is what is left once roles and places are understood.

    `place_xy` is a wanted place in the image (0-1 each, None where free); `ordinal` counts from 0, -1 is the last;
    `anchor` is the name of the thing that `relation` speaks of.
    """

    name: str
    roles: frozenset[str] = frozenset()
    place_xy: tuple[float | None, float | None] | None = None
    ordinal: int | None = None
    relation: Relation | None = None
    anchor: str | None = None


def parse_action(query: str) -> ActionIntent:
    """Read an instruction: `Click NAME`, `Type "x" into FIELD`, `Select "x" in LIST`; anything else clicks what it names."""
    line = query.strip()
    for pattern, kind in ((_TYPE, "type"), (_FILL, "type"), (_SET_TO, "select"), (_SELECT, "select")):
        found = pattern.match(line)
        if found is None:
            continue
        target, text = found["target"].rstrip(" ."), found["text"]
        quoted = _QUOTED.search(text)
        if kind == "select" and quoted is None and not _names_a_list(found.groupdict().get("word"), target):
            continue  # "Select the link in the footer" is a click
        return ActionIntent(
            type="type" if kind == "type" else "select",
            target=_bare(target),
            text=(quoted[1] or quoted[2]) if quoted else _ARTICLE.sub("", text) if kind == "select" else text,
        )
    rest = _CLICK.sub("", line, count=1) if _CLICK.match(line) else _ASK.sub("", line, count=1)
    return ActionIntent(type="click", target=_bare(rest) or line)


def parse_target(target: str) -> Target:
    """Take a target phrase apart into name, role, place, count and anchor."""
    quoted = _QUOTED.search(target)
    if quoted:
        outside = (target[: quoted.start()] + " " + target[quoted.end() :]).strip()
        for pattern, relation in _RELATIONS:
            if re.search(rf"\b{pattern}\s*(?:the )?$", target[: quoted.start()].strip(), re.IGNORECASE):
                head = re.sub(rf"\b{pattern}\s*(?:the )?$", "", target[: quoted.start()].strip(), flags=re.IGNORECASE)
                return _details(head, relation=relation, anchor=quoted[1] or quoted[2])
        inner = _details(outside)
        return Target(
            name=quoted[1] or quoted[2],
            roles=inner.roles,
            place_xy=inner.place_xy,
            ordinal=inner.ordinal,
            relation=inner.relation,
            anchor=inner.anchor,
        )
    for pattern, relation in _RELATIONS:
        # Without a head the place alone is asked for: "what is left of 3?".
        found = re.search(rf"^(?P<head>.+?)\s+{pattern}\s+(?P<anchor>.+)$", target, re.IGNORECASE) or re.search(
            rf"^(?P<head>){pattern}\s+(?P<anchor>(?:the )?(?:mark )?\W?(?:[0-9]{{1,6}}|[A-Z])\W?)$",
            target,
            re.IGNORECASE,
        )
        if found:
            return _details(found["head"], relation=relation, anchor=_ARTICLE.sub("", found["anchor"]))
    return _details(target)


def _details(phrase: str, *, relation: Relation | None = None, anchor: str | None = None) -> Target:
    """Find corner words, counts and role words in a phrase without anchor."""
    place = None
    corner = _CORNER.search(phrase)
    if corner:
        place = _place(corner["words"].lower())
        phrase = (phrase[: corner.start()] + " " + phrase[corner.end() :]).strip()
    phrase = _ARTICLE.sub("", phrase.strip())
    ordinal = None
    words = phrase.split()
    if words and words[0].lower() in _ORDINALS:
        ordinal, phrase = _ORDINALS[words[0].lower()], " ".join(words[1:])
    roles: frozenset[str] = frozenset()
    for word in sorted(ROLE_WORDS, key=len, reverse=True):
        found = re.search(
            rf"(?:^|\s){re.escape(word)}s?(?:\s+(?:labell?ed|named|called|for|with|that says))?$", phrase, re.IGNORECASE
        )
        found = found or re.match(
            rf"{re.escape(word)}\s+(?:labell?ed|named|called|for|with(?: the text)?|that says)\s+",
            phrase,
            re.IGNORECASE,
        )
        if found:
            roles = ROLE_WORDS[word]
            phrase = (phrase[: found.start()] + " " + phrase[found.end() :]).strip()
            # A search box is a box for searching: the first word stays part of the name.
            phrase = f"{phrase} search".strip() if word.startswith("search") else phrase
            break
    return Target(
        name=phrase.strip(" ,.:"), roles=roles, place_xy=place, ordinal=ordinal, relation=relation, anchor=anchor
    )


def _place(words: str) -> tuple[float | None, float | None]:
    """Wanted (x, y) in 0-1 for corner words; None where they leave a direction free."""
    x = 0.0 if "left" in words else 1.0 if "right" in words else None
    y = 0.0 if re.search("top|upper", words) else 1.0 if re.search("bottom|lower", words) else None
    if re.search("middle|cent", words):
        return (0.5 if x is None else x), (0.5 if y is None else y)
    return x, y


def _names_a_list(word: str | None, target: str) -> bool:
    """True if "select A from B" speaks of a list of choices rather than of a place on the page."""
    if word is None or word.lower() == "from":
        return True
    return bool(re.search(r"\b(?:drop-?down|combo ?box|select|list|menu|field)\b", target, re.IGNORECASE))


def _bare(target: str) -> str:
    """Drop the article in front and the full stop or question mark behind, unless they end a quotation."""
    return _ARTICLE.sub("", target.strip()).rstrip(" .?!") or target.strip()
