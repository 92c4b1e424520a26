"""Reads questions and answers out of whatever shape a teacher gave them.

Tolerant of form: `User:`/`GPT:`, `Q1.`, `**Answer:**`, numbering, JSON, code fences, thinking aloud, a word before and after. Strict
about content: a pair needs a question and an answer, and no pair comes twice. Linear scanning, line by line. Knows no
references to boxes and no filter: see `references` and `checks`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """One conversation: its topic ("" where none was told) and its pairs of question and answer."""

    topic: str
    pairs: tuple[Pair, ...]


_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]{0,3}(?:```|~~~)[^\n]{0,40}$", re.MULTILINE)
_JSON = re.compile(r"^[ \t]{0,8}(?P<body>\[\s{0,40}\{|\{\s{0,40}\")", re.MULTILINE)
_RULE = re.compile(r"^[\s*_=\-\u2014#]{3,}$")
# An answer that follows its question on the same line.
_INLINE = re.compile(
    r"(?<=[?.!\"'])[ \t]{1,4}(?=[*_]{0,3}(?:answer|gpt|assistant|A)[ ]?\d{0,2}[*_]{0,3}:)", re.IGNORECASE
)
_LEAD = r"^[\s>#*_\u2022\-]{0,12}(?:\(?\d{1,2}[.)][\s*_]{0,6})?"
_ASK, _REPLY = "question|user|human|person|asker|q", "answer|gpt|assistant|bot|ai|a"
_SPEAKER = re.compile(
    rf"{_LEAD}(?:(?P<ask>{_ASK})|(?P<reply>{_REPLY}))[ ]?(?:#|no\.?)?[ ]?(?P<number>\d{{1,2}})?[\s*_]{{0,6}}"
    r"(?:\([^()\n]{0,30}\)[\s*_]{0,6})?(?::|(?(number)[.)\-\u2013\u2014]|(?!))|$)[\s*_]{0,6}(?P<rest>.*)$",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"^[\s>#*_\-]{0,12}(?:\d{1,2}[.)][\s*_]{0,4})?(?:conversation|dialogue|dialog)[ ]?(?:#|no\.?)?[ ]?(?:\d{1,2}|one|two|three|four|five)?"
    r"[\s*_]{0,4}(?:$|[:.\-\u2013\u2014(])[\s*_]{0,6}(?P<rest>.*)$",
    re.IGNORECASE,
)
_TOPIC = re.compile(r"^[\s>#*_\-(]{0,12}topic[ ]?\d{0,2}[\s*_]{0,4}:[\s*_]{0,6}(?P<rest>.*)$", re.IGNORECASE)
_NUMBERED = re.compile(r"^[\s>*_]{0,8}\(?\d{1,2}[.)][\s*_]{1,6}(?P<rest>\S.*)$")
_ITEM = re.compile(r"^\s{0,12}(?:\d{1,2}[.)]|[-*\u2022])\s")
_FAREWELL = re.compile(
    r"^[\s*_(]{0,6}(?:i hope|hope (?:this|these)|let me know|feel free|please let|would you like|these (?:questions|conversations|answers)|"
    r"note:|end of|if you (?:need|would|want))\b",
    re.IGNORECASE,
)
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.{1,400}?)(?<=\S)\1")
_KEYS: Final = {"question": "Question", "q": "Question", "user": "Question", "human": "Question"} | dict.fromkeys(
    ("answer", "a", "gpt", "assistant"), "Answer"
)


def read_talks(text: str, pairs_each: int) -> tuple[Talk, ...]:
    """Return the conversations of `text`; without headings, every `pairs_each` pairs are one."""
    talks: list[tuple[str, list[str]]] = [("", [])]
    for line in _lines(text):
        topic, heading = _TOPIC.match(line), _TALK.match(line)
        if heading is not None and topic is None:
            inner = _TOPIC.match(heading["rest"])
            talks.append((_name((inner or heading)["rest"]), []))
        elif topic is not None and (talks[-1][0] or _pairs(talks[-1][1])):
            talks.append((_name(topic["rest"]), []))
        elif topic is not None:
            talks[-1] = (_name(topic["rest"]), [])
        else:
            talks[-1][1].append(line)
    found = [Talk(topic=topic, pairs=pairs) for topic, lines in talks if (pairs := _distinct(_pairs(lines)))]
    if len(found) == 1 and len(found[0].pairs) > pairs_each and not found[0].topic:
        pairs = found[0].pairs
        return tuple(Talk(topic="", pairs=pairs[n : n + pairs_each]) for n in range(0, len(pairs), pairs_each))
    return tuple(found)


def read_pairs(text: str) -> tuple[Pair, ...]:
    """Return every pair of question and answer of `text` in order, each question once."""
    return _distinct(_pairs(_lines(text)))


def read_prose(text: str) -> str:
    """Return running text: without fences, headings, a title line before or a farewell after; paragraphs stay apart."""
    paragraphs = re.split(r"\n\s*\n", "\n".join(_lines(text)))
    kept = [" ".join(_BOLD.sub(r"\2", paragraph).split()) for paragraph in paragraphs if not _aside(paragraph)]
    prose = "\n".join(line for line in kept if line)
    return _unquoted(re.sub(r"^[\s*_#]{0,6}description[\s*_]{0,4}:[\s*_]{0,4}", "", prose, flags=re.IGNORECASE))


def _lines(text: str) -> list[str]:
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").replace("\uff1a", ":")
    plain = _FENCE.sub("", _THINKING.sub("", plain)).strip()
    plain = _from_json(plain) or plain
    return [line.rstrip() for line in _INLINE.sub("\n", plain).split("\n")]


def _from_json(text: str) -> str:
    """What the JSON in `text` says as labelled lines, whatever stands round it; "" where there is none."""
    start = _JSON.search(text)
    if start is None:
        return ""
    try:
        body, _ = json.JSONDecoder().raw_decode(text, start.start("body"))
        return "\n".join(_told(body))
    except (ValueError, RecursionError):
        return ""


def _told(body: Any) -> Iterable[str]:
    if isinstance(body, list):
        for item in body:
            yield from _told(item)
    elif isinstance(body, dict):
        fields = {str(key).casefold(): value for key, value in body.items()}
        speaker = str(fields.get("role", fields.get("from", ""))).casefold()
        said = fields.get("content", fields.get("value"))
        if speaker in _KEYS and isinstance(said, str):
            yield f"{_KEYS[speaker]}: {said}"
            return
        if isinstance(fields.get("topic"), str):
            yield f"Topic: {fields['topic']}"
        for key, value in fields.items():
            if isinstance(value, str) and key in _KEYS:
                yield f"{_KEYS[key]}: {value}"
            elif isinstance(value, list | dict):
                yield from _told(value)


def _pairs(lines: Sequence[str]) -> list[Pair]:
    """Pairs by speakers' labels; where there are none, numbered questions with what follows them."""
    turns: list[tuple[bool, list[str]]] = []
    closed = False
    for line in lines:
        speaker = _SPEAKER.match(line)
        if speaker is not None and (speaker["rest"] or _bare(line)):
            turns.append((speaker["ask"] is not None, [speaker["rest"]]))
            closed = False
        elif _FAREWELL.match(line):
            closed = True
        elif turns and not closed and not _RULE.match(line):
            turns[-1][1].append(line)
    if not turns:
        return _numbered_pairs(lines)
    pairs: list[Pair] = []
    for (asks, question), (asks_too, answer) in pairwise(turns):
        if asks and not asks_too:
            pairs.append((_joined(question), _joined(answer)))
    return pairs


def _numbered_pairs(lines: Sequence[str]) -> list[Pair]:
    blocks: list[list[str]] = []
    for line in lines:
        numbered = _NUMBERED.match(line)
        if numbered is not None and "?" in numbered["rest"]:
            blocks.append([numbered["rest"]])
        elif blocks and not _FAREWELL.match(line) and not _RULE.match(line):
            blocks[-1].append(line)
    pairs = []
    for first, *rest in blocks:
        question, _, answer = first.partition("?")
        pairs.append(
            (_joined([f"{question}?"]), _joined([answer.lstrip("*_ "), *(line.lstrip(" -*\u2022") for line in rest)]))
        )
    return pairs


def _bare(line: str) -> bool:
    """Whether a line is nothing but a speaker's label; a lone "A" is none."""
    return len(line.strip(" *_#>:-")) > 1


def _joined(lines: Sequence[str]) -> str:
    """Wrapped lines as one text; an item of a list keeps its line."""
    text = ""
    for line in lines:
        plain = line.strip()
        if plain:
            text += (("\n" if _ITEM.match(line) else " ") if text else "") + plain
    text = _BOLD.sub(r"\2", text).strip().strip("*").strip()
    return _unquoted(text)


def _unquoted(text: str) -> str:
    for first, last in (('"', '"'), ("\u201c", "\u201d")):
        if len(text) > 1 and text[0] == first and text[-1] == last and first not in text[1:-1]:
            return text[1:-1].strip()
    return text


def _name(rest: str) -> str:
    return rest.strip(" *_#()\"'.:-\u2013\u2014")[:200]


def _distinct(pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    found: dict[str, Pair] = {}
    for question, answer in pairs:
        if question and answer:
            found.setdefault(" ".join(question.casefold().split()), (question, answer))
    return tuple(found.values())


def _aside(paragraph: str) -> bool:
    """Whether a paragraph is a heading, a rule, a farewell, or the announcement of what follows."""
    line = paragraph.strip()
    heading = line.startswith("#") or (line.startswith("**") and line.endswith("**") and "\n" not in line)
    announces = len(line) < 160 and line.endswith(":") and "\n" not in line
    return not line or heading or announces or bool(_RULE.match(line)) or bool(_FAREWELL.match(line))
