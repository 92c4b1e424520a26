"""The ranking as one HTML page: pictures with their scores and the place that speaks for a mark, to be judged by a person.

The page needs no other file and asks no host; verdicts are saved from it as JSON. Called by the command.
"""

import base64
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.finder.search import Found

WIDTH_PX: Final = 320
_TEMPLATE: Final = Path(__file__).with_name("gallery.html")


def page(title: str, ranked: Iterable[Found], picture: Callable[[str], NDArray[np.uint8]]) -> str:
    """Return the page; `picture` gives (H, W, 3) uint8 RGB by name."""
    cards = [_card(rank, found, picture(found.name)) for rank, found in enumerate(ranked, 1)]
    return (
        _TEMPLATE.read_text(encoding="utf-8")
        .replace("{{title}}", escape(title))
        .replace("{{count}}", str(len(cards)))
        .replace("{{cards}}", "\n".join(cards))
    )


def _card(rank: int, found: Found, image: NDArray[np.uint8]) -> str:
    height, width = image.shape[:2]
    x0, y0, x1, y1 = found.bbox_xyxy_px
    # Twice the patch: the label is larger than what speaks most for it.
    x, y, w, h = x0 - (x1 - x0) / 2, y0 - (y1 - y0) / 2, 2 * (x1 - x0), 2 * (y1 - y0)
    place = f"left:{100 * x / width:.2f}%;top:{100 * y / height:.2f}%;width:{100 * w / width:.2f}%;height:{100 * h / height:.2f}%"
    name = escape(found.name)
    return (
        f'<figure><div><img alt="{name}" loading="lazy" src="data:image/jpeg;base64,{_thumbnail(image)}"><i style="{place}"></i></div>'
        f'<figcaption><label><input type="checkbox" data-name="{name}" data-score="{found.score:.6f}"> {rank}. '
        f'<span class="score">{found.score:.3f}</span> {name}</label></figcaption></figure>'
    )


def _thumbnail(image: NDArray[np.uint8]) -> str:
    ratio = min(1.0, WIDTH_PX / image.shape[1])
    size = (max(1, round(image.shape[1] * ratio)), max(1, round(image.shape[0] * ratio)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    packed = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return base64.b64encode(packed.tobytes()).decode("ascii")
