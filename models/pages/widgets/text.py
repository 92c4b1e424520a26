"""Running text with links in it, lists of links, crumbs, footers, questions that unfold, comments, search results.

Used by the layouts. Links in prose break over lines; the truth script makes one box per line of text.
"""

from models.pages.pen import IGNORE, Pen
from models.pages.widgets.controls import button, icon_button, link, search_field
from models.pages.widgets.negatives import avatar, badge, emphasis, heading, picture


def paragraph(pen: Pen) -> str:
    """A paragraph: sentences, some words emphasised, some links (also long ones)."""
    parts = []
    links = pen.pick((0.0, 0.15, 0.3, 0.6))
    for _ in range(pen.between(1, 5)):
        parts.append(pen.words.sentence())
        if pen.chance(links):
            parts.append(link(pen, pen.words.phrase(1, 9) if pen.chance(0.2) else None) + pen.pick((".", ",", "")))
        if pen.chance(0.25):
            parts.append(emphasis(pen))
        if pen.chance(0.02):
            parts.append(
                pen.ui(
                    IGNORE, "a", pen.words.phrase(1, 3), style="color:inherit;text-decoration:none;font-weight:inherit"
                )
            )
    return f"<p>{' '.join(parts)}</p>"


def article(pen: Pen) -> str:
    """Headings and paragraphs."""
    return "".join(
        (heading(pen, pen.pick((1, 2, 2, 3))) if pen.chance(0.4) else "") + paragraph(pen)
        for _ in range(pen.between(1, 4))
    )


def link_list(pen: Pen) -> str:
    """A bulleted or numbered list whose items are links, hold links, or are plain text."""
    kind = pen.between(0, 3)
    items = []
    for _ in range(pen.between(3, 9)):
        text = pen.words.title(1, 5)
        if kind == 0:
            items.append(link(pen, text))
        elif kind == 1:
            items.append(f"{link(pen, text)} – {pen.words.phrase(2, 7)}")
        elif kind == 2:
            items.append(f"{pen.words.phrase(2, 6)} {link(pen)} {pen.words.phrase(1, 4)}")
        else:
            items.append(f"<b>{text}</b>: {pen.words.phrase(2, 6)}" if pen.chance(0.4) else text)
    tag = pen.pick(("ul", "ul", "ol"))
    gap = f"margin:{pen.between(0, 8)}px 0"
    return f"<{tag}>" + "".join(f'<li style="{gap}">{item}</li>' for item in items) + f"</{tag}>"


def contents(pen: Pen) -> str:
    """The contents of a page: nested links in a column."""
    head = heading(pen, 4)
    rows = "".join(
        f'<li style="padding:{pen.between(1, 4)}px 0 {pen.between(1, 4)}px {pen.pick((0, 0, 14, 28))}px">{link(pen, pen.words.title(1, 4))}</li>'
        for _ in range(pen.between(4, 12))
    )
    return f'<div style="max-width:{pen.between(160, 280)}px">{head}<ul class="bare">{rows}</ul></div>'


def crumbs(pen: Pen) -> str:
    """A path of links; the last step is plain text."""
    gap = pen.pick((" / ", " › ", " » ", " > ", " · "))
    steps = [pen.ui("link", "a", pen.words.nav()) for _ in range(pen.between(1, 4))]
    return f'<nav class="crumbs" style="margin:6px 0">{gap.join(steps)}{gap}<span class="mut">{pen.words.nav()}</span></nav>'


def footer(pen: Pen) -> str:
    """Columns of links, or one line of them, and small print."""

    def column() -> str:
        links = "".join(
            f'<div style="padding:{pen.between(0, 5)}px 0">{pen.ui("link", "a", pen.words.nav())}</div>'
            for _ in range(pen.between(2, 6))
        )
        return f"<div>{heading(pen, 4)}{links}</div>"

    print_line = f'<p class="mut">© {pen.between(2015, 2026)} {pen.words.title(1, 3)}</p>'
    if pen.chance(0.5):
        gap = pen.pick((" | ", " · ", " &nbsp; ", " • "))
        body = gap.join(pen.ui("link", "a", pen.words.nav()) for _ in range(pen.between(3, 8))) + print_line
    else:
        body = (
            f'<div class="grid" style="grid-template-columns:repeat({(n := pen.between(2, 5))},1fr)">'
            + "".join(column() for _ in range(n))
            + "</div>"
            + print_line
        )
    return f'<footer class="foot" style="padding:16px;background:{pen.pick(("var(--sunk)", "transparent", "var(--panel)"))}">{body}</footer>'


def questions(pen: Pen) -> str:
    """An accordion: rows that unfold, one of them open."""
    if pen.theme.raw or pen.chance(0.3):
        return "".join(
            f"<details {'open' if pen.chance(0.3) else ''}>{pen.ui('button', 'summary', pen.words.title(2, 6))}{paragraph(pen)}</details>"
            for _ in range(pen.between(2, 5))
        )
    opened = pen.between(0, 4)
    edge = pen.pick(
        (
            "border-bottom:1px solid var(--line)",
            "border:1px solid var(--line);margin-bottom:6px;border-radius:6px",
            "background:var(--sunk);margin-bottom:2px",
        )
    )
    left, rows = pen.chance(0.3), ""
    pad = pen.between(5, 16)
    for index in range(pen.between(3, 6)):
        sign = pen.icon(16, pen.pick(("up", "minus")) if index == opened else pen.pick(("down", "down")))
        text = f"<span>{pen.words.title(2, 6)}</span>"
        head = pen.ui(
            "button",
            "div",
            sign + text if left else text + sign,
            style=f"display:flex;gap:10px;align-items:center;padding:{pad}px;{'' if left else 'justify-content:space-between'}",
        )
        rows += f'<div style="{edge}">{head}{pen.box("", paragraph(pen), f"padding:0 {pad}px") if index == opened else ""}</div>'
    return rows


def comments(pen: Pen) -> str:
    """What people wrote, each with small actions below."""
    out = ""
    for _ in range(pen.between(2, 4)):
        acts = " · ".join(
            pen.ui("link", "a", text, cls="lnk", style="font-size:.85em")
            for text in ("Reply", "Report", "Like")[: pen.between(1, 3)]
        )
        icons = "".join(icon_button(pen, name, 15) for name in ("heart", "chat", "share", "dots")[: pen.between(1, 4)])
        name = link(pen, pen.words.person()) if pen.chance(0.5) else f"<b>{pen.words.person()}</b>"
        out += f'<div class="row" style="align-items:flex-start;margin:10px 0;flex-wrap:nowrap">{avatar(pen)}<div>{name} <span class="mut">{pen.words.date()}</span><p style="margin:3px 0">{pen.words.prose(1, 2)}</p>{icons if pen.chance(0.5) and not pen.theme.raw else acts}</div></div>'
    return out


def search_results(pen: Pen) -> str:
    """Titles that are links, an address line, a snippet with bold words."""
    out = search_field(pen) if pen.chance(0.6) else ""
    out += f'<p class="mut">{pen.words.number()} {pen.words.phrase(1, 3)}</p>'
    for _ in range(pen.between(3, 7)):
        title = pen.ui(
            "link", "a", pen.words.title(3, 8), cls="lnk", style=f"font-size:{pen.pick(('1em', '1.15em', '1.3em'))}"
        )
        address = f'<div style="color:var(--good);font-size:.85em">example.org › {pen.words.noun()}</div>'
        above = pen.chance(0.5)
        out += f'<div style="margin:{pen.between(8, 20)}px 0;max-width:640px">{address if above else ""}{title}{"" if above else address}<div>{pen.words.sentence()} <b>{pen.words.noun()}</b> {pen.words.sentence()}</div></div>'
    return out


def hero(pen: Pen) -> str:
    """A big title, a sentence and one or two buttons."""
    align = pen.pick(("left", "center"))
    acts = button(pen, "p l") + " " + (button(pen, "l") if pen.chance(0.7) else link(pen))
    ground = pen.pick(
        ("", "background:var(--sunk)", "background:linear-gradient(120deg,var(--accent),var(--second));color:#fff")
    )
    return f'<section style="text-align:{align};padding:{pen.between(20, 70)}px 24px;{ground}"><h1>{pen.words.title(2, 6)}</h1><p>{pen.words.sentence()}</p><div class="row" style="justify-content:{align}">{acts}</div></section>'


def post_cards(pen: Pen) -> str:
    """Cards of a blog or news page: picture, title that may be a link, words, a read-more link."""
    width = pen.between(180, 340)
    cards = ""
    for _ in range(pen.between(2, 6)):
        title = pen.words.title(2, 6)
        head = f"<h3>{link(pen, title) if pen.chance(0.5) else title}</h3>"
        more = pen.pick((link(pen, "Read more"), button(pen, "s"), "", link(pen)))
        image = picture(pen, 400, pen.between(60, 170)) if pen.chance(0.6) else ""
        cards += f'<div class="card" style="border:1px solid var(--line)">{image}<div class="b" style="padding:10px">{badge(pen) if pen.chance(0.3) else ""}{head}<p>{pen.words.sentence()}</p>{more}</div></div>'
    return f'<div class="grid" style="grid-template-columns:repeat(auto-fill,minmax({width}px,1fr))">{cards}</div>'
