"""Tables, lists, list boxes, calendars, boards, spreadsheets, key pads, galleries: many of the same thing.

Used by the layouts. A column head counts only where a sign says that it sorts.
"""

from collections.abc import Callable

from models.pages.pen import Pen
from models.pages.widgets.controls import button, checkbox, icon_button, link, search_field, select, switch, text_input
from models.pages.widgets.navigation import page_numbers
from models.pages.widgets.negatives import avatar, badge, heading, picture


def table(pen: Pen) -> str:
    """A table of data: sortable heads or plain ones, check boxes, links, badges, row actions."""
    columns, rows = pen.between(3, 8), pen.between(3, 14)
    sortable, ticks, acts = pen.chance(0.5), pen.chance(0.3), pen.between(0, 4)
    linked = pen.between(0, 2) if pen.chance(0.5) else -1
    sorted_by = pen.between(0, columns - 1)
    sign = pen.pick(("↕", "⇅", "sort", "up", "▲▼"))
    heads = f"<th>{checkbox(pen)}</th>" if ticks else ""
    right = pen.chance(0.4)
    for index in range(columns):
        text = pen.words.field()
        if not sortable or pen.chance(0.08):
            heads += f"<th>{text}</th>"
            continue
        arrow = (
            pen.icon(12, pen.pick(("up", "down")))
            if index == sorted_by
            else (
                pen.icon(12, sign)
                if sign in ("sort", "up")
                else f'<span style="opacity:.4;font-size:.8em">{sign}</span>'
            )
        )
        inner = f'<span style="float:right">{arrow}</span>{text}' if right else f"{text} {arrow}"
        heads += pen.ui("columnheader", "th", inner, style="white-space:nowrap")
    body = ""
    kinds = [
        pen.pick(
            (pen.words.person, pen.words.money, pen.words.number, pen.words.date, pen.words.phrase, pen.words.email)
        )
        for _ in range(columns)
    ]
    for _ in range(rows):
        cells = f"<td>{checkbox(pen)}</td>" if ticks else ""
        for index, kind in enumerate(kinds):
            cell = link(pen, kind()) if index == linked else kind()
            cells += f"<td>{badge(pen) if index == columns - 1 and linked == 2 else cell}</td>"
        body += f"<tr>{cells}{_row_actions(pen, acts)}</tr>"
    css = "tb" if not pen.theme.raw or pen.chance(0.5) else ""
    border = ' border="1"' if pen.theme.raw and pen.chance(0.6) else ""
    return f'<table class="{css}"{border}><thead><tr>{heads}{"<th></th>" if acts > 1 else ""}</tr></thead><tbody>{body}</tbody></table>'


def _row_actions(pen: Pen, kind: int) -> str:
    if kind == 2:
        return f"<td>{link(pen, 'Edit')} {link(pen, 'Delete')}</td>"
    if kind == 3 and not pen.theme.raw:
        return f"<td><span class=row style='flex-wrap:nowrap;gap:4px'>{icon_button(pen, 'pencil', 15)}{icon_button(pen, 'trash', 15)}</span></td>"
    if kind == 4:
        return f"<td>{pen.draw(button, icon_button, switch)}</td>"
    return "<td></td>" if kind > 1 else ""


def data_table(pen: Pen) -> str:
    """A table with search, page size, count and page numbers around it."""
    head = (
        f'<div class="row between" style="margin:8px 0"><span>Show {select(pen)} rows</span>{search_field(pen)}</div>'
    )
    foot = f'<div class="row between"><span class="mut">1–{pen.between(5, 25)} / {pen.between(30, 900)}</span>{page_numbers(pen)}</div>'
    return f'<div class="card">{pen.box("h", pen.words.title(1, 3)) if pen.chance(0.5) else ""}<div class="b">{head if pen.chance(0.7) else ""}{table(pen)}{foot}</div></div>'


def rows_list(pen: Pen) -> str:
    """A list whose rows can be pressed (they count), or only hold buttons (then those count)."""
    pressable = pen.chance(0.55)
    faces, tails, chosen = pen.chance(0.5), pen.between(0, 3), pen.between(0, 12)
    acts: Callable[[Pen], str] = pen.pick((button, _small_button, _more, checkbox, switch, badge))
    out = ""
    for index in range(pen.between(3, 9)):
        face = avatar(pen) if faces else (pen.icon(20) if pen.chance(0.4) else "")
        second = f'<div class="mut" style="font-size:.88em">{pen.words.phrase(2, 6)}</div>' if tails else ""
        name = pen.words.person() if faces else pen.words.title(1, 4)
        if pressable:
            tail = (
                f'<span class="mut">{pen.words.date()}</span>'
                if tails == 1
                else (pen.icon(14, "right") if tails == 2 else "")
            )
            inner = f'{face}<div class="grow"><div>{name}</div>{second}</div>{tail}'
            out += pen.ui(
                "link", pen.pick(("a", "div")), inner, cls=f"li {'c' if index == chosen else ''}", style="display:flex"
            )
        else:
            tail = acts(pen)
            out += f'<div class="li" style="display:flex">{face}<div class="grow"><div>{name}</div>{second}</div>{tail}</div>'
    return f'<div style="max-width:{pen.between(260, 760)}px">{out}</div>'


def _small_button(pen: Pen) -> str:
    return button(pen, "s")


def _more(pen: Pen) -> str:
    return icon_button(pen, "dots-v")


def list_box(pen: Pen) -> str:
    """A list to choose from: native, drawn, or below an open drop-down; every row is an option."""
    width, chosen = pen.between(120, 300), pen.between(0, 8)
    ticks, native = pen.chance(0.25), pen.theme.raw and pen.chance(0.5)
    if native:
        rows = "".join(
            f"<option {'selected' if i == chosen else ''}>{pen.words.phrase(1, 3)}</option>"
            for i in range(pen.between(3, 8))
        )
        return pen.ui("other", "select", rows, size=pen.between(3, 6), style=f"width:{width}px")
    rows = ""
    pad = pen.between(1, 9)
    for index in range(pen.between(3, 9)):
        mark = pen.icon(14, "check") if ticks and index == chosen else ""
        rows += pen.ui(
            "option",
            pen.pick(("div", "li")),
            f'<span class="grow">{pen.words.phrase(1, 3)}</span>{mark}',
            cls=f"mi {'c' if index == chosen else ''}",
            style=f"padding:{pad}px 10px",
        )
    head = (
        pen.ui(
            "combobox",
            "div",
            f"<span>{pen.words.field()}</span>{pen.icon(14, 'up')}",
            cls="inp",
            style=f"display:flex;justify-content:space-between;align-items:center;width:{width}px",
        )
        if pen.chance(0.4)
        else ""
    )
    return f'{head}<ul class="menu bare" style="width:{width}px;border:1px solid var(--strong)">{rows}</ul>'


def calendar(pen: Pen) -> str:
    """One month: days to press, arrows, the chosen day filled."""
    cell = pen.between(24, 44)
    first, chosen = pen.between(0, 6), pen.between(1, 28)
    edge = pen.pick(("border-radius:99px", "border-radius:4px", "border:1px solid var(--line)", ""))
    days = "".join(
        f'<span class="mut" style="text-align:center;font-size:.8em">{name}</span>'
        for name in ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
    )
    days += "<span></span>" * first
    for day in range(1, pen.between(29, 32)):
        ground = "background:var(--accent);color:var(--on)" if day == chosen else "background:transparent;color:inherit"
        days += pen.ui(
            "button",
            pen.pick(("button", "div", "button")),
            str(day),
            style=f"height:{cell}px;{edge or 'border:0'};{'' if 'solid' in edge else 'border:0;'}{ground};padding:0;display:flex;align-items:center;justify-content:center;font:inherit",
        )
    head = f'<div class="row between">{icon_button(pen, "left", 14)}<b>{pen.words.title(1, 1)} {pen.between(2020, 2027)}</b>{icon_button(pen, "right", 14)}</div>'
    field = text_input(pen, kind="text") + "<br>" if pen.chance(0.3) else ""
    return f'{field}<div class="menu" style="display:inline-block;padding:10px">{head}<div style="display:grid;grid-template-columns:repeat(7,{cell + 4}px);gap:2px">{days}</div></div>'


def week_plan(pen: Pen) -> str:
    """A week with events as coloured blocks; the events can be pressed."""
    columns = ""
    for index in range(pen.pick((5, 7))):
        events = "".join(
            pen.ui(
                "button",
                "div",
                f"<b>{pen.words.noun()}</b><br>{pen.between(8, 18)}:00",
                style=f"margin:{pen.between(4, 70)}px 4px 0;padding:4px 6px;height:{pen.between(38, 110)}px;background:{pen.pick(('var(--accent);color:var(--on)', 'var(--second);color:#fff', 'color-mix(in srgb,var(--accent) 25%,var(--panel))'))};border-radius:4px;font-size:.8em;overflow:hidden",
            )
            for _ in range(pen.between(0, 3))
        )
        columns += f'<div style="flex:1;border-left:1px solid var(--line);min-height:300px"><div style="text-align:center;border-bottom:1px solid var(--line)">{"MTWTFSS"[index]} {pen.between(1, 28)}</div>{events}</div>'
    return f'<div style="display:flex;border:1px solid var(--line)">{columns}</div>'


def board(pen: Pen) -> str:
    """Columns of cards with small actions; an add button under each."""
    columns = ""
    for _ in range(pen.between(2, 4)):
        cards = ""
        for _ in range(pen.between(1, 4)):
            menu = icon_button(pen, "dots", 14) if pen.chance(0.5) else ""
            cards += f'<div class="card" style="margin:8px 0;border:1px solid var(--line)"><div class="b" style="padding:9px"><div class="row between" style="flex-wrap:nowrap"><span>{pen.words.title(2, 6)}</span>{menu}</div><div class="row" style="margin-top:6px">{badge(pen)}{avatar(pen, 22) if pen.chance(0.6) else ""}</div></div></div>'
        columns += f'<div style="flex:1;background:var(--sunk);padding:10px;border-radius:6px"><div class="row between"><b>{pen.words.nav()}</b><span class="mut">{pen.between(1, 20)}</span></div>{cards}{button(pen, "g w", "+ Add")}</div>'
    return f'<div style="display:flex;gap:12px">{columns}</div>'


def spreadsheet(pen: Pen) -> str:
    """A grid of cells; one cell is being edited, cells do not count."""
    width, height = pen.between(60, 110), pen.between(19, 28)
    cell = f"border:1px solid var(--line);min-width:{width}px;height:{height}px;padding:0 4px;font-size:.88em;font-weight:400"
    columns = pen.between(5, 10)
    rows = (
        "<tr><th></th>"
        + "".join(
            f'<th style="{cell};background:var(--sunk);text-align:center">{chr(65 + i)}</th>' for i in range(columns)
        )
        + "</tr>"
    )
    for row in range(pen.between(6, 16)):
        rows += (
            f'<tr><th style="{cell};background:var(--sunk);min-width:30px">{row + 1}</th>'
            + "".join(
                f'<td style="{cell}">{pen.words.number() if pen.chance(0.5) else ""}</td>' for _ in range(columns)
            )
            + "</tr>"
        )
    return f'<table style="border-collapse:collapse">{rows}</table>'


def key_pad(pen: Pen) -> str:
    """A calculator or a number pad."""
    keys = pen.pick(("789÷456×123−0.=+", "123456789*0#", "C()/789x456-123+"))
    columns = 3 if "#" in keys else 4
    size = pen.between(34, 64)
    cells = "".join(
        pen.ui("button", "button", key, cls="" if pen.theme.raw else "btn", style=f"height:{size}px") for key in keys
    )
    show = (
        pen.ui("textbox", "input", type="text", value=pen.between(0, 99999), cls="inp w")
        if pen.chance(0.5)
        else f'<div style="font-size:1.8em;text-align:right">{pen.between(0, 99999)}</div>'
    )
    return f'<div style="width:{columns * (size + 8)}px">{show}<div style="display:grid;gap:{pen.between(1, 8)}px;grid-template-columns:repeat({columns},1fr)">{cells}</div></div>'


def gallery(pen: Pen) -> str:
    """Pictures with hearts or menus over them; the pictures themselves are left open."""
    width = pen.between(110, 260)
    cells = ""
    for _ in range(pen.between(3, 9)):
        over = (
            f'<span style="position:absolute;top:6px;right:6px">{icon_button(pen, pen.pick(("heart", "dots-v", "star", "check")), 18)}</span>'
            if pen.chance(0.5) and not pen.theme.raw
            else ""
        )
        tile = pen.ui("ignore", "a", picture(pen, 400, int(width * 0.7)), style="display:block")
        cells += f'<div style="position:relative">{tile}{over}<div>{pen.words.noun()}</div></div>'
    return f'<div class="grid" style="grid-template-columns:repeat(auto-fill,minmax({width}px,1fr))">{cells}</div>'


def figures(pen: Pen) -> str:
    """Names and values below each other, without anything to press (seldom a pencil)."""
    rows = "".join(
        f'<tr><td class="mut" style="padding:3px 12px 3px 0">{pen.words.field()}</td><td>{pen.words.value()} {icon_button(pen, "pencil", 13) if pen.chance(0.07) else ""}</td></tr>'
        for _ in range(pen.between(3, 8))
    )
    return f"{heading(pen, 3)}<table>{rows}</table>"
