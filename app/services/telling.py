"""An answer while it is being given, as events: `text`, `mention`, and in the end `answer`. Names and fields of the contract.

Made by the direct path and by workers from what `models.grounding.stream` yields. `Heard` is the other end: it follows events that
may be lost or repeated and tells each thing once. Knows no transport.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from models.grounding import GroundRequest, GroundResult, Mention
from models.marks import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of an answer's stream; `data` is its JSON body."""

    name: str
    data: dict[str, Any]


def text_event(index: int, text: str, *, many: bool) -> Event:
    """A piece of the text of query `index`; the index is told only where there are several queries."""
    return Event(name="text", data={"text": text} | ({"index": index} if many else {}))


def mention_event(index: int, mention: Mention, mark: Mark, *, many: bool) -> Event:
    """A mention with the place of its mark, so that nobody has to wait for the answer to point at it."""
    data = {
        "mark": mention.mark,
        "char_start": mention.char_start,
        "char_end": mention.char_end,
        "bbox_xyxy_px": [round(float(v), 3) for v in mark.bbox_xyxy_px],
        "point_xy_px": [round(float(v), 3) for v in mark.point_xy_px],
    }
    return Event(name="mention", data=data | ({"index": index} if many else {}))


def told_events(
    pieces: Iterator[str | Mention | GroundResult], request: GroundRequest, index: int, *, many: bool
) -> Generator[Event, None, GroundResult]:
    """Turn what `models.grounding.stream` yields into events; returns the result that it ends in."""
    marks = {mark.id: mark for mark in request.marking.marks}
    for piece in pieces:
        match piece:
            case GroundResult():
                return piece
            case Mention():
                yield mention_event(index, piece, marks[piece.mark], many=many)
            case str():
                yield text_event(index, piece, many=many)
    raise AssertionError("a stream ends in its result")


class Asides:
    """A worker's side: gathers the events of one text into asides, several pieces in one.

    A piece carries its place in the text, so that a lost or repeated one is noticed.
    """

    def __init__(self, index: int) -> None:
        self._index = index
        self._text, self._start = "", 0
        self._mentions: list[dict[str, Any]] = []

    def add(self, event: Event) -> None:
        """Keep a `text` or a `mention` until it is taken."""
        if event.name == "text":
            self._text += event.data["text"]
        else:
            self._mentions.append({"index": self._index, "mention": event.data})

    def take(self) -> list[dict[str, Any]]:
        """Return what was gathered since the last time."""
        texts = [{"index": self._index, "start": self._start, "text": self._text}] if self._text else []
        taken = [*texts, *self._mentions]
        self._start += len(self._text)
        self._text, self._mentions = "", []
        return taken


class Heard:
    """Turns a worker's asides and the final bodies into each event once, whatever was lost on the way."""

    def __init__(self, *, many: bool) -> None:
        """`many` says that the question had several queries."""
        self._many = many
        self._texts: dict[int, str] = {}
        self._mentions: set[tuple[int, int, int]] = set()

    def take(self, aside: dict[str, Any]) -> Iterator[Event]:
        """Yield what is new in an aside; a piece behind a gap waits for the final text."""
        index = int(aside["index"])
        known = self._texts.get(index, "")
        if "mention" in aside:
            yield from self._mention(index, aside["mention"])
            return
        start, piece = int(aside["start"]), str(aside["text"])
        # A second attempt begins again: what it repeats must be the same, and is not told twice.
        if start <= len(known) < start + len(piece) and known[start:] == piece[: len(known) - start]:
            yield self._text(index, piece[len(known) - start :])

    def finish(self, bodies: Iterable[dict[str, Any]]) -> Iterator[Event]:
        """Yield what is left to tell of every text and its mentions, and then each answer.

        Where an earlier attempt told another text, the answer alone is right.
        """
        for index, body in enumerate(bodies):
            known = self._texts.get(index, "")
            if body["text"].startswith(known) and len(body["text"]) > len(known):
                yield self._text(index, body["text"][len(known) :])
            places = {mark["id"]: mark for mark in body["marks"]}
            for mention in body["mentions"]:
                place = places.get(mention["mark"], {})
                told = {name: place[name] for name in ("bbox_xyxy_px", "point_xy_px") if name in place}
                yield from self._mention(index, mention | told)
            yield Event(name="answer", data=body)

    def _text(self, index: int, piece: str) -> Event:
        self._texts[index] = self._texts.get(index, "") + piece
        return text_event(index, piece, many=self._many)

    def _mention(self, index: int, mention: dict[str, Any]) -> Iterator[Event]:
        key = (index, int(mention["char_start"]), int(mention["char_end"]))
        if key not in self._mentions:
            self._mentions.add(key)
            yield Event(name="mention", data=mention | ({"index": index} if self._many else {}))
