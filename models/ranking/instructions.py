"""Reads instructions: what is to be done, how, and to what. Regular expressions over English, nothing learned.

An instruction may be read in more than one way ("Choose Express in Delivery" is a list's option or a button in a group);
`readings` gives them all, the likeliest first. Knows nothing about candidates.
"""

import re
from dataclasses import dataclass
from typing import Literal

from models.ranking.places import TICK_ROLES
from models.ranking.query import ARTICLE, FIELDS, LISTS, QUOTED, bare, names_alone, unquoted

ActionType = Literal["click", "type", "select"]
Gesture = Literal["left", "right", "double"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionIntent:
    """What an instruction wants done: `target` names the thing, `text` what to type or to select.

    `gesture` is how to click. `submit` presses Enter in the end; `append` leaves what stands in a field, which is replaced
    otherwise. `roles` are what the verb is done to ("type" needs a field); empty where it says nothing. `owner` names the thing
    whose `target` is meant, the one on its card or in its row. `literal` marks the reading that takes the whole instruction for
    a name. `on` is how a tick box or a switch shall be in the end, None where it shall change.
    """

    type: ActionType
    target: str
    text: str | None = None
    gesture: Gesture = "left"
    submit: bool = False
    append: bool = False
    roles: frozenset[str] = frozenset()
    owner: str | None = None
    literal: bool = False
    on: bool | None = None


_POLITE = re.compile(
    r"^(?:(?:please|now|then|next|first|finally|and|just|kindly|let's|can you|could you|would you|you (?:should|need to|must|have to)|"
    r"i (?:want|need|have) to|i(?:'d| would) like to|go ahead and)"
    r"(?:\s*,\s*|\s+))+",
    re.IGNORECASE,
)
# "Send it", "Save this now": words that name nothing, behind a verb of one word.
_AFTERWARDS = re.compile(r"^(?P<verb>\w+)\s+(?:it|this|that|them|now|please)\s*[.!]?$", re.IGNORECASE)
_ENTER = r"(?:press|hit|push)(?:ing)?\s+(?:the\s+)?(?:enter|return)(?:\s+key)?"
_SUBMITS = re.compile(rf"\s*[,;]?\s*(?:(?:and|then)\s+)*(?:{_ENTER}|submit(?:\s+it)?)\s*[.!]?$", re.IGNORECASE)
_ENTER_IN = re.compile(rf"^{_ENTER}\s+(?:in|inside|into|on)\s+(?P<target>.+)$", re.IGNORECASE)

_TEXT = r"(?P<text>\"[^\"]*\"|“[^”]*”|«[^»]*»|'[^']*'(?=\s)|‘[^’]*’|.+?)"
# The words before the field's name, the surest first: what is typed may hold any of them.
_INTO = (r"(?:into|inside)", r"(?:in|to|on|as|for|at)")
_TYPES = r"(?:type|enter|write|input|put|insert|paste)(?:\s+in)?"
_TYPE = tuple(re.compile(rf"^{_TYPES}\s+{_TEXT}\s+{into}\s+(?P<target>.+)$", re.IGNORECASE) for into in _INTO)
_MOST_SPLITS = 3
_FILL = re.compile(rf"^fill(?:\s+(?:in|out))?\s+(?P<target>.+?)\s+(?:with|by typing)\s+{_TEXT}$", re.IGNORECASE)
_APPEND = re.compile(
    rf"^(?:append\s+{_TEXT}|add\s+(?P<quoted>[\"“'‘][^\"”'’]+[\"”'’]))\s+to\s+(?P<target>.+)$", re.IGNORECASE
)
_CLEAR = re.compile(
    r"^(?:(?:clear|empty|erase)(?:\s+out)?|(?:delete|remove|clear)\s+(?:the\s+|all\s+)*(?:text|contents?|value)\s+(?:in|of|from))\s+"
    r"(?P<target>.+)$",
    re.IGNORECASE,
)
_TYPE_ALONE = re.compile(r"^(?:type|enter|write)\s+(?P<text>[\"“'‘].+[\"”'’])$", re.IGNORECASE)
_SEARCH = re.compile(rf"^(?:search|look)(?:\s+(?P<target>.+?))??\s+for\s+{_TEXT}$", re.IGNORECASE)

_SELECT = re.compile(
    rf"^(?:select|choose|pick|set)\s+{_TEXT}\s+(?P<word>in|from|for|under|as)\s+(?P<target>.+)$", re.IGNORECASE
)
_LIST_WORD = re.compile(r"\b(?:drop-?down|combo ?box|select|list|menu|field)\b", re.IGNORECASE)
_SET_TO = re.compile(rf"^(?:set|change|switch)\s+(?P<target>.+?)\s+to\s+{_TEXT}$", re.IGNORECASE)

_POINTING = re.compile(
    r"^(?:(?:(?P<gesture>double|right|left)[- ]?)?click(?:\s+on)?|tap(?:\s+on)?|press(?:\s+on)?|hit|push|focus(?:\s+on)?|"
    r"find|locate|show(?:\s+me)?|point\s+(?:at|to))\s+(?:where\s+it\s+says\s+)?",
    re.IGNORECASE,
)
_DOING = re.compile(
    r"^(?:open(?:\s+up)?|choose|select|pick|activate|follow|go(?:\s+back)?\s+to|navigate\s+to|switch\s+to|visit|view|expand|collapse|"
    r"use|start|launch)\s+",
    re.IGNORECASE,
)
_TICKING = re.compile(
    r"^(?P<verb>check|tick|uncheck|untick|mark|unmark|toggle|enable|disable|(?:turn|switch)\s+(?:on|off))\s+(?P<target>.+)$",
    re.IGNORECASE,
)
_TURNING = re.compile(r"^(?:turn|switch)\s+(?P<target>.+?)\s+(?P<verb>on|off)$", re.IGNORECASE)
_ON, _OFF = (
    re.compile(r"^(?:check|tick|mark|enable)$|\bon$", re.IGNORECASE),
    re.compile(r"^(?:un\w+|disable)$|\boff$", re.IGNORECASE),
)
# "Remove the teapot", "Add the teapot to the cart": a button called "Remove" or "Add to cart" that belongs to the teapot.
_OF_THING = re.compile(
    r"^(?P<verb>edit|remove|delete|open|view|rename|duplicate|copy|share|download|move|archive|reply|buy|order|book|reserve|"
    r"increase|decrease|show|hide|expand|collapse|details|select|cancel|confirm|accept|reject|follow|add|save|like|star|bookmark|play|see)\s+(?P<thing>.+)$",
    re.IGNORECASE,
)
_ARTICLES = re.compile(r"\b(?:the|my|your)\b", re.IGNORECASE)
_TO_PLACE = re.compile(r"^(?P<thing>.+?)\s+(?P<place>(?:to|from|in)\s+(?:the\s+|my\s+|your\s+)?\w+)$", re.IGNORECASE)
_ASK = re.compile(
    r"^(?:which|what)\s+(?:mark|number|label|element|region|one|item)s?\s+(?:is|are|shows|has|marks|contains|says)\s+|"
    r"^(?:where|what|which)\s+(?:is|are)\s+|^mark (?:of|for)\s+",
    re.IGNORECASE,
)


def parse_action(query: str) -> ActionIntent:
    """Return the likeliest reading: `Click NAME`, `Type "x" into FIELD`, `Select "x" in LIST`; else a click on what is named."""
    return readings(query)[0]


def readings(query: str) -> tuple[ActionIntent, ...]:
    """Return every way to read an instruction, the likeliest first; at least one."""
    line = _AFTERWARDS.sub(r"\g<verb>", _POLITE.sub("", query.strip()))
    found = [*_typing(line), *_selecting(line), *_ticking(line)]
    pointing = _POINTING.match(line)
    clicking = _clicking(line)
    named = [line if pointing is None else line[pointing.end() :], clicking.target]
    named += [alone.name for alone in names_alone(clicking.target) if alone.anything]
    # "Click Add the teapot to the cart" may be said of the button "Add to cart" that is the teapot's.
    found += [clicking, *(one for name in named for one in _of_thing(unquoted(bare(name))))]
    if pointing is None and not _ASK.match(line):
        found.append(ActionIntent(type="click", target=bare(line) or line, literal=True))
    return tuple(one for number, one in enumerate(found) if one not in found[:number])


def _typing(line: str) -> list[ActionIntent]:
    """Readings that put text into a field."""
    enter = _ENTER_IN.match(line)
    if enter is not None:
        return [_typed(enter["target"], "", append=True, submit=True)]
    rest = _SUBMITS.sub("", line)
    submit = rest != line and bool(rest)
    line = rest or line
    for pattern in (*_TYPE, _FILL):
        found = pattern.match(line)
        if found is not None:
            return [_typed(target, text, submit=submit) for text, target in _splits(pattern, found)]
    found = _APPEND.match(line)
    if found is not None:
        return [_typed(found["target"], unquoted(found["text"] or found["quoted"]), append=True, submit=submit)]
    found = _SEARCH.match(line)
    if found is not None:
        return [_typed(found["target"] or "search box", unquoted(found["text"]), submit=True)]
    found = _TYPE_ALONE.match(line)
    if found is not None:
        return [_typed("text field", unquoted(found["text"]), submit=submit)]
    found = _CLEAR.match(line)
    return [] if found is None else [_typed(found["target"], "")]


def _splits(pattern: "re.Pattern[str]", found: "re.Match[str]") -> list[tuple[str, str]]:
    """Text and target where the sentence may be cut: "hello to Bob in Message" is cut at "to" or, second, at "in"."""
    cuts = [(unquoted(found["text"]), found["target"])]
    while pattern in _TYPE and len(cuts) < _MOST_SPLITS and not QUOTED.match(found["text"]):
        later = re.match(rf"^(?P<more>.+?)\s+{_INTO[-1]}\s+(?P<target>.+)$", cuts[-1][1], re.IGNORECASE)
        if later is None:
            break
        before = found.string[found.start("text") : found.string.index(later["target"], found.start("target"))]
        cuts.append((re.sub(rf"\s+{_INTO[-1]}\s+$", "", before, flags=re.IGNORECASE), later["target"]))
    return cuts


def _typed(target: str, text: str, *, append: bool = False, submit: bool = False) -> ActionIntent:
    return ActionIntent(type="type", target=bare(target), text=text, append=append, submit=submit, roles=FIELDS)


def _selecting(line: str) -> list[ActionIntent]:
    """Readings that choose an option: of a list, or one that is seen beside or under what names its group."""
    found = _SET_TO.match(line) or _SELECT.match(line)
    if found is None:
        return []
    target, text = bare(found["target"]), ARTICLE.sub("", unquoted(found["text"]))
    chosen = ActionIntent(type="select", target=target, text=text, roles=LISTS | FIELDS)
    seen = ActionIntent(type="click", target=text, owner=target)
    spoken_of = found.groupdict().get("word")
    quoted = QUOTED.fullmatch(found["text"].strip()) is not None
    names_list = spoken_of is None or spoken_of.lower() == "from" or _LIST_WORD.search(target) is not None
    # "Select the link in the footer" names a place, not a list; the page decides in the end.
    return [chosen, seen] if names_list or quoted else [_clicking(line), chosen, seen]


def _ticking(line: str) -> list[ActionIntent]:
    found = _TURNING.match(line) or _TICKING.match(line)
    if found is None:
        return []
    on = True if _ON.search(found["verb"]) else False if _OFF.search(found["verb"]) else None
    return [ActionIntent(type="click", target=bare(found["target"]), roles=TICK_ROLES, on=on)]


def _of_thing(line: str) -> list[ActionIntent]:
    """Readings as a button that many things on the screen have, each its own."""
    found = _OF_THING.match(line)
    if found is None:
        return []
    place = _TO_PLACE.match(found["thing"])
    split = [] if place is None else [(f"{found['verb']} {place['place']}", place["thing"])]
    split.append((found["verb"], found["thing"]))
    return [
        ActionIntent(type="click", target=" ".join(_ARTICLES.sub(" ", name).split()), owner=unquoted(bare(thing)))
        for name, thing in split
    ]


def _clicking(line: str) -> ActionIntent:
    """The reading that every line has: click what it names."""
    pointing = _POINTING.match(line)
    spoken = (pointing["gesture"] or "left").lower() if pointing is not None else "left"
    gesture: Gesture = "double" if spoken == "double" else "right" if spoken == "right" else "left"
    rest = line[pointing.end() :] if pointing is not None else _DOING.sub("", _ASK.sub("", line, count=1), count=1)
    return ActionIntent(type="click", target=bare(rest) or line, gesture=gesture)
