"""Larger pieces of applications: chat, mail, shop, player, map, prices, notices, desktop windows, editors, dashboards.

Used by the layouts as content or as whole pages.
"""

from models.pages.colors import hsl
from models.pages.pen import Pen
from models.pages.widgets.controls import (
    button,
    checkbox,
    icon_button,
    link,
    search_field,
    select,
    slider,
    stepper,
    text_input,
)
from models.pages.widgets.data import rows_list
from models.pages.widgets.navigation import TOOLS, menu_bar, tabs, tool_bar, tree
from models.pages.widgets.negatives import (
    avatar,
    badge,
    bar_chart,
    code_block,
    heading,
    line_chart,
    picture,
    ring_chart,
    stat_card,
)


def chat(pen: Pen) -> str:
    """Messages on both sides and a line to write in."""
    rounding = pen.pick((4, 10, 18))
    out = ""
    for _ in range(pen.between(3, 7)):
        own = pen.chance(0.45)
        ground = "background:var(--accent);color:var(--on)" if own else "background:var(--sunk)"
        words = pen.words.prose(1, 2) if pen.chance(0.85) else pen.words.phrase(2, 4) + " " + link(pen)
        out += f'<div style="display:flex;justify-content:{"flex-end" if own else "flex-start"};gap:8px;margin:8px 0">{"" if own else avatar(pen, 30)}<div style="{ground};padding:8px 12px;border-radius:{rounding}px;max-width:65%">{words}</div></div>'
    tools = "".join(
        icon_button(pen, name, 18) for name in ("plus", "image", "microphone", "heart")[: pen.between(0, 4)]
    )
    field = pen.ui("textbox", "input", placeholder="Message", cls="inp", style="flex:1")
    send = pen.pick((icon_button(pen, "send", 18), button(pen, "p", "Send")))
    return f'<div>{out}<div class="row" style="flex-wrap:nowrap">{tools}{field}{send}</div></div>'


def mail(pen: Pen) -> str:
    """A list of messages with check boxes and stars; every row can be pressed."""
    out = f'<div class="row" style="padding:4px 8px">{checkbox(pen)}{"".join(icon_button(pen, name, 16) for name in ("refresh", "trash", "folder", "dots-v"))}</div>'
    high = pen.between(3, 12)
    for _ in range(pen.between(5, 12)):
        fresh = "font-weight:700" if pen.chance(0.4) else ""
        star = icon_button(pen, "star", 15) if pen.chance(0.8) else ""
        out += pen.ui(
            "link",
            "div",
            f'{checkbox(pen)}{star}<span style="width:130px;{fresh};white-space:nowrap;overflow:hidden">{pen.words.person()}</span><span class="grow" style="{fresh};white-space:nowrap;overflow:hidden">{pen.words.title(2, 5)} <span class="mut">– {pen.words.phrase(3, 7)}</span></span><span class="mut">{pen.words.date()}</span>',
            style=f"display:flex;gap:10px;align-items:center;padding:{high}px 8px;border-bottom:1px solid var(--line)",
        )
    return f"<div>{out}</div>"


def shop(pen: Pen) -> str:
    """Products: picture, name (a link or not), price, stars, a button."""
    width, way = pen.between(140, 260), pen.between(0, 3)
    cells = ""
    for _ in range(pen.between(3, 8)):
        name = pen.words.title(1, 4)
        act = (button(pen, "p", "Add to cart"), icon_button(pen, "cart"), button(pen, "s"), link(pen, "Details"))[way]
        stars = (
            f'<span style="color:var(--warn)">{"★" * (n := pen.between(2, 5))}{"☆" * (5 - n)}</span>'
            if pen.chance(0.6)
            else ""
        )
        heart = (
            f'<span style="position:absolute;right:8px;top:8px">{icon_button(pen, "heart", 18)}</span>'
            if pen.chance(0.3)
            else ""
        )
        cells += f'<div class="card" style="position:relative;border:1px solid var(--line)">{pen.ui("ignore", "a", picture(pen, 400, int(width * 0.6)), style="display:block")}{heart}<div class="b" style="padding:9px"><div>{link(pen, name) if pen.chance(0.5) else name}</div>{stars}<div style="font-weight:700;color:{pen.pick(("var(--ink)", "var(--danger)", "var(--accent)"))}">{pen.words.money()}</div>{act}</div></div>'
    return f'<div class="grid" style="grid-template-columns:repeat(auto-fill,minmax({width}px,1fr))">{cells}</div>'


def product(pen: Pen) -> str:
    """One product: pictures, choices of size and colour, number, buttons."""
    sizes = "".join(
        pen.ui(
            "radio" if pen.chance(0.5) else "button",
            "button",
            size,
            cls="" if pen.theme.raw else f"btn s {'on' if pen.chance(0.2) else ''}",
        )
        + " "
        for size in ("XS", "S", "M", "L", "XL")[: pen.between(2, 5)]
    )
    wells = "".join(
        pen.ui(
            "button",
            "button",
            "",
            style=f"width:26px;height:26px;border-radius:99px;border:{pen.pick((1, 2))}px solid var(--strong);background:{hsl(pen.rng.uniform(0, 360), 0.6, 0.5)};margin:3px;padding:0",
            aria_label="colour",
        )
        for _ in range(pen.between(2, 5))
    )
    thumbs = "".join(
        pen.ui(
            "button", "a", picture(pen, 54, 54), style="display:inline-block;margin:3px;border:1px solid var(--line)"
        )
        for _ in range(pen.between(2, 5))
    )
    return f'<div class="row" style="align-items:flex-start;gap:24px"><div>{picture(pen, pen.between(220, 380), pen.between(200, 340))}{thumbs}</div><div style="max-width:420px">{heading(pen, 1)}<div style="font-size:1.4em">{pen.words.money()}</div><p>{pen.words.prose(1, 2)}</p><div>{sizes}</div><div>{wells}</div><div class="row" style="margin:10px 0">{stepper(pen)}{button(pen, "p l", "Add to cart")}{icon_button(pen, "heart", 20)}</div>{link(pen)}</div></div>'


def player(pen: Pen) -> str:
    """Music or film: cover, names, transport buttons, sliders."""
    names = pen.pick(
        (
            ("previous", "play", "next"),
            ("previous", "pause", "next", "refresh"),
            ("undo", "play", "redo"),
            ("play", "stop"),
        )
    )
    keys = "".join(icon_button(pen, name, pen.between(18, 30)) for name in names)
    return f'<div class="card" style="max-width:{pen.between(300, 760)}px"><div class="b row">{picture(pen, 64, 64)}<div class="grow"><b>{pen.words.title(1, 3)}</b><div class="mut">{pen.words.person()}</div></div><div class="row">{keys}</div><span class="mut">1:{pen.between(10, 59)}</span>{slider(pen)}{icon_button(pen, "volume", 18)}</div></div>'


def map_view(pen: Pen) -> str:
    """A map: ways and water, pins, zoom buttons, a search box over it."""
    width, height = pen.between(420, 900), pen.between(260, 560)
    lines = "".join(
        f'<path d="M{pen.between(0, 900)} {pen.between(0, 500)}Q{pen.between(0, 900)} {pen.between(0, 500)} {pen.between(0, 900)} {pen.between(0, 500)}" stroke="{pen.pick(("#fff", "#f7d774", "#cfcfcf"))}" stroke-width="{pen.between(2, 12)}" fill="none"/>'
        for _ in range(pen.between(6, 18))
    )
    names = "".join(
        f'<text x="{pen.between(20, 800)}" y="{pen.between(20, 500)}" font-size="12" fill="#555">{pen.words.noun()}</text>'
        for _ in range(6)
    )
    pins = "".join(
        pen.ui(
            "icon-button",
            "button",
            pen.icon(26, "pin", "#d33"),
            style=f"position:absolute;left:{pen.between(40, width - 60)}px;top:{pen.between(70, height - 60)}px;border:0;background:transparent;padding:0;line-height:0",
            aria_label="pin",
        )
        for _ in range(pen.between(1, 5))
    )
    zoom = f'<div style="position:absolute;right:12px;bottom:20px;display:flex;flex-direction:column">{pen.ui("icon-button", "button", "+", style="width:32px;height:32px;background:#fff;border:1px solid #bbb;color:#222", aria_label="in")}{pen.ui("icon-button", "button", "−", style="width:32px;height:32px;background:#fff;border:1px solid #bbb;color:#222", aria_label="out")}</div>'
    return f'<div style="position:relative;width:{width}px;height:{height}px;overflow:hidden;max-width:100%"><svg width="{width}" height="{height}" style="background:{pen.pick(("#e8efe0", "#dfe8ee", "#efece4"))}">{lines}{names}</svg><div style="position:absolute;left:12px;top:12px">{search_field(pen)}</div>{pins}{zoom}</div>'


def prices(pen: Pen) -> str:
    """Plans side by side, each with a list and a button."""
    cells = ""
    for _ in range(pen.between(2, 4)):
        lines = "".join(
            f'<div style="padding:4px 0">{pen.icon(14, "check", "var(--good)")} {pen.words.phrase(2, 4)}</div>'
            for _ in range(pen.between(3, 6))
        )
        cells += f'<div class="card" style="border:1px solid var(--line);text-align:{pen.pick(("left", "center"))}"><div class="b"><h3>{pen.words.title(1, 1)}</h3><div style="font-size:2em;font-weight:700">{pen.words.money()}</div>{lines}{button(pen, pen.pick(("p w", "w", "p")))}</div></div>'
    return f'<div class="grid" style="grid-template-columns:repeat(auto-fit,minmax(180px,1fr))">{cells}</div>'


def notices(pen: Pen) -> str:
    """Alerts that can be closed or acted on."""
    out = ""
    for _ in range(pen.between(1, 3)):
        cross = icon_button(pen, "close", 14) if pen.chance(0.7) else ""
        act = pen.pick(("", link(pen), button(pen, "s")))
        out += f'<div class="note row between" style="margin:6px 0;flex-wrap:nowrap"><span>{pen.icon(18, "info")} {pen.words.sentence()} {act}</span>{cross}</div>'
    return out


def charts(pen: Pen) -> str:
    """Cards with charts; a small menu or select in some heads."""
    cells = ""
    for _ in range(pen.between(1, 3)):
        act = pen.pick(
            ("", "", icon_button(pen, pen.pick(("dots-v", "dots", "gear", "expand")), 16), select(pen), link(pen))
        )
        cells += f'<div class="card" style="flex:1 1 260px;border-radius:6px"><div class="h row between" style="padding:10px 14px"><span>{pen.words.title(1, 3)}</span>{act}</div><div class="b">{pen.draw(line_chart, bar_chart, ring_chart)}</div></div>'
    return f'<div style="display:flex;gap:14px;flex-wrap:wrap">{cells}</div>'


def stats(pen: Pen) -> str:
    """A row of figures."""
    count = pen.between(2, 5)
    return f'<div class="grid" style="grid-template-columns:repeat({count},minmax(0,1fr));margin:8px 0">{"".join(stat_card(pen) for _ in range(count))}</div>'


def editor(pen: Pen) -> str:
    """An editor: menu bar, tools, file tree, tabs with crosses, code."""
    files = "".join(
        pen.ui(
            "tab",
            "div",
            pen.words.file()
            + " "
            + pen.ui(
                "icon-button",
                "button",
                pen.icon(10, "close"),
                style="border:0;background:transparent;color:inherit;padding:2px;line-height:0",
                aria_label="close",
            ),
            cls="tab",
        )
        for _ in range(pen.between(1, 4))
    )
    code = code_block(pen) + code_block(pen)
    status = f'<div class="row" style="background:var(--accent);color:var(--on);font-size:12px;padding:1px 8px">{"".join(pen.ui("button", "span", pen.words.nav(), style="padding:2px 6px") for _ in range(pen.between(0, 3)))}<span>Ln {pen.between(1, 300)}</span></div>'
    return f'{menu_bar(pen) if pen.chance(0.6) else ""}{tool_bar(pen) if pen.chance(0.5) else ""}<div style="display:flex"><div style="flex:none">{tree(pen)}</div><div class="grow"><div class="tabs">{files}</div>{code}</div></div>{status}'


def window(pen: Pen) -> str:
    """A desktop window: title bar with its three buttons, menu bar, tools, content."""
    size = pen.between(10, 16)
    if pen.chance(0.35):
        signs = "".join(
            pen.ui(
                "icon-button",
                "button",
                "",
                style=f"width:{size}px;height:{size}px;border-radius:99px;border:0;background:{color};padding:0;margin-right:6px",
                aria_label="window",
            )
            for color in ("#ff5f57", "#febc2e", "#28c840")
        )
        title = f'<div class="row" style="background:var(--sunk);padding:6px 10px">{signs}<span>{pen.words.title(1, 3)}</span></div>'
    else:
        signs = "".join(
            pen.ui(
                "icon-button",
                "button",
                pen.icon(size, name),
                style=f"width:{size * 2 + 14}px;height:{size + 16}px;border:0;background:transparent;color:inherit;padding:0",
                aria_label=name,
            )
            for name in ("minus", "stop", "close")
        )
        title = f'<div class="row between" style="{pen.pick(("background:var(--sunk)", "background:var(--accent);color:var(--on)"))}"><span style="padding-left:8px">{pen.words.title(1, 3)}</span><span>{signs}</span></div>'
    body = (
        menu_bar(pen)
        + (tool_bar(pen) if pen.chance(0.6) else "")
        + f'<div style="padding:12px">{pen.draw(rows_list, code_block, tabs, charts)}</div>'
    )
    return f'<div class="card" style="width:{pen.between(420, 820)}px;max-width:100%;border:1px solid var(--strong);box-shadow:0 6px 24px rgba(0,0,0,.3)">{title}{body}</div>'


def tag_input(pen: Pen) -> str:
    """A field that holds chips with crosses."""
    chips = "".join(
        f'<span class="chipx">{pen.words.noun()} {pen.ui("icon-button", "button", pen.icon(10, "close"), style="border:0;background:transparent;color:inherit;padding:1px;line-height:0", aria_label="remove")}</span> '
        for _ in range(pen.between(1, 5))
    )
    return f'<div class="inp" style="display:flex;flex-wrap:wrap;gap:5px;align-items:center;max-width:480px;border:1px solid var(--strong)">{chips}{pen.ui("ignore", "input", style="border:0;background:transparent;width:80px;color:inherit")}</div>'


def stars(pen: Pen) -> str:
    """A rating to give: five stars to press."""
    size, lit = pen.between(16, 30), pen.between(0, 5)
    cells = "".join(
        pen.ui(
            "icon-button",
            "button",
            f'<span style="font-size:{size}px;line-height:1;color:{"var(--warn)" if index < lit else "var(--line)"}">★</span>',
            style="border:0;background:transparent;padding:2px",
            aria_label="star",
        )
        for index in range(5)
    )
    return f'<div class="row" style="gap:2px"><span>{pen.words.field()}</span>{cells}</div>'


def share_row(pen: Pen) -> str:
    """Round buttons with signs."""
    size = pen.between(26, 44)
    cells = "".join(
        pen.ui(
            "icon-button",
            "a",
            pen.icon(size * 0.5),
            style=f"width:{size}px;height:{size}px;border-radius:{pen.pick((99, 6))}px;background:{hsl(pen.rng.uniform(0, 360), 0.6, 0.45)};color:#fff;display:inline-flex;align-items:center;justify-content:center;margin:3px",
            aria_label="share",
        )
        for _ in range(pen.between(3, 7))
    )
    return f"<div>{cells}</div>"


def profile(pen: Pen) -> str:
    """A person: face, name, figures, buttons, tabs."""
    facts = "".join(
        f'<span style="margin-right:18px"><b>{pen.words.number()}</b> <span class="mut">{pen.words.nav()}</span></span>'
        for _ in range(3)
    )
    return f'<div class="row">{avatar(pen, pen.between(60, 130))}<div><h2>{pen.words.person()} {badge(pen) if pen.chance(0.3) else ""}</h2><div>{facts}</div><p class="mut">{pen.words.sentence()}</p><div class="row">{button(pen, "p", "Follow")}{button(pen)}{icon_button(pen, "dots")}</div></div></div>{tabs(pen)}'


def palette_tools(pen: Pen) -> str:
    """A drawing program's tools in two columns and its colour wells."""
    size = pen.between(18, 26)
    names = pen.rng.sample(TOOLS, 8)
    cells = "".join(
        pen.ui("icon-button", "button", pen.icon(size * 0.8, name), cls="" if pen.theme.raw else "ib", aria_label=name)
        for name in names
    )
    wells = "".join(
        pen.ui(
            "button",
            "button",
            "",
            style=f"width:{size}px;height:{size}px;background:{hsl(pen.rng.uniform(0, 360), 0.7, 0.5)};border:1px solid var(--strong);padding:0",
            aria_label="colour",
        )
        for _ in range(pen.between(6, 16))
    )
    return f'<div style="display:inline-grid;grid-template-columns:repeat({pen.pick((1, 2, 4, 8))},auto);gap:3px">{cells}</div><div style="max-width:{size * 9}px">{wells}</div>{text_input(pen)}'
