"""Forms: rows of fields with labels, logins, settings, filters, choices, uploads, wizards, inspectors.

Used by the layouts. Labels, hints and errors are never elements.
"""

from models.pages.pen import Pen
from models.pages.widgets.controls import (
    any_field,
    button,
    checkbox,
    chip,
    icon_button,
    labelled,
    link,
    other_input,
    radio,
    select,
    slider,
    stepper,
    switch,
    text_area,
    text_input,
)
from models.pages.widgets.navigation import steps
from models.pages.widgets.negatives import heading, note


def field_row(pen: Pen, *, wide: bool = False, way: int | None = None) -> str:
    """A field with its label above, on the left, or within (none)."""
    name, field = pen.words.field(), any_field(pen, wide=wide)
    star = '<span style="color:var(--danger)">*</span>' if pen.chance(0.15) else ""
    hint = f'<div class="hint">{pen.words.phrase(3, 8)}</div>' if pen.chance(0.12) else ""
    wrong = (
        f'<div style="color:var(--danger);font-size:.85em">{pen.words.phrase(2, 5)}</div>' if pen.chance(0.05) else ""
    )
    way = pen.between(0, 2) if way is None else way
    gap = pen.pick((4, 8, 12, 16))
    if way == 0:
        return f'<div style="margin:{gap}px 0"><label class="lab">{name}{star}</label>{field}{hint}{wrong}</div>'
    if way == 1:
        return f'<div style="margin:{gap}px 0;display:flex;gap:10px;align-items:center"><label style="width:{pen.pick((90, 120, 160))}px;flex:none">{name}{star}</label>{field}</div>'
    return f'<p style="margin:{gap}px 0"><label>{name}: {field}</label>{hint}</p>'


def form(pen: Pen) -> str:
    """A form in one or two columns with its buttons."""
    way, columns = pen.between(0, 2), pen.pick((1, 1, 2)) if not pen.theme.raw else 1
    wide = pen.chance(0.5) and not pen.theme.raw
    rows = pen.join(2, 9, lambda: choices(pen) if pen.chance(0.15) else field_row(pen, wide=wide, way=way))
    body = (
        f'<div class="grid" style="grid-template-columns:repeat({columns},minmax(0,1fr));gap:0 20px">{rows}</div>'
        if columns > 1
        else rows
    )
    acts = pen.join(1, 3, lambda: button(pen), " ")
    frame = pen.pick(("card", "", "fieldset"))
    inner = (
        (heading(pen, 3) if pen.chance(0.5) else "")
        + body
        + f'<div style="margin-top:10px;text-align:{pen.pick(("left", "right"))}">{acts}</div>'
    )
    width = f"max-width:{pen.between(360, 820)}px"
    if frame == "fieldset":
        return f'<fieldset style="{width}"><legend>{pen.words.title(1, 3)}</legend>{inner}</fieldset>'
    return f'<form style="{width}" class="{frame}">{pen.box("b", inner) if frame else inner}</form>'


def choices(pen: Pen) -> str:
    """A group of radios or check boxes, below or beside each other."""
    single = pen.chance(0.5)
    chosen = pen.between(0, 3)
    items = [
        labelled(pen, radio(pen, on=index == chosen) if single else checkbox(pen)) for index in range(pen.between(2, 6))
    ]
    down = pen.chance(0.6)
    gap = pen.between(1, 10)
    body = (
        "".join(f'<div style="margin:{gap}px 0">{item}</div>' for item in items)
        if down
        else f'<div class="row" style="gap:{8 + gap}px">{"".join(items)}</div>'
    )
    if pen.chance(0.25):
        return f"<fieldset><legend>{pen.words.field()}</legend>{body}</fieldset>"
    return f'<div style="margin:8px 0">{pen.pick(("", f"<div class=lab>{pen.words.field()}</div>"))}{body}</div>'


def login(pen: Pen) -> str:
    """Sign-in or registration: few wide fields, one wide button, links below, other providers."""
    new = pen.chance(0.4)

    def field(kind: str) -> str:
        name = pen.words.field()
        box = text_input(pen, wide=not pen.theme.raw, kind=kind)
        return (
            f'<div style="margin:{pen.pick((6, 10, 14))}px 0"><label class="lab">{name}</label>{box}</div>'
            if label
            else f'<div style="margin:{pen.pick((6, 10, 14))}px 0">{box}</div>'
        )

    label = pen.chance(0.6)
    kinds = ["text", "text"] * new + ["email", "password"] + ["password"] * new
    out = f'<div style="text-align:{pen.pick(("left", "center"))}">{pen.icon(pen.between(30, 60)) if pen.chance(0.4) else ""}{heading(pen, pen.pick((1, 2, 3)))}</div>'
    out += "".join(field(kind) for kind in kinds)
    if pen.chance(0.6):
        out += f'<div class="row between" style="margin:8px 0">{labelled(pen, checkbox(pen))}{link(pen, "Forgot password?") if pen.chance(0.6) else ""}</div>'
    out += f'<div style="margin:10px 0">{button(pen, "p w", pen.pick(("Sign in", "Log in", "Create account", "Register", pen.words.label())))}</div>'
    if pen.chance(0.5):
        out += '<div class="mut" style="text-align:center;margin:8px 0">or</div>' + "".join(
            f'<div style="margin:6px 0">{button(pen, "w", "Continue with " + pen.words.title(1, 1))}</div>'
            for _ in range(pen.between(1, 3))
        )
    out += (
        f'<div style="text-align:center;margin-top:10px">{pen.words.phrase(2, 4)} {link(pen)}</div>'
        if pen.chance(0.8)
        else ""
    )
    if pen.chance(0.3):
        out += "<hr>" + "".join(
            f'<div style="text-align:center;margin:4px">{pen.ui("link", "a", pen.words.phrase(2, 4), cls="lnk", style="font-size:.85em")}</div>'
            for _ in range(2)
        )
    return f'<form class="card" style="width:{pen.between(280, 480)}px;max-width:100%"><div class="b" style="padding:{pen.between(14, 44)}px">{out}</div></form>'


def settings(pen: Pen) -> str:
    """Rows with a name on the left and a control on the right end."""
    rows = ""
    kind = pen.pick(("switch", "mixed", "mixed"))
    for _ in range(pen.between(3, 8)):
        control = (
            switch(pen) if kind == "switch" else pen.draw(switch, switch, select, button, checkbox, slider, stepper)
        )
        text = f"<div><div>{pen.words.field()}</div>{f'<div class=hint>{pen.words.phrase(3, 9)}</div>' if pen.chance(0.5) else ''}</div>"
        icon = pen.icon(18) if pen.chance(0.25) else ""
        rows += f'<div class="row between" style="padding:{pen.between(5, 14)}px 0;border-bottom:{pen.pick(("1px solid var(--line)", "0"))};flex-wrap:nowrap"><span class="row" style="flex-wrap:nowrap">{icon}{text}</span>{control}</div>'
    return f'<div class="card" style="max-width:{pen.between(380, 900)}px"><div class="b">{heading(pen, 3)}{rows}</div></div>'


def filters(pen: Pen) -> str:
    """A column that narrows a list: check boxes with counts, price fields, chips, sliders."""
    groups = ""
    for _ in range(pen.between(1, 4)):
        body = pen.between(0, 4)
        if body == 0:
            inner = "".join(
                f'<div class="row between" style="margin:3px 0">{labelled(pen, checkbox(pen))}<span class="mut">{pen.between(1, 400)}</span></div>'
                for _ in range(pen.between(3, 7))
            )
        elif body == 1:
            inner = f'<div class="row">{pen.ui("textbox", "input", placeholder="Min", cls="inp", style="width:70px")} – {pen.ui("textbox", "input", placeholder="Max", cls="inp", style="width:70px")}{button(pen, "s", "Go")}</div>'
        elif body == 2:
            inner = slider(pen)
        elif body == 3:
            inner = f'<div class="row">{pen.join(3, 8, lambda: chip(pen))}</div>'
        else:
            inner = choices(pen)
        groups += f'<div style="margin:10px 0">{heading(pen, 4)}{inner}</div>'
    return (
        f'<div style="width:{pen.between(170, 280)}px;flex:none">{groups}{button(pen) if pen.chance(0.4) else ""}</div>'
    )


def filter_bar(pen: Pen) -> str:
    """Fields and selects in one row over a list."""
    parts = pen.join(
        2,
        5,
        lambda: pen.pick((select, text_input, select, chip, button, other_input if pen.chance(0.1) else select))(pen),
        " ",
    )
    return f'<div class="row" style="margin:8px 0">{parts}{icon_button(pen, "filter") if pen.chance(0.3) else ""}</div>'


def upload(pen: Pen) -> str:
    """A dashed area to drop files in, with a link or button inside."""
    act = pen.pick((link(pen, "browse"), button(pen, "", "Choose file"), link(pen)))
    files = "".join(
        f'<div class="li">{pen.icon(16, "file")}<span class="grow">{pen.words.file()}</span>{icon_button(pen, pen.pick(("close", "trash")))}</div>'
        for _ in range(pen.between(0, 3))
    )
    return f'<div style="border:2px dashed var(--strong);border-radius:8px;padding:22px;text-align:center;max-width:520px">{pen.icon(32, "upload")}<div>{pen.words.phrase(2, 4)} {act}</div></div>{files}'


def wizard(pen: Pen) -> str:
    """Steps, some fields, back and next."""
    fields = pen.join(2, 4, lambda: field_row(pen))
    return f'{steps(pen)}{fields}<div class="row between" style="max-width:560px">{button(pen, "", "Back")}{button(pen, "p", "Next")}</div>'


def inspector(pen: Pen) -> str:
    """A dense panel of properties: tiny fields in pairs, icon toggles, colour wells."""
    rows = ""
    for _ in range(pen.between(3, 8)):
        kind = pen.between(0, 4)
        if kind == 0:
            pair = "".join(
                f'<label class="mut" style="font-size:11px">{letter} {pen.ui("textbox", "input", type="text", value=pen.between(0, 999), cls="inp", style="width:58px;font-size:12px;padding:2px 4px")}</label>'
                for letter in pen.pick(("XY", "WH", "RS"))
            )
            rows += f'<div class="row" style="margin:4px 0">{pair}</div>'
        elif kind == 1:
            rows += f'<div class="row" style="gap:2px;margin:4px 0">{"".join(icon_button(pen, name, 14) for name in ("align-left", "align-center", "align-right", "bold", "italic"))}</div>'
        elif kind == 2:
            rows += f'<div class="row between" style="margin:4px 0;font-size:12px"><span>{pen.words.field()}</span>{select(pen)}</div>'
        elif kind == 3:
            rows += f'<div style="margin:4px 0;font-size:12px">{labelled(pen, checkbox(pen))}</div>'
        else:
            rows += f'<div class="row" style="margin:4px 0;font-size:12px"><span>{pen.words.field()}</span>{slider(pen)}</div>'
    return f'<div class="card" style="width:{pen.between(190, 280)}px;flex:none"><div class="b" style="padding:8px">{heading(pen, 4)}{rows}</div></div>'


def dialog(pen: Pen) -> str:
    """A window with a question or a small form, a cross and buttons."""
    cross = icon_button(pen, "close", 16) if pen.chance(0.7) else ""
    body = pen.draw(
        lambda it: f"<p>{it.words.prose(1, 2)}</p>",
        lambda it: it.join(1, 3, lambda: field_row(it, wide=True, way=0)),
        choices,
        note,
    )
    acts = pen.join(1, 3, lambda: button(pen), " ")
    return f'<div class="dlg" style="width:{pen.between(260, 560)}px;max-width:96vw"><div class="row between"><h3>{pen.words.title(1, 4)}</h3>{cross}</div>{body}<div style="text-align:{pen.pick(("right", "right", "center", "left"))};margin-top:12px">{acts}</div></div>'


def compose(pen: Pen) -> str:
    """A box to write in with tools and a send button."""
    tools = "".join(
        icon_button(pen, name, 16) for name in ("bold", "italic", "link", "image", "list")[: pen.between(0, 5)]
    )
    return f'<div class="card" style="max-width:640px"><div class="b">{text_area(pen)}<div class="row between">{f"<span class=row>{tools}</span>"}{button(pen, "p")}</div></div></div>'
