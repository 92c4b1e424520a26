"""Patterns that a first detector missed on pages it had never seen: boxed sorting heads, tight forms, text-only tool strips.

Used by the layouts beside the other widgets. Each function draws one pattern as HTML, in the look of the page or raw.
"""

from models.pages.pen import Pen
from models.pages.widgets.controls import button, checkbox, icon_button, labelled, link, radio, select, text_input
from models.pages.widgets.negatives import badge, heading

VALUE_KINDS = (
    "number",
    "number",
    "number",
    "date",
    "time",
    "month",
    "week",
    "datetime-local",
    "color",
    "tel",
    "text",
    "url",
)


def sort_table(pen: Pen) -> str:
    """A table as wide as its place whose heads sort: the pair of arrows is faint and far from the words."""
    columns, rows = pen.between(3, 7), pen.between(2, 10)
    arrows = pen.pick(("↑↓", "⇅", "▴▾", "▲▼", "↕", "▾"))
    faint, size = pen.pick((0.2, 0.3, 0.5, 0.8)), pen.pick(("1em", ".9em", ".75em"))
    pad = f"{pen.between(3, 16)}px {pen.between(6, 14)}px"
    edge = pen.pick(
        ("border:1px solid var(--line)", "border:1px solid var(--strong)", "border-bottom:2px solid var(--line)", "")
    )
    far = pen.chance(0.7)
    heads = ""
    for index in range(columns):
        shown = 1 if index == 0 else faint
        place = "position:absolute;right:8px;bottom:30%" if far else "margin-left:6px"
        sign = f'<span style="opacity:{shown};font-size:{size};{place}">{arrows}</span>'
        word = pen.words.field() if pen.chance(0.7) else pen.words.title(1, 2)
        style = (
            f"position:relative;padding:{pad};padding-right:{30 if far else 8}px;{edge};text-align:left;cursor:pointer"
        )
        heads += pen.ui("columnheader", "th", f"{word}{sign}", style=style, aria_label=word)
    body = "".join(
        "<tr>" + "".join(f'<td style="padding:{pad};{edge}">{pen.words.value()}</td>' for _ in range(columns)) + "</tr>"
        for _ in range(rows)
    )
    width = pen.pick(("width:100%", "width:100%", ""))
    return (
        f'<table style="border-collapse:collapse;{width}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    )


def question(pen: Pen) -> str:
    """What a form asks for, as a question or a name."""
    star = pen.pick(("", "", "*", ' <span style="color:var(--danger)">*</span>'))
    asked = f"{pen.pick(('What is your', 'Which', 'When is the', 'How many', 'Enter the', 'Choose a'))} {pen.words.phrase(1, 2)}{pen.pick(('?', ':', ''))}"
    return (asked if pen.chance(0.5) else pen.words.field() + pen.pick((":", "", ""))) + star


def value_fields(pen: Pen) -> str:
    """Paragraphs of a label and a field for a number, date, time or colour, as the browser paints them."""
    rows = ""
    gap = pen.between(4, 18)
    css = "inp" if not pen.theme.raw and pen.chance(0.5) else ""
    for _ in range(pen.between(2, 6)):
        kind = pen.pick(VALUE_KINDS)
        value = str(pen.between(0, 120)) if kind == "number" and pen.chance(0.4) else ""
        width = f"width:{pen.between(44, 220)}px" if pen.chance(0.3) and kind != "color" else ""
        field = pen.ui("other" if kind == "color" else "textbox", "input", type=kind, value=value, cls=css, style=width)
        rows += f'<p style="margin:{gap}px 0"><label>{question(pen)} {field}</label></p>'
    return rows


def tight_form(pen: Pen) -> str:
    """Labels right on top of thin-edged fields, some glowing as invalid, and a framed question with radios before them."""
    width = pen.pick((pen.between(180, 420), pen.between(300, 900)))
    line = pen.pick(("#333", "var(--strong)", "var(--line)", "#999"))
    glow = f"box-shadow:0 0 {pen.between(3, 6)}px 1px {pen.pick(('red', 'var(--danger)', 'var(--accent)'))}"
    out = _framed_choice(pen, width, line, glow) if pen.chance(0.6) else ""
    gap, high = pen.between(6, 20), pen.pick((19, 21, 24, 28, 32))
    for _ in range(pen.between(2, 5)):
        style = (
            f"display:block;width:{width}px;max-width:100%;border:1px solid {line};{glow if pen.chance(0.2) else ''}"
        )
        if pen.chance(0.2):
            field = pen.ui("textbox", "textarea", "", rows=pen.between(2, 6), style=style)
        else:
            kind = pen.pick(("text", "text", "email", "number", "password"))
            field = pen.ui("textbox", "input", type=kind, style=f"{style};height:{high}px;padding:0 3px")
        rows = f"<label>{question(pen)}{field}</label>"
        out += f'<div style="margin:{gap}px 0">{rows}</div>'
    return out + button(pen)


def _framed_choice(pen: Pen, width: int, line: str, glow: str) -> str:
    """A fieldset whose legend asks and whose radios or ticks answer, in one row or below each other."""
    control, wrong = pen.pick((radio, checkbox)), pen.chance(0.25)
    gap = pen.pick((" ", "<br>", "&nbsp;&nbsp;"))
    words = (("Yes", "No"), ("Small", "Medium", "Large"), (pen.words.field(), pen.words.nav(), pen.words.noun()))
    items = gap.join(
        f'<label style="{glow if wrong and pen.chance(0.2) else ""}">{control(pen)}{pen.pick(("", " "))}{word}</label>'
        for word in pen.pick(words)
    )
    return f'<fieldset style="width:{width}px;max-width:100%;border:1px solid {line};margin:0"><legend>{question(pen)}</legend>{items}</fieldset>'


def big_text(pen: Pen) -> str:
    """A framed sheet of text to edit, far larger than a form's field, with its caption and perhaps tools above."""
    prose = "".join(f"<p>{pen.words.prose(1, 4)}</p>" for _ in range(pen.between(1, 6)))
    edge = pen.pick(("1px solid var(--strong)", "2px solid var(--ink)", "1px solid #999", "3px solid var(--accent)"))
    style = f"border:{edge};border-radius:{pen.pick((0, 0, 4, 8))}px;min-height:{pen.between(120, 420)}px;padding:4px 8px;overflow:hidden;background:var(--panel)"
    if pen.chance(0.5):
        sheet = pen.ui("textbox", "div", prose, style=style, aria_label="text")
    else:
        width = pen.between(50, 100)
        sheet = pen.ui(
            "textbox",
            "textarea",
            pen.words.prose(3, 9),
            style=f"{style};width:{width}%;height:{pen.between(120, 380)}px;font:inherit;color:inherit",
        )
    return (tool_strip(pen) if pen.chance(0.5) else "") + f"<div>{pen.words.title(1, 2)}</div>{sheet}"


def tool_strip(pen: Pen) -> str:
    """Tools that are words or letters on plates: toggles B I U, Copy and Paste, a list, a stepper, a tick box, a link."""
    high, round_px = pen.between(22, 40), pen.pick((0, 3, 5, 99))
    plate = f"border:{pen.pick(('0', '0', '1px solid var(--strong)', '1px solid var(--line)'))};background:var(--panel);color:var(--ink);border-radius:{round_px}px;height:{high}px;padding:0 {pen.between(6, 14)}px;font:inherit;display:inline-flex;align-items:center;gap:6px"
    parts = []
    for _ in range(pen.between(2, 6)):
        kind = pen.between(0, 6)
        if kind == 0:
            looks = (
                "font-weight:700",
                "font-style:italic",
                "text-decoration:underline",
                "text-decoration:line-through",
            )
            parts += [
                pen.ui("button", "button", letter, style=f"{plate};{look}")
                for letter, look in zip("BIUS"[: pen.between(2, 4)], looks, strict=False)
            ]
        elif kind == 1:
            parts += [
                pen.ui("button", "button", text, style=plate) for text in ("Copy", "Paste", "Cut")[: pen.between(1, 3)]
            ]
        elif kind == 2:
            sign = pen.pick(("▼", "▾", pen.icon(12, "down")))
            parts.append(pen.ui("combobox", "button", f"<span>{pen.words.field()}</span>{sign}", style=plate))
        elif kind == 3:
            steps = "".join(
                pen.ui(
                    "icon-button",
                    "button",
                    sign,
                    style="border:0;background:var(--sunk);color:inherit;padding:2px 5px;font-size:11px",
                )
                for sign in pen.pick(("▲▼", "−+", "‹›"))
            )
            parts.append(
                f'<span style="{plate}">{pen.between(8, 48)} {pen.pick(("pt", "px", "%", "Point"))} {steps}</span>'
            )
        elif kind == 4:
            parts.append(f'<span style="{plate}">{labelled(pen, checkbox(pen))}</span>')
        elif kind == 5:
            parts.append(pen.ui("link", "a", pen.words.nav(), style=f"{plate};text-decoration:underline"))
        else:
            parts.append(
                pen.ui("button", "button", pen.icon(15) if pen.chance(0.7) else "", style=plate, aria_label="tool")
            )
    ground = pen.pick(("var(--sunk)", "var(--sunk)", "var(--line)", "transparent"))
    return f'<div class="row" style="background:{ground};padding:{pen.between(4, 12)}px;gap:{pen.pick((2, 6, 8))}px;margin:8px 0">{"".join(parts)}</div>'


def plain_tree(pen: Pen) -> str:
    """A tree or list of rows in the text's own colour: a sign, a name, and nothing drawn around them."""
    sign = pen.pick(("▸", "▾", "+", "›", "□", "▯", pen.icon(13, "right"), pen.icon(14, "folder")))
    pad, size = pen.between(1, 7), pen.pick(("1em", "1.1em", "1.2em", ".9em"))
    width = pen.between(140, 420)
    edge = pen.pick(("", "", "border:1px solid var(--line);padding:4px"))
    rows, depth = "", 0
    for _ in range(pen.between(3, 9)):
        text = pen.words.nav() if pen.chance(0.6) else pen.words.file()
        chosen = "background:color-mix(in srgb,var(--accent) 18%,transparent)" if pen.chance(0.08) else ""
        style = f"padding:{pad}px 4px {pad}px {4 + 18 * depth}px;font-size:{size};{chosen}"
        rows += pen.ui("treeitem", "div", f"<span>{sign}</span> {text}", style=style, aria_label=text)
        depth = max(0, min(2, depth + pen.pick((0, 0, 0, 1, -1))))
    return f'{heading(pen, pen.pick((3, 4)))}<div style="width:{width}px;{edge}">{rows}</div>'


def date_field(pen: Pen) -> str:
    """A field with the button that opens its calendar or list, joined or just beside it."""
    field = text_input(pen, kind="text")
    sign = pen.icon(pen.between(13, 18), pen.pick(("calendar", "clock", "down", "search", "eye")))
    opener = pen.ui(
        "icon-button", "button", sign, cls="" if pen.theme.raw else pen.pick(("btn", "ib")), aria_label="open"
    )
    joined = "group" if pen.chance(0.5) and not pen.theme.raw else ""
    return f'<div style="margin:8px 0"><label>{pen.words.field()}:</label> <span class="{joined}">{field}{opener}</span></div>'


def alert_bar(pen: Pen) -> str:
    """A bar as high as its icons' boxes, which carry counts, and a person's name: the boxes show only by what is in them."""
    high, wide = pen.between(48, 76), pen.between(36, 56)
    entry = f"height:{high}px;width:{wide}px;display:inline-flex;align-items:center;justify-content:center;position:relative;border:0;background:none;color:var(--muted)"
    cells = ""
    for name in pen.rng.sample(("bell", "mail", "chat", "gear", "cart", "globe", "help"), pen.between(2, 4)):
        count = f'<span style="position:absolute;top:{pen.between(15, 32)}%;left:52%;background:var(--danger);color:#fff;border-radius:4px;font-size:10px;padding:0 3px">{pen.between(1, 12)}{pen.pick(("", "+"))}</span>'
        inner = pen.icon(pen.between(14, 20), name) + (count if pen.chance(0.6) else "")
        cells += pen.ui("icon-button", pen.pick(("a", "button")), inner, style=entry, aria_label=name)
    words = "".join(
        pen.ui(
            "link",
            "a",
            pen.words.nav().upper() if caps else pen.words.nav(),
            style=f"padding:{pen.between(0, 12)}px {pen.between(6, 16)}px;{'letter-spacing:.06em;font-weight:700' if caps else ''}",
        )
        for caps in (pen.chance(0.5),) * pen.between(0, 5)
    )
    return f'<header style="display:flex;align-items:center;height:{high}px;background:var(--panel);border-bottom:1px solid var(--line);padding:0 16px"><span class="grow">{words}</span>{cells}</header>'


def topic_card(pen: Pen) -> str:
    """A card whose head is a coloured title (not to be pressed) with a tiny menu at its end."""
    menu = icon_button(pen, pen.pick(("dots-v", "dots", "gear")), pen.between(10, 15))
    body = pen.pick(
        (
            f"<p>{pen.words.prose(1, 2)}</p>",
            f"<p>{pen.words.sentence()} {link(pen)}</p>{badge(pen)}",
            button(pen),
            select(pen),
        )
    )
    return f'<div class="card" style="border:1px solid var(--line);max-width:{pen.between(260, 700)}px"><div class="h row between" style="color:var(--accent);font-weight:700;padding:12px 16px">{pen.words.title(1, 3)}{menu if pen.chance(0.75) else ""}</div><div class="b" style="padding:14px">{body}</div></div>'
