"""Bars, sidebars, icon rails, tabs, menus, menu bars, tool bars, page numbers, trees, wizards' steps.

Used by the layouts. An entry of a bar or sidebar counts with its whole clickable box, as browsers give it.
"""

from models.pages.pen import Pen
from models.pages.widgets.controls import button, icon_button, search_field, select, text_input
from models.pages.widgets.negatives import avatar, badge

TOOLS = (
    "bold",
    "italic",
    "underline",
    "align-left",
    "align-center",
    "align-right",
    "list",
    "link",
    "image",
    "code",
    "undo",
    "redo",
    "printer",
    "copy",
    "disk",
    "table",
    "search",
    "sliders",
    "expand",
)


def brand(pen: Pen) -> str:
    """The product's name with its sign: mostly a link home."""
    inner = (pen.icon(pen.between(18, 34)) if pen.chance(0.7) else "") + f"<span>{pen.words.title(1, 2)}</span>"
    if pen.chance(0.75):
        return pen.ui("link", "a", inner, cls="brand")
    return f'<span class="brand">{inner}</span>'


def top_bar(pen: Pen, *, entries: bool | None = None) -> str:
    """A bar over the page: name, entries, search, icons, the person."""
    parts = [icon_button(pen, "menu", 20)] if pen.chance(0.25) and not pen.theme.raw else []
    parts.append(brand(pen) if pen.chance(0.8) else "")
    count = pen.between(2, 7) if (pen.chance(0.7) if entries is None else entries) else 0
    chosen = pen.between(0, 8)
    for index in range(count):
        inner = (
            (pen.icon() if pen.chance(0.15) else "")
            + pen.words.nav()
            + (pen.icon(12, "down") if pen.chance(0.12) else "")
        )
        parts.append(pen.ui("link", "a", inner, cls="ni c" if index == chosen else "ni"))
    parts.append('<span class="grow"></span>' if pen.chance(0.8) else "")
    if pen.chance(0.45):
        parts.append(search_field(pen))
    if not pen.theme.raw:
        parts += [
            icon_button(pen, name)
            for name in pen.rng.sample(
                ("bell", "mail", "gear", "help", "moon", "cart", "grid", "plus", "globe", "chat"), pen.between(0, 4)
            )
        ]
    end = pen.between(0, 4)
    if end == 0:
        parts.append(
            pen.ui(
                "button",
                pen.pick(("a", "button")),
                avatar(pen, 30) + (f"<span>{pen.words.person()}</span>" if pen.chance(0.5) else ""),
                cls="ni",
                style="border:0;background:transparent;color:inherit;display:flex;align-items:center;gap:8px",
                aria_label="account",
            )
        )
    elif end == 1:
        parts.append(button(pen, "p"))
    elif end == 2:
        parts += [pen.ui("link", "a", "Sign in", cls="ni"), button(pen, "p s")]
    return f'<header class="bar">{"".join(parts)}</header>'


def sidebar(pen: Pen, *, width_px: int | None = None) -> str:
    """A column of entries, with captions, counts, arrows and open groups."""
    width = width_px or pen.between(150, 290)
    rows = [brand_row(pen)] if pen.chance(0.5) else []
    icons, arrows, counts = pen.chance(0.65), pen.chance(0.3), pen.chance(0.25)
    chosen, total = pen.between(0, 9), pen.between(4, 16)
    for index in range(total):
        if pen.chance(0.12) and not pen.theme.raw:
            rows.append(f'<div class="cap">{pen.words.nav()}</div>' if pen.chance(0.7) else "<hr>")
        inner = (pen.icon() if icons else "") + f'<span class="grow">{pen.words.nav()}</span>'
        inner += badge(pen) if counts and pen.chance(0.35) else ""
        inner += pen.icon(13, pen.pick(("right", "down"))) if arrows and pen.chance(0.6) else ""
        rows.append(pen.ui("link", pen.pick(("a", "a", "div")), inner, cls="ni c" if index == chosen else "ni"))
        if pen.chance(0.08):
            rows += [pen.ui("link", "a", pen.words.nav(), cls="ni sub") for _ in range(pen.between(2, 4))]
    if pen.chance(0.25):
        rows.append(f'<div style="padding:12px">{button(pen)}</div>')
    if pen.chance(0.15):
        rows.append(f'<div style="padding:8px;text-align:center">{icon_button(pen, pen.pick(("left", "menu")))}</div>')
    return f'<aside class="side" style="width:{width}px">{"".join(rows)}</aside>'


def brand_row(pen: Pen) -> str:
    """The name at the head of a sidebar, as wide as the bar."""
    inner = pen.icon(pen.between(20, 36)) + f"<span>{pen.words.title(1, 2)}</span>"
    return pen.ui(
        "link",
        "a",
        inner,
        cls="brand",
        style=f"padding:{pen.between(6, 22)}px 14px;justify-content:{pen.pick(('center', 'flex-start'))}",
    )


def icon_rail(pen: Pen) -> str:
    """A narrow column of icons, with or without tiny captions."""
    width, pad, size = pen.between(44, 84), pen.between(6, 16), pen.between(16, 26)
    captions = pen.chance(0.3)

    def entry() -> str:
        inner = pen.icon(size) + (f'<div style="font-size:10px">{pen.words.nav()[:9]}</div>' if captions else "")
        return pen.ui(
            "link" if captions else "icon-button",
            pen.pick(("a", "button")),
            inner,
            style=f"display:block;width:100%;padding:{pad}px 0;text-align:center;border:0;background:{pen.pick(('transparent', 'transparent', 'transparent', 'rgba(128,128,128,.3)'))};color:inherit",
            aria_label=pen.words.nav(),
        )

    rows = pen.join(4, 11, entry)
    return f'<aside class="side" style="width:{width}px;padding:6px 0">{rows}</aside>'


def tabs(pen: Pen) -> str:
    """A row of tabs, one of them open; with icons or counts."""
    count, chosen = pen.between(2, 7), pen.between(0, 4)
    icons = pen.chance(0.2)
    cells = ""
    for index in range(count):
        inner = (pen.icon() if icons else "") + pen.words.nav() + (badge(pen) if pen.chance(0.1) else "")
        if pen.theme.raw:
            cells += pen.ui("tab", pen.pick(("button", "a")), inner) + " "
        else:
            cells += pen.ui(
                "tab",
                pen.pick(("a", "div", "button")),
                inner,
                cls="tab c" if index == chosen else "tab",
                style="font:inherit;color:inherit" if index != chosen else "font:inherit",
            )
    return f'<div class="tabs" style="margin:8px 0">{cells}</div>'


def menu(pen: Pen, *, width_px: int | None = None) -> str:
    """An open menu: entries with icons, shortcuts, ticks, lines between."""
    icons, keys, chosen = pen.chance(0.5), pen.chance(0.35), pen.between(0, 9)
    rows = ""
    for index in range(pen.between(3, 10)):
        if index and pen.chance(0.15):
            rows += "<hr>"
        inner = (
            pen.icon() if icons else ""
        ) + f'<span class="grow">{pen.pick((pen.words.label(), pen.words.nav()))}</span>'
        inner += (
            f'<span class="mut" style="font-size:.85em">Ctrl+{pen.pick("ABCDEFGH")}</span>'
            if keys
            else (pen.icon(12, "right") if pen.chance(0.1) else "")
        )
        rows += pen.ui(
            "menuitem",
            pen.pick(("a", "div", "button")),
            inner,
            cls="mi c" if index == chosen else "mi",
            style="border:0;background:none;width:100%;font:inherit;color:inherit;text-align:left"
            if index != chosen
            else "",
        )
    return f'<div class="menu" style="width:{width_px or pen.between(130, 290)}px">{rows}</div>'


def menu_bar(pen: Pen) -> str:
    """A row of menu titles, one of them perhaps open below."""
    opened = pen.chance(0.4)
    titles = ""
    for index in range(pen.between(3, 9)):
        inner = pen.pick((pen.words.nav(), "File", "Edit", "View", "Insert", "Format", "Tools", "Window", "Help")) + (
            pen.icon(11, "down") if pen.chance(0.2) else ""
        )
        titles += pen.ui(
            "menuitem",
            pen.pick(("a", "div", "span")),
            inner,
            cls=f"mi {'c' if index == 0 and opened else ''}",
            style="display:inline-flex",
        )
    drop = f'<div style="position:absolute;z-index:5">{menu(pen)}</div>' if opened else ""
    ground = pen.pick(
        ("background:var(--sunk)", "", "border:1px solid var(--line)", "background:var(--accent);color:var(--on)")
    )
    return f'<div class="menubar" style="{ground}">{titles}{drop}</div>'


def tool_bar(pen: Pen) -> str:
    """Groups of small tools, some pressed, with selects and fields between."""
    size = pen.between(13, 22)
    parts = []
    for _ in range(pen.between(1, 4)):
        if pen.chance(0.3):
            parts.append(pen.draw(select, text_input, button))
        names = pen.rng.sample(TOOLS, pen.between(2, 6))
        if pen.theme.raw:
            parts.append(
                "".join(pen.ui("icon-button", "button", pen.icon(size, name), aria_label=name) for name in names)
            )
            continue
        style = pen.pick(("ib", "btn", "ib", "btn s"))
        cells = "".join(
            pen.ui(
                "icon-button",
                "button",
                pen.icon(size, name),
                cls=style + (" on" if pen.chance(0.12) else ""),
                aria_label=name,
            )
            for name in names
        )
        parts.append(
            f'<span class="{pen.pick(("row", "group", "row"))}" style="gap:{pen.pick((0, 2, 4, 8))}px">{cells}</span>'
        )
    line = pen.pick(
        ("", '<span style="width:1px;height:20px;background:var(--line);display:inline-block;margin:0 4px"></span>')
    )
    return f'<div class="row" style="padding:5px;{pen.pick(("background:var(--sunk)", "border:1px solid var(--line)", ""))}">{line.join(parts)}</div>'


def page_numbers(pen: Pen) -> str:
    """Links to further pages."""
    count, chosen = pen.between(3, 8), pen.between(1, 4)
    ends = pen.pick((("‹", "›"), ("«", "»"), ("Previous", "Next"), ("←", "→")))
    css = "" if pen.theme.raw else "pg"
    cells = [pen.ui("link", "a", ends[0], cls=css or "lnk")]
    for number in range(1, count + 1):
        if number == chosen and pen.theme.raw:
            cells.append(f"<b>{number}</b>")
        else:
            cells.append(
                pen.ui("link", "a", str(number), cls=f"{css} {'c' if number == chosen else ''}" if css else "lnk")
            )
    if pen.chance(0.4):
        cells.append("<span> … </span>" + pen.ui("link", "a", str(pen.between(9, 99)), cls=css or "lnk"))
    cells.append(pen.ui("link", "a", ends[1], cls=css or "lnk"))
    return f'<nav style="margin:10px 0">{(" " if pen.theme.raw else "").join(cells)}</nav>'


def tree(pen: Pen) -> str:
    """Folders and files; every row counts, its fold sign does not."""

    def rows(depth: int) -> str:
        out = ""
        for _ in range(pen.between(2, 5)):
            folder = depth < 3 and pen.chance(0.4)
            sign = (
                pen.icon(11, pen.pick(("down", "right")))
                if folder
                else '<span style="display:inline-block;width:11px"></span>'
            )
            icon = pen.icon(14, "folder" if folder else "file") if icons else ""
            text = pen.words.noun() if folder else pen.words.file()
            out += pen.ui(
                "treeitem",
                "div",
                f"{sign}{icon}<span>{text}</span>",
                cls=f"ti {'c' if pen.chance(0.06) else ''}",
                style=f"padding-left:{depth * indent + 4}px",
            )
            out += rows(depth + 1) if folder and pen.chance(0.6) else ""
        return out

    icons, indent = pen.chance(0.7), pen.between(10, 22)
    return f'<div class="tree" style="width:{pen.between(150, 300)}px">{rows(0)}</div>'


def steps(pen: Pen) -> str:
    """The steps of a wizard: numbered circles that show progress; only some can be pressed."""
    pressable, done = pen.chance(0.3), pen.between(0, 3)
    out = []
    for number in range(1, pen.between(3, 6)):
        ring = f'<span class="av" style="width:28px;height:28px;background:{"var(--accent)" if number <= done else "var(--muted)"}">{number}</span>'
        inner = f"{ring} <span>{pen.words.nav()}</span>"
        out.append(
            pen.ui("tab", "a", inner, style="display:inline-flex;gap:6px;align-items:center")
            if pressable
            else f'<span style="display:inline-flex;gap:6px;align-items:center">{inner}</span>'
        )
    return f'<div class="row" style="gap:18px;margin:10px 0">{"<span class=mut>—</span>".join(out)}</div>'


def action_row(pen: Pen) -> str:
    """A heading with what can be done on its right."""
    acts = pen.join(1, 4, lambda: pen.draw(button, button, icon_button), " ")
    return f'<div class="row between" style="margin:8px 0"><h2>{pen.words.title(1, 3)}</h2><div class="row">{acts}</div></div>'
