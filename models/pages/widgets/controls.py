"""Single controls: buttons, icon buttons, links, fields, choices, sliders. Each function draws one as HTML.

Used by the other widgets. What counts as an element goes through `Pen.ui`; labels and captions do not.
"""

from models.pages import icons
from models.pages.pen import Pen


def button(pen: Pen, kind: str = "", text: str | None = None) -> str:
    """A push button, as <button>, <input> or a link that looks like one."""
    text = text or pen.words.label()
    if pen.theme.raw:
        if pen.chance(0.25):
            return pen.ui("button", "input", type=pen.pick(("button", "submit", "reset")), value=text)
        return pen.ui("button", "button", (pen.icon(14) if pen.chance(0.08) else "") + text, disabled=pen.chance(0.06))
    kind = kind or pen.pick(
        ("", "", "p", "p", "p", "d", "g", "s", "s p", "l p", "k1", "k2", "k3", "k4", "k5", "s k1", "s k3")
    )
    inner = text
    if pen.chance(0.3):
        inner = pen.icon() + f"<span>{text}</span>" if pen.chance(0.75) else f"<span>{text}</span>" + pen.icon()
    tag = pen.pick(("button", "button", "a"))
    return pen.ui("button", tag, inner, cls=f"btn {kind}", disabled=tag == "button" and pen.chance(0.04))


def icon_button(pen: Pen, name: str | None = None, size_px: float | None = None) -> str:
    """A button that shows only an icon, sometimes with a small count on it."""
    size = size_px or pen.theme.font_px * pen.rng.uniform(0.8, 1.5)
    inner = pen.icon(size, name)
    if pen.chance(0.08):
        inner += f'<span class="badge" style="position:absolute;top:-2px;right:-4px;font-size:9px">{pen.between(1, 12)}</span>'
    style = "position:relative" if "absolute" in inner else ""
    tag = pen.pick(("button", "button", "a"))
    return pen.ui("icon-button", tag, inner, cls="" if pen.theme.raw else "ib", style=style, aria_label=name or "icon")


def link(pen: Pen, text: str | None = None) -> str:
    """A link in running text or alone."""
    return pen.ui("link", "a", text or pen.words.phrase(1, 4), cls="lnk")


def text_input(pen: Pen, *, wide: bool = False, kind: str | None = None) -> str:
    """A one-line field: empty, with a placeholder or filled."""
    words = pen.words
    kind = kind or pen.pick(
        (
            "text",
            "text",
            "text",
            "email",
            "password",
            "search",
            "number",
            "date",
            "tel",
            "time",
            "datetime-local",
            "month",
        )
    )
    filled, hint = pen.chance(0.35), pen.chance(0.5)
    value = ""
    if kind in ("text", "search"):
        value = words.phrase(1, 3) if filled else ""
    elif kind == "email":
        value = words.email() if filled else ""
    elif kind == "password":
        value = "secret-words"[: pen.between(5, 12)] if filled else ""
    elif kind == "number":
        value = str(pen.between(0, 500)) if filled or pen.chance(0.4) else ""
    width = "" if wide or pen.chance(0.35) else f"width:{pen.between(60, 340)}px"
    placeholder = (
        pen.pick((words.field(), words.label() + "...", words.email(), words.phrase(2, 4)))
        if hint and not value
        else ""
    )
    css = "inp" + (" w" if wide else "") + (" foc" if pen.chance(0.05) else "")
    return pen.ui(
        "textbox",
        "input",
        type=kind,
        value=value,
        placeholder=placeholder,
        cls=css,
        style=width,
        disabled=pen.chance(0.04),
    )


def search_field(pen: Pen) -> str:
    """A search box with an icon in it, or joined to a button."""
    kind = pen.pick(("search", "text"))
    field = pen.ui(
        "textbox",
        "input",
        type=kind,
        placeholder=pen.pick(("Search", "Search...", "Find anything", pen.words.label())),
        cls="inp",
        style=f"width:{pen.between(110, 420)}px",
    )
    if pen.theme.raw:
        return field + " " + (button(pen, text="Search") if pen.chance(0.6) else "")
    way = pen.between(0, 3)
    if way == 0:
        return f'<span class="fw">{pen.icon(None, "search")}{field}</span>'
    if way == 1:
        return f'<span class="group">{field}{pen.ui("icon-button", "button", pen.icon(16, "search"), cls="btn p", aria_label="search")}</span>'
    if way == 2:
        return f'<span class="group">{field}{button(pen, "p", "Search")}</span>'
    return field


def prefixed(pen: Pen) -> str:
    """A field with a sign or unit joined to it; the sign is no element."""
    field = pen.ui(
        "textbox",
        "input",
        type="text",
        placeholder=pen.words.field() if pen.chance(0.5) else "",
        cls="inp",
        style=f"width:{pen.between(80, 260)}px",
    )
    sign = f'<span class="pre">{pen.pick(("@", "$", "€", "%", "kg", ".com", "https://", pen.icon(16)))}</span>'
    tail = button(pen, pen.pick(("", "p"))) if pen.chance(0.2) else ""
    return (
        f'<span class="group">{sign}{field}{tail}</span>'
        if pen.chance(0.7)
        else f'<span class="group">{field}{sign}</span>'
    )


def split_button(pen: Pen) -> str:
    """A button with an arrow button joined to it, a row of coloured ones, or round ones with icons."""
    way = pen.between(0, 3)
    if way == 0:
        kind = pen.pick(("p", "", "k1", "k3"))
        return f'<span class="group">{button(pen, kind)}{pen.ui("icon-button", "button", pen.icon(14, "down"), cls=f"btn {kind}", aria_label="more")}</span>'
    if way == 1:
        return f'<div class="row">{pen.join(3, 6, lambda: button(pen, pen.pick(("p", "d", "k1", "k2", "k3", "k4", "k5"))))}</div>'
    if way == 2:
        return f'<span class="group">{pen.join(2, 5, lambda: button(pen, ""))}</span>'
    return f'<div class="row">{"".join(pen.ui("icon-button", pen.pick(("a", "button")), pen.icon(16), cls=f"btn o {kind}", aria_label="act") for kind in pen.rng.sample(("p", "d", "k1", "k2", "k3", "k4"), pen.between(2, 6)))}</div>'


def text_area(pen: Pen) -> str:
    """A field of several lines."""
    text = pen.words.prose(1, 3) if pen.chance(0.4) else ""
    width = "100%" if pen.chance(0.5) and not pen.theme.raw else f"{pen.between(180, 520)}px"
    return pen.ui(
        "textbox",
        "textarea",
        text,
        cls="inp",
        rows=pen.between(2, 7),
        style=f"width:{width};resize:{pen.pick(('both', 'none', 'vertical'))}",
    )


def select(pen: Pen) -> str:
    """A drop-down list, closed: native, or a button with an arrow."""
    words = pen.words
    chosen = pen.pick((words.field(), words.nav(), words.phrase(1, 2), str(pen.between(5, 100))))
    if pen.theme.raw or pen.chance(0.65):
        style = f"width:{pen.between(60, 300)}px" if pen.chance(0.4) else ""
        return pen.ui(
            "combobox",
            "select",
            f"<option>{chosen}</option><option>{words.phrase(1, 3)}</option>",
            cls="inp",
            style=style,
        )
    arrow = pen.icon(14, pen.pick(("down", "down", "sort")))
    return pen.ui(
        "combobox",
        "div",
        f"<span>{chosen}</span>{arrow}",
        cls="inp",
        style=f"display:inline-flex;justify-content:space-between;align-items:center;gap:8px;width:{pen.between(80, 280)}px",
    )


def combobox(pen: Pen) -> str:
    """A field with its own arrow button; both count."""
    field = pen.ui(
        "combobox",
        "input",
        type="text",
        value=pen.words.noun() if pen.chance(0.5) else "",
        placeholder=pen.words.field(),
        cls="inp",
        style=f"width:{pen.between(90, 240)}px",
    )
    arrow = pen.ui("icon-button", "button", pen.icon(12, "down"), cls="" if pen.theme.raw else "btn", aria_label="open")
    return f'<span class="{"" if pen.theme.raw else "group"}">{field}{arrow}</span>'


def checkbox(pen: Pen, *, on: bool | None = None) -> str:
    """A check box without its label."""
    checked = pen.chance(0.45) if on is None else on
    if pen.theme.native_choices:
        zoom = f"width:{(s := pen.between(12, 22))}px;height:{s}px" if pen.chance(0.2) else ""
        return pen.ui("checkbox", "input", type="checkbox", checked=checked, style=zoom, disabled=pen.chance(0.05))
    mark = icons.svg(pen.pick(("check", "check", "minus")), 11, pen.theme.icon_manner) if checked else ""
    return pen.ui("checkbox", "span", mark, cls="chk c" if checked else "chk")


def radio(pen: Pen, *, on: bool = False) -> str:
    """A radio button without its label."""
    if pen.theme.native_choices:
        return pen.ui("radio", "input", type="radio", checked=on, name=f"r{pen.between(0, 10**9)}")
    return pen.ui("radio", "span", "", cls="rad c" if on else "rad")


def switch(pen: Pen) -> str:
    """A sliding switch; on raw pages a check box, since browsers have no switch."""
    if pen.theme.raw:
        return checkbox(pen)
    return pen.ui("switch", "span", "", cls="sw c" if pen.chance(0.5) else "sw")


def labelled(pen: Pen, control: str) -> str:
    """A choice with its text on the right, seldom on the left; the text is no element of its own."""
    text = pen.pick((pen.words.field(), pen.words.nav(), pen.words.label(), pen.words.phrase(2, 6)))
    after = pen.chance(0.87)
    space = f"margin:0 {pen.between(3, 9)}px"
    return (
        f"<label>{control} <span style='{space}'>{text}</span></label>"
        if after
        else f"<label><span style='{space}'>{text}</span> {control}</label>"
    )


def slider(pen: Pen) -> str:
    """A slider, native or drawn."""
    share = pen.between(2, 95)
    width = pen.between(80, 320)
    if pen.theme.raw or pen.chance(0.5):
        return pen.ui(
            "slider",
            "input",
            type="range",
            min=0,
            max=100,
            value=share,
            style=f"width:{width}px" if pen.chance(0.7) else "",
        )
    return pen.ui(
        "slider",
        "span",
        f'<i style="width:{share}%"></i><b style="left:calc({share}% - 7px)"></b>',
        cls="sl",
        style=f"width:{width}px;display:inline-block",
    )


def other_input(pen: Pen) -> str:
    """File choosers and colour wells."""
    if pen.chance(0.5):
        return pen.ui("other", "input", type="color", value=pen.theme.palette.accent)
    return pen.ui("other", "input", type="file", style="max-width:100%")


def stepper(pen: Pen) -> str:
    """A number between a minus and a plus button."""
    if pen.theme.raw:
        return pen.ui("textbox", "input", type="number", value=str(pen.between(1, 20)), style="width:70px")
    minus, plus = (
        pen.ui("icon-button", "button", sign if pen.chance(0.5) else pen.icon(14, name), cls="btn", aria_label=name)
        for sign, name in (("−", "minus"), ("+", "plus"))
    )
    value = str(pen.between(1, 20))
    middle = (
        pen.ui(
            "textbox",
            "input",
            type="text",
            value=value,
            cls="inp",
            style=f"width:{pen.between(36, 64)}px;text-align:center",
        )
        if pen.chance(0.7)
        else f"<span style='padding:0 10px'>{value}</span>"
    )
    return f'<span class="{pen.pick(("group", "row"))}" style="align-items:stretch">{minus}{middle}{plus}</span>'


def chip(pen: Pen) -> str:
    """A chip that can be chosen (an element), with or without a cross of its own (another)."""
    text = pen.words.noun()
    if pen.chance(0.4):
        cross = pen.ui(
            "icon-button",
            "button",
            pen.icon(11, "close"),
            style="border:0;background:transparent;padding:0;color:inherit;line-height:1",
            aria_label="remove",
        )
        return f'<span class="chipx">{text}{cross}</span>'
    return pen.ui(
        "button",
        pen.pick(("button", "a")),
        text,
        cls=f"chipx {'on' if pen.chance(0.2) else ''}",
        style="border:1px solid var(--strong);color:inherit;font:inherit",
    )


def any_field(pen: Pen, *, wide: bool = False) -> str:
    """One field of a form, whichever."""
    if pen.chance(0.5):
        return text_input(pen, wide=wide)
    others = (prefixed, select, select, select, select, text_area, combobox, stepper, slider, other_input)
    return pen.draw(*(others[1:] if pen.theme.raw else others))
