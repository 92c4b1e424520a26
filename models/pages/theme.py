"""The look of one drawn page: fonts, sizes, palette and one recipe per kind of control, as one style sheet.

`draw_theme` picks a family (raw browser, flat, material, soft, dense, retro, outline, brutal, underline, gradient, ...)
and lets single traits differ from it, so that looks vary continuously. Style sheets are ours; nothing is copied.
"""

import random
from dataclasses import dataclass

from models.pages import icons
from models.pages.colors import Palette, ink_on, palette
from models.pages.recipes import button_css, choice_css, field_css, frame_css, navigation_css


def _list(text: str) -> tuple[str, ...]:
    """Long lists stay readable as one text."""
    return tuple(text.split("|"))


SANS = _list(
    "Liberation Sans|Liberation Sans|DejaVu Sans|Open Sans|Roboto|Lato|Inter|Noto Sans|Cantarell|Carlito|Cabin|"
    "Karla|PT Sans|Quicksand|Dosis|Play|Roboto Condensed|Liberation Sans Narrow|DejaVu Sans Condensed|"
    "Linux Biolinum O|Open Sans Condensed"
)
SERIF = _list("Liberation Serif|DejaVu Serif|Noto Serif|PT Serif|EB Garamond|Linux Libertine O|Caladea")
MONO = _list("Liberation Mono|DejaVu Sans Mono|Hack|Fira Code|JetBrains Mono|PT Mono")
FAMILIES = ("flat", "material", "soft", "dense", "retro", "outline", "brutal", "underline", "gradient", "any")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """What the widgets ask about the look of the page they stand on."""

    raw: bool  # the browser's own controls, no style sheet of ours
    family: str
    palette: Palette
    icon_manner: icons.Manner
    font_px: float
    pad_px: int  # the unit of spacing
    link_style: str  # underlined, plain, bold
    native_choices: bool  # check boxes and radios as the browser paints them
    css: str


def draw_theme(rng: random.Random) -> Theme:
    """Draw the look of one page; a quarter of all pages keep the browser's own controls."""
    raw = rng.random() < 0.24
    family = rng.choice(FAMILIES)
    colors = palette(rng)
    if raw and rng.random() < 0.8:
        colors = _plain(rng, colors)
    font_px = rng.choice((16, 16, 16, 15, 14)) if raw else rng.choice((11, 12, 13, 13, 14, 14, 14, 15, 16, 16, 17, 18))
    pad_px = rng.randint(2, 5) if family == "dense" else rng.choice((4, 6, 8, 8, 10, 12, 14))
    link_style = (
        "underlined" if raw and rng.random() < 0.85 else rng.choice(("plain", "plain", "plain", "underlined", "bold"))
    )
    native = raw or rng.random() < 0.5
    css = _base_css(rng, colors, raw=raw, font_px=font_px, pad_px=pad_px, link_style=link_style)
    if not raw:
        css += button_css(rng, family) + field_css(rng, family) + choice_css(rng) + navigation_css(rng)
        css += frame_css(rng, family, pad_px)
    else:
        css += _RAW_CSS + (frame_css(rng, "outline", pad_px) if rng.random() < 0.5 else "")
    return Theme(
        raw=raw,
        family=family,
        palette=colors,
        icon_manner=icons.manner(rng),
        font_px=font_px,
        pad_px=pad_px,
        link_style=link_style,
        native_choices=native,
        css=css,
    )


def _plain(rng: random.Random, drawn: Palette) -> Palette:
    return Palette(
        dark=False,
        page=rng.choice(("#ffffff", "#ffffff", "#f4f4f4", drawn.page if not drawn.dark else "#ffffff")),
        panel="#ffffff",
        sunk="#eeeeee",
        ink=rng.choice(("#000000", "#1b1b1b", "#222222")),
        muted="#555555",
        line="#cccccc",
        strong_line="#767676",
        accent=drawn.accent if not drawn.dark else "#0b57d0",
        second=drawn.second,
        link="#0000ee" if rng.random() < 0.7 else "#0645ad",
        danger=drawn.danger,
        good=drawn.good,
        warn=drawn.warn,
    )


def _base_css(rng: random.Random, c: Palette, *, raw: bool, font_px: float, pad_px: int, link_style: str) -> str:
    serif = rng.random() < (0.45 if raw else 0.08)
    font = rng.choice(SERIF if serif else SANS)
    heading = font if rng.random() < 0.75 else rng.choice(SERIF + SANS)
    mono = rng.choice(MONO)
    line_height = rng.choice(("normal", "1.3", "1.4", "1.5", "1.5", "1.6", "1.75"))
    deco = {"underlined": "underline", "plain": "none", "bold": "none"}[link_style]
    weight = "600" if link_style == "bold" else "inherit"
    variables = (
        f"--page:{c.page};--panel:{c.panel};--sunk:{c.sunk};--ink:{c.ink};--muted:{c.muted};--line:{c.line};"
        f"--strong:{c.strong_line};--accent:{c.accent};--on:{ink_on(c.accent)};--second:{c.second};--link:{c.link};"
        f"--danger:{c.danger};--good:{c.good};--warn:{c.warn};--pad:{pad_px}px;--mono:'{mono}',monospace"
    )
    fallback = "'Noto Sans','WenQuanYi Micro Hei','IPAGothic','NanumGothic',sans-serif"
    body_margin = rng.choice(("8px", "8px", "0 16px", "12px")) if raw else "0"
    return (
        f":root{{{variables};color-scheme:{'dark' if c.dark else 'light'}}}"
        "*{box-sizing:border-box}"
        f"body{{margin:{body_margin};background:var(--page);color:var(--ink);font:{font_px}px/{line_height} '{font}',{fallback}}}"
        f"h1,h2,h3,h4{{font-family:'{heading}',{fallback}"
        + ("" if raw else f";margin:{pad_px}px 0;font-weight:{rng.choice((400, 500, 600, 700, 700))};line-height:1.2")
        + "}"
        + (
            ""
            if raw
            else f"h1{{font-size:{rng.uniform(1.5, 2.4):.2f}em}}h2{{font-size:{rng.uniform(1.25, 1.7):.2f}em}}h3{{font-size:1.15em}}"
        )
        + (
            ""
            if raw
            else f"p{{margin:0 0 {rng.choice((0.6, 0.8, 1)):.1f}em}}button,input,select,textarea{{font:inherit}}"
        )
        + f"a.lnk{{color:var(--link);text-decoration:{deco};font-weight:{weight}}}a{{color:inherit;text-decoration:none}}"
        + "code,pre,kbd{font-family:var(--mono);font-size:.9em}.mut{color:var(--muted)}"
        + ".row{display:flex;flex-wrap:wrap;align-items:center;gap:var(--pad)}.col{display:flex;flex-direction:column;gap:var(--pad)}"
        + ".grow{flex:1;min-width:0}.between{justify-content:space-between}.ic{vertical-align:-.15em;flex:none}.gl{line-height:1}"
        + f"input{{accent-color:{c.accent if rng.random() < 0.5 else 'auto'}}}ul.bare,ol.bare{{list-style:none;margin:0;padding:0}}"
    )


# With the browser's own controls only places are set, never looks.
_RAW_CSS = (
    ".grid{display:grid;gap:12px}.side{width:200px;padding:8px}.side a{display:block;padding:3px 0}.bar{display:flex;gap:12px;"
    "align-items:center;padding:6px 0}.bar a,.side a,.tabs a{color:var(--link);text-decoration:underline}.tabs{display:flex;gap:6px}"
    ".crumbs a,.foot a{color:var(--link);text-decoration:underline}table.tb{border-collapse:collapse}"
    ".lab{display:block}.menu,.dlg{border:1px solid #888;background:#fff;color:#000;padding:4px}.mi{padding:2px 8px}"
    ".chipx{border:1px solid #999;padding:1px 6px}.tree .ti{padding:1px 2px}"
)
