"""The pen that widgets draw with: one random source, one theme, one vocabulary, and the tag that states the truth.

`Pen.ui` is the only way to make an element that counts: it writes `data-ui="role"`, which the truth script reads.
`role="ignore"` marks what pixels cannot tell: neither an element nor a mistake.
"""

import html
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from models.pages import icons
from models.pages.theme import Theme
from models.pages.words import Words

ROLES = (
    "button", "icon-button", "link", "textbox", "combobox", "checkbox", "radio", "switch", "slider", "tab", "menuitem",
    "option", "treeitem", "columnheader", "other",
)  # fmt: skip
IGNORE = "ignore"

T = TypeVar("T")


class Pen:
    """Draws parts of one page as HTML text."""

    def __init__(self, rng: random.Random, theme: Theme, words: Words) -> None:
        """Draw with `rng` in the look of `theme`."""
        self.rng = rng
        self.theme = theme
        self.words = words

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return self.rng.choice(options)

    def draw(self, *parts: "Callable[[Pen], str]") -> str:
        """What one of `parts` draws."""
        return self.rng.choice(parts)(self)

    def chance(self, share: float) -> bool:
        """True for `share` of the calls."""
        return self.rng.random() < share

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.rng.randint(low, high)

    def join(self, low: int, high: int, part: Callable[[], str], gap: str = "") -> str:
        """`low` to `high` of what `part` draws."""
        return gap.join(part() for _ in range(self.between(low, high)))

    def ui(self, role: str, tag: str, inner: str = "", **attributes: str | int | bool) -> str:
        """An element that counts as one of ROLES (or is ignored), as HTML.

        Attributes: `cls` is the class; True stands for an attribute without value, False for none.
        """
        if role != IGNORE and role not in ROLES:
            raise ValueError(f"unknown role {role!r}")
        if tag == "a":
            attributes.setdefault("href", "#")
        if tag == "button":
            attributes.setdefault("type", "button")
        text = "".join(
            f" {('class' if key == 'cls' else key.replace('_', '-'))}"
            + ("" if value is True else f'="{html.escape(str(value))}"')
            for key, value in attributes.items()
            if value is not False and value != ""
        )
        head = f'<{tag} data-ui="{role}"{text}>'
        return head if tag == "input" else f"{head}{inner}</{tag}>"

    def icon(self, size_px: float | None = None, name: str | None = None, color: str = "currentColor") -> str:
        """An icon in the page's manner; alone it is decoration."""
        size = size_px or self.theme.font_px * self.rng.uniform(0.9, 1.4)
        return icons.svg(name or self.pick(icons.NAMES), size, self.theme.icon_manner, color)

    def box(self, css: str, inner: str, style: str = "") -> str:
        """A plain block."""
        tail = f' style="{style}"' if style else ""
        return f'<div class="{css}"{tail}>{inner}</div>'
