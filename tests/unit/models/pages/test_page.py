"""Drawn pages: the same seed gives the same text, roles are known ones, every layout and script can be drawn."""

import random
import re
from html.parser import HTMLParser

import pytest

from models.pages import icons
from models.pages.colors import ink_on, palette
from models.pages.layouts import LAYOUTS, RAW_LAYOUTS
from models.pages.page import draw_page
from models.pages.pen import IGNORE, ROLES, Pen
from models.pages.theme import draw_theme
from models.pages.words import SCRIPTS, Words


def _pen(seed: int, language: str = "en") -> Pen:
    rng = random.Random(seed)
    return Pen(rng, draw_theme(rng), Words(rng, language))


class _Balance(HTMLParser):
    """Counts tags that are opened and never closed, or closed and never opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"input", "br", "hr", "meta", "path", "rect", "circle", "polygon"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def test_a_seed_always_gives_the_same_page() -> None:
    assert [draw_page(seed) for seed in range(20)] == [draw_page(seed) for seed in range(20)]


def test_pages_differ() -> None:
    assert len({draw_page(seed).html for seed in range(50)}) == 50


@pytest.mark.parametrize("layout", [part for part, _ in (*LAYOUTS, *RAW_LAYOUTS)], ids=lambda part: part.__name__)
def test_every_layout_is_sound_markup_with_known_roles(layout) -> None:
    for seed in range(6):
        body = layout(_pen(seed))
        checked = _Balance()
        checked.feed(body)
        assert (checked.faults, checked.open) == ([], [])
        assert set(re.findall(r'data-ui="([^"]*)"', body)) <= {*ROLES, IGNORE}


def test_all_roles_appear_among_a_few_hundred_pages() -> None:
    seen: set[str] = set()
    for seed in range(300):
        seen |= set(re.findall(r'data-ui="([^"]*)"', draw_page(seed).html))
    assert seen == {*ROLES, IGNORE}


@pytest.mark.parametrize("language", SCRIPTS)
def test_every_script_writes_its_own_letters(language: str) -> None:
    text = "".join(_pen(1, language).words.sentence() for _ in range(20))
    assert any(word in text for word in SCRIPTS[language])


def test_unknown_roles_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown role"):
        _pen(1).ui("knob", "div")


def test_icons_are_one_drawing_each() -> None:
    how = icons.Manner(width=2, filled=True, round_ends=True, glyphs=False)
    assert len({icons.svg(name, 20, how) for name in icons.NAMES}) == len(icons.NAMES)


def test_ink_is_readable_on_every_accent() -> None:
    for seed in range(200):
        accent = palette(random.Random(seed)).accent
        light = sum(share * int(accent[i : i + 2], 16) / 255 for share, i in ((0.3, 1), (0.59, 3), (0.11, 5)))
        assert (ink_on(accent) == "#ffffff") == (light < 0.58)
