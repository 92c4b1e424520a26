"""A random sample of a corpus on one HTML page, where a person gives each a verdict (SVIT 3.4: about 5 % of questions).

The three classes of error are the paper's: the source was wrong, correct but imprecise, wrong. The page is one file
without any request to another host; verdicts are kept in the browser and saved as JSON. Called by `dataset audit`.
"""

import base64
import html
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

Picture = Callable[[str], tuple[bytes, str] | None]
"""The name of a sample's picture -> its bytes and media type, or None where there is none."""

VERDICTS: Final = {
    "right": "right",
    "source_error": "source error: the annotation it was written from is wrong",
    "imprecise": "correct but imprecise",
    "wrong": "wrong",
}
PAPER_SAMPLES: Final = 20
_TEMPLATE = Path(__file__).with_name("audit.html")


def drawn(samples: Iterable[Any], count: int, seed: int) -> list[tuple[int, Any]]:
    """Return `count` samples with their numbers, each equally likely, in one pass (algorithm R), in the order of the file."""
    chance = random.Random(seed)
    kept: list[tuple[int, Any]] = []
    for number, sample in enumerate(samples):
        if len(kept) < count:
            kept.append((number, sample))
        elif (place := chance.randrange(number + 1)) < count:
            kept[place] = (number, sample)
    return sorted(kept, key=lambda one: one[0])


def page(title: str, sample: list[tuple[int, Any]], picture: Picture | None = None) -> str:
    """Return the page: every question and answer of the sample with a row of verdicts."""
    cards, about = [], []
    for number, entry in sample:
        stated = entry if isinstance(entry, dict) else {}
        name = str(stated.get("id", number))
        about.append({"sample": number, "id": name, "image": stated.get("image")})
        cards.append(_card(number, name, stated, picture))
    told = {"title": title, "verdicts": list(VERDICTS), "samples": about}
    return (
        _TEMPLATE.read_text(encoding="utf-8")
        .replace("{{title}}", html.escape(title))
        .replace("{{cards}}", "\n".join(cards))
        # `<` never stands in the script, so no text can end it.
        .replace("{{about}}", json.dumps(told).replace("<", "\\u003c"))
    )


def _card(number: int, name: str, sample: dict[str, Any], picture: Picture | None) -> str:
    turns = sample.get("conversations")
    rounds = _rounds(turns) if isinstance(turns, list) else []
    shown = "".join(_round(number, place, question, answer) for place, (question, answer) in enumerate(rounds))
    image = sample.get("image")
    return (
        f'<section id="sample-{number}"><h2>Sample {number} <small>{html.escape(name)}</small></h2>'
        f"{_image(image, picture) if isinstance(image, str) else ''}{shown or '<p>It has no readable turns.</p>'}</section>"
    )


def _rounds(turns: list[Any]) -> list[tuple[str, str]]:
    said = [str(turn.get("value", "")) if isinstance(turn, dict) else str(turn) for turn in turns]
    return list(zip(said[::2], [*said[1::2], ""], strict=False))


def _round(number: int, place: int, question: str, answer: str) -> str:
    name = f"{number}-{place}"
    choices = "".join(
        f'<label title="{html.escape(words)}"><input type="radio" name="{name}" value="{verdict}">'
        f"{html.escape(words.partition(':')[0])}</label>"
        for verdict, words in VERDICTS.items()
    )
    asked = html.escape(question.replace("<image>", "").strip())
    return (
        f'<article data-round="{name}"><p class="q">{asked}</p><p class="a">{html.escape(answer)}</p>'
        f'<fieldset><legend>Verdict</legend>{choices}<input class="note" aria-label="Note" placeholder="note"></fieldset></article>'
    )


def _image(name: str, picture: Picture | None) -> str:
    found = None if picture is None else picture(name)
    if found is None:
        return f'<p class="file">{html.escape(name)}</p>'
    data, media_type = found
    return f'<img alt="{html.escape(name)}" src="data:{media_type};base64,{base64.b64encode(data).decode()}">'
