"""Takes the name of a thing apart: what it is called, what kind it is, its colour, where it stands. English, nothing learned.

Used by `models.ranking`; what is to be done with the thing is read in `instructions`. Knows nothing about candidates.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

Relation = Literal["left", "right", "above", "below", "near", "row", "of"]
Part = Literal["top", "bottom", "left", "right", "side"]

# What people call a role -> the roles a segmenter or an accessibility tree may have given.
FIELDS = frozenset({"textbox", "searchbox", "combobox", "spinbutton", "textarea", "input"})
LISTS = frozenset({"combobox", "listbox", "select", "menu", "button"})
ROLE_WORDS: dict[str, frozenset[str]] = {
    "button": frozenset({"button", "icon", "togglebutton", "submit"}),
    "link": frozenset({"link"}),
    "hyperlink": frozenset({"link"}),
    "search box": FIELDS,
    "search bar": FIELDS,
    "search field": FIELDS,
    "text box": FIELDS,
    "text field": FIELDS,
    "text area": FIELDS,
    "input field": FIELDS,
    "input box": FIELDS,
    "edit box": FIELDS,
    "textbox": FIELDS,
    "textarea": FIELDS,
    "searchbox": FIELDS,
    "field": FIELDS,
    "input": FIELDS,
    "box": FIELDS | {"checkbox"},
    "check box": frozenset({"checkbox", "switch", "menuitemcheckbox"}),
    "checkbox": frozenset({"checkbox", "switch", "menuitemcheckbox"}),
    # The knob of a switch is a disc: pixels may take it for a radio button.
    "switch": frozenset({"switch", "checkbox", "toggle", "radio"}),
    "toggle": frozenset({"switch", "checkbox", "toggle", "radio"}),
    "radio button": frozenset({"radio", "menuitemradio"}),
    "radio": frozenset({"radio", "menuitemradio"}),
    "option": frozenset({"option", "radio", "menuitem"}),
    "dropdown menu": LISTS,
    "drop-down": LISTS,
    "dropdown": LISTS,
    "combo box": LISTS,
    "combobox": LISTS,
    "list": LISTS,
    "select": LISTS,
    "tab": frozenset({"tab", "button", "link"}),
    "menu item": frozenset({"menuitem", "menu", "link", "button"}),
    "menu": frozenset({"menuitem", "menu", "button"}),
    "slider": frozenset({"slider"}),
    "icon": frozenset({"icon", "button", "image", "img"}),
    # A small framed sign looks like a tick box to pixels.
    "arrow": frozenset({"icon", "button", "image", "img", "link", "generic", "checkbox"}),
    "heading": frozenset({"heading"}),
    "title": frozenset({"heading", "text"}),
    "image": frozenset({"image", "img", "icon"}),
    "picture": frozenset({"image", "img", "icon"}),
    "cell": frozenset({"cell", "gridcell", "columnheader"}),
    "column header": frozenset({"columnheader", "cell"}),
}
# Said of anything that can be clicked: a treeitem is called a link, a checkbox a button.
_OF_ANYTHING = ("button", "link", "hyperlink", "tab", "menu item", "menu", "option", "icon")
# Name no role, and stand behind names: "go to the Reports page", "the item Copy".
_NO_ROLE = ("page", "section", "screen", "item", "entry", "element", "control", "one")
_KIND = "|".join(re.escape(word) for word in sorted({*ROLE_WORDS, *_NO_ROLE}, key=len, reverse=True))
_NAME_ALONE = (
    re.compile(rf"^(?P<name>.+?)\s+(?P<kind>{_KIND})$", re.IGNORECASE),
    re.compile(
        rf"^(?P<kind>{_KIND})\s+(?:(?:labell?ed|named|called|titled|with\s+the\s+(?:name|text|label|title)|(?:that|which)\s+says)\s+)?"
        r"(?P<name>.+)$",
        re.IGNORECASE,
    ),
)
# "All links", "both text fields", "the two buttons": how many there are is not part of a name; "All accounts" is one.
_HOW_MANY = re.compile(
    r"^(?:(?:all|both|every|each|any)(?:\s+(?:of\s+)?(?:the|these|those))?|(?:the\s+)?(?:two|three|four|[2-4]))\s+"
    rf"(?=(?:\w+\s+)?(?:{'|'.join(re.escape(word) for word in sorted(ROLE_WORDS, key=len, reverse=True))})(?:e?s)?$)",
    re.IGNORECASE,
)
_ORDINALS = {
    word: count
    for count, words in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th", "seventh 7th", "eighth 8th")
    )
    for word in words.split()
} | {"last": -1}
_RELATIONS: tuple[tuple[str, Relation], ...] = (
    (r"(?:in|on|of) (?:the )?(?:same )?(?:row|line) (?:of|for|with|as|containing|that says)", "row"),
    (r"(?:to the )?left of", "left"),
    (r"(?:to the )?right of", "right"),
    (r"(?:just |right )?(?:above|over)", "above"),
    (r"(?:just |right )?(?:below|under|underneath|beneath)", "below"),
    (r"(?:next to|beside|near|close to|by)", "near"),
)
# "Remove in Grace Hopper's row": the row is named behind what names it.
_OWN_ROW = re.compile(
    r"^(?P<head>.+?)\s+(?:in|on)\s+(?:the\s+)?(?P<anchor>.+?)(?:['’]s)?\s+(?:row|line)$", re.IGNORECASE
)
_OWNER = re.compile(r"^(?P<head>.+?)\s+(?:for|of|on|in|at)\s+(?P<anchor>.+)$", re.IGNORECASE)
# "The red button in the dialog": what it stands in has no mark of its own. Of some it is known where they are.
_CONTAINER = re.compile(
    r"\s+(?:in|on|of|inside|from)\s+(?:the\s+|this\s+)?(?:(?:pop-?up|modal|main)\s+)?"
    r"(?:dialog(?:ue)?|pop-?up|modal|window|page|screen|form|card|panel|section|group|tool ?bar|calendar|list|table|"
    r"nav(?:igation)?(?: ?(?:bar|menu))?|menu ?bar|"
    r"(?P<top>header|top ?bar)|(?P<bottom>footer|bottom ?bar)|(?:(?P<left>left )|(?P<right>right ))?(?P<side>side ?bar))(?:\s+box)?$",
    re.IGNORECASE,
)
_WHOLE_PICTURE = re.compile(r"^(?:the )?(?:page|screen|window|image|picture|screenshot)\b", re.IGNORECASE)
_COLORS = "red|orange|yellow|green|blue|purple|violet|pink|brown|black|white|grey|gray|turquoise|teal"
_COLOR = re.compile(rf"\b(?:(?:dark|light|bright|pale)\s+)?(?P<color>{_COLORS})(?:[- ]colou?red)?\b", re.IGNORECASE)
_SAME_COLOR = {"gray": "grey", "violet": "purple", "teal": "turquoise"}
_CORNER = re.compile(
    r"\b(?:(?:at|in|on|from) )?(?:the )?(?P<words>(?:(?:(?:upper|top|bottom|left|right)(?:most)?|lower|lowest|middle|cent(?:er|re))[\s-]?){1,2})"
    r"(?:\s?(?:corner|edge|side|part|of the (?:page|screen|window|image|picture)))*\b",
    re.IGNORECASE,
)
QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]+)[\"“”«»]|(?<!\w)['‘`]([^'’`]+)['’`](?!\w)")
ARTICLE = re.compile(r"^(?:(?:the|a|an|this|that)\s+)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target phrase taken apart; `name` is what is left once roles, colours and places are understood.

    `place_xy` is a wanted place in the image (0-1 each, None where free); `ordinal` counts from 0, -1 is the last;
    `anchor` is the name of the thing that `relation` speaks of; `part` is where the header, footer or sidebar is in which it stands.
    """

    name: str
    roles: frozenset[str] = frozenset()
    color: str | None = None
    place_xy: tuple[float | None, float | None] | None = None
    ordinal: int | None = None
    relation: Relation | None = None
    anchor: str | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """A name in a phrase that says of what kind the thing is: "Align left" in "the Align left button".

    `anything` marks a word for the kind that is said of whatever can be clicked, so that `roles` only prefer.
    """

    name: str
    roles: frozenset[str]
    anything: bool


def names_alone(target: str) -> list[Alone]:
    """Return the names that are left of a phrase without the word for a kind in front or behind; no other word is understood."""
    phrase, names = ARTICLE.sub("", target.strip()), []
    for pattern in _NAME_ALONE:
        found = pattern.match(phrase)
        if found is not None:
            kind = found["kind"].lower()
            roles, anything = ROLE_WORDS.get(kind, frozenset()), kind in (*_OF_ANYTHING, *_NO_ROLE)
            names.append(Alone(name=unquoted(found["name"]), roles=roles, anything=anything))
    return names


def parse_target(target: str) -> Target:
    """Take a target phrase apart into name, role, colour, place, count and anchor; what stands in quotation marks stays whole."""
    quotes = [found[1] or found[2] for found in QUOTED.finditer(target)]
    numbers = iter(range(len(quotes)))
    hidden = QUOTED.sub(lambda _: f" {_token(next(numbers))} ", target)
    found = _apart(" ".join(hidden.split()))
    for number, quote in enumerate(quotes):
        token = _token(number)
        if token in found.name:
            found = replace(found, name=quote)
        if found.anchor is not None and token in found.anchor:
            found = replace(found, anchor=quote)
    return found


def owned_target(target: str) -> Target | None:
    """Read "X for Y", "X of Y", "X on Y" as the X that belongs to Y, say on its card or in its row; None for other phrases.

    Names hold these words as well ("Terms of use"): this is a second reading.
    """
    found = _OWNER.match(target)
    if found is None or QUOTED.search(target) or _CORNER.fullmatch(found["head"].rsplit(" ", 1)[-1]):
        return None
    return _details(found["head"], relation="of", anchor=ARTICLE.sub("", found["anchor"]))


def _token(number: int) -> str:
    return f"\x01{number}\x02"


def _apart(target: str) -> Target:
    own_row = _OWN_ROW.match(target)
    if own_row is not None and not re.search(
        r"\b(?:first|second|third|fourth|fifth|last|same|this|that)$", own_row["anchor"]
    ):
        return _details(own_row["head"], relation="row", anchor=ARTICLE.sub("", own_row["anchor"]))
    for pattern, relation in _RELATIONS:
        # Without a head the place alone is asked for: "what is left of 3?".
        found = re.search(rf"^(?P<head>.+?)\s+{pattern}\s+(?P<anchor>.+)$", target, re.IGNORECASE) or re.search(
            rf"^(?P<head>){pattern}\s+(?P<anchor>(?:the )?(?:mark )?\W?(?:[0-9]{{1,6}}|[A-Z])\W?)$",
            target,
            re.IGNORECASE,
        )
        if found and not _WHOLE_PICTURE.match(found["anchor"]):
            return _details(found["head"], relation=relation, anchor=ARTICLE.sub("", found["anchor"]))
    return _details(target)


def _details(phrase: str, *, relation: Relation | None = None, anchor: str | None = None) -> Target:
    """Find corner words, counts, colours and role words in a phrase without anchor."""
    part, phrase = _part(phrase.strip())  # before the corners: "in the left sidebar"
    place = None
    corner = _CORNER.search(phrase)
    if corner:
        place = _place(corner["words"].lower())
        phrase = (phrase[: corner.start()] + " " + phrase[corner.end() :]).strip()
    phrase = ARTICLE.sub("", _HOW_MANY.sub("", phrase.strip()))
    ordinal = None
    words = phrase.split()
    if words and words[0].lower() in _ORDINALS:
        ordinal, phrase = _ORDINALS[words[0].lower()], " ".join(words[1:])
    color, phrase = _color(phrase)
    roles, phrase = _roles(phrase)
    return Target(
        name=phrase.strip(" ,.:"),
        roles=roles,
        color=color,
        place_xy=place,
        ordinal=ordinal,
        relation=relation,
        anchor=anchor,
        part=part,
    )


def _part(phrase: str) -> tuple[Part | None, str]:
    """Return the part of the screen in which a phrase says that the thing stands, if one is known for it, and the phrase without."""
    found = _CONTAINER.search(phrase)
    if found is None:
        return None, phrase
    parts: tuple[Part, ...] = ("top", "bottom", "left", "right", "side")
    return next((part for part in parts if found[part]), None), phrase[: found.start()]


def _color(phrase: str) -> tuple[str | None, str]:
    """Return the colour that a phrase names, if any, and the phrase without it."""
    found = _COLOR.search(phrase)
    if found is None:
        return None, phrase
    spoken = found["color"].lower()
    rest = f"{phrase[: found.start()]} {phrase[found.end() :]}"
    return _SAME_COLOR.get(spoken, spoken), " ".join(rest.split())


def _roles(phrase: str) -> tuple[frozenset[str], str]:
    """Return the roles that a phrase names, and the phrase without the word for them."""
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
            rest = (phrase[: found.start()] + " " + phrase[found.end() :]).strip()
            # A search box is a box for searching: the first word stays part of the name.
            return ROLE_WORDS[word], f"{rest} search".strip() if word.startswith("search") else rest
    return frozenset(), phrase


def _place(words: str) -> tuple[float | None, float | None]:
    """Wanted (x, y) in 0-1 for corner words; None where they leave a direction free."""
    x = 0.0 if "left" in words else 1.0 if "right" in words else None
    y = 0.0 if re.search("top|upper", words) else 1.0 if re.search("bottom|lower|lowest", words) else None
    if re.search("middle|cent", words):
        return (0.5 if x is None else x), (0.5 if y is None else y)
    return x, y


def bare(target: str) -> str:
    """Drop the article in front and the full stop or question mark behind, unless they end a quotation."""
    return ARTICLE.sub("", target.strip()).rstrip(" .?!") or target.strip()


def unquoted(text: str) -> str:
    """Return what stands in quotation marks, else the text as it is."""
    found = QUOTED.fullmatch(text.strip())
    return text.strip() if found is None else str(found[1] or found[2])


def names_color(query: str) -> bool:
    """Whether colours have to be looked at for a query."""
    return _COLOR.search(query) is not None
