"""The ranking as one HTML page: pictures with their scores and the place that speaks for a mark, to be judged by a person.

The page needs no other file and asks no host; verdicts are saved from it as JSON. Called by the command and by the API.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from models.finder.ranking import Found

WIDTH_PX: Final = 320
_TEMPLATE: Final = Path(__file__).with_name("gallery.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One picture of the page: what was found, the size of the picture that this is about, and a small WebP of it."""

    found: Found
    size_hw: tuple[int, int]
    webp: bytes


def page(title: str, ranked: Iterable[Shown]) -> str:
    """Return the page; the pictures are in it."""
    cards = [_card(rank, shown) for rank, shown in enumerate(ranked, 1)]
    return (
        _template()
        .replace("{{title}}", escape(title))
        .replace("{{count}}", str(len(cards)))
        .replace("{{cards}}", "\n".join(cards))
    )


@cache
def policy() -> str:
    """Return the Content-Security-Policy of the page: nothing is fetched, and no script runs but its own."""
    own = re.search(r"<script>(.*)</script>", _template(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(own[1].encode() if own else b"").digest()).decode("ascii")
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


@cache
def _template() -> str:
    return _TEMPLATE.read_text(encoding="utf-8")


def _card(rank: int, shown: Shown) -> str:
    height, width = shown.size_hw
    x0, y0, x1, y1 = shown.found.bbox_xyxy_px
    # Twice the patch: the label is larger than what speaks most for it.
    x, y, w, h = x0 - (x1 - x0) / 2, y0 - (y1 - y0) / 2, 2 * (x1 - x0), 2 * (y1 - y0)
    place = f"left:{100 * x / width:.2f}%;top:{100 * y / height:.2f}%;width:{100 * w / width:.2f}%;height:{100 * h / height:.2f}%"
    name, score = escape(shown.found.name), shown.found.score
    picture = base64.b64encode(shown.webp).decode("ascii")
    return (
        f'<figure><div><img alt="{name}" loading="lazy" src="data:image/webp;base64,{picture}"><i style="{place}"></i></div>'
        f'<figcaption><label><input type="checkbox" data-name="{name}" data-score="{score:.6f}"> {rank}. '
        f'<span class="score">{score:.3f}</span> {name}</label></figcaption></figure>'
    )
