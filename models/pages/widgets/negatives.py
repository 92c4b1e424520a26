"""What looks like a control and is none: coloured, underlined or bold text, code, badges, charts, swatches, pictures.

Used by every layout. Nothing here goes through `Pen.ui`: the detector must learn to leave it alone.
"""

import math

from models.pages.colors import hsl
from models.pages.pen import Pen


def emphasis(pen: Pen) -> str:
    """Words in a text that are coloured, underlined, bold, italic, marked or code, and no link."""
    text = pen.words.phrase(1, 3)
    # In the colour of the links it would be a link to every eye, unless links are underlined here.
    tinted = "color:var(--accent)" if pen.theme.link_style == "underlined" else "color:var(--warn)"
    style = pen.pick(
        (
            tinted,
            "color:var(--danger)",
            "color:var(--good);font-weight:700",
            "text-decoration:underline dotted",
            "font-weight:700",
            "font-style:italic",
            "background:#ffef9e;color:#222",
            "color:var(--second)",
        )
    )
    return pen.pick(
        (
            f'<span style="{style}">{text}</span>',
            f"<b>{text}</b>",
            f"<code>{text}</code>",
            f'<code style="color:{pen.pick(("#b03020", "var(--danger)", "var(--second)"))}">{text}</code>',
            f"<kbd style='border:1px solid var(--line);border-radius:3px;padding:0 4px'>{pen.pick(('Ctrl', 'Shift', 'Alt', 'Esc', 'F5'))}</kbd>",
        )
    )


def badge(pen: Pen) -> str:
    """A small filled label."""
    return f'<span class="badge">{pen.pick((pen.words.noun(), pen.words.number(), "new", "beta"))}</span>'


def avatar(pen: Pen, size_px: int | None = None) -> str:
    """A round picture of a person, or initials."""
    size = size_px or pen.between(22, 56)
    if pen.chance(0.5):
        return f'<span class="av" style="width:{size}px;height:{size}px">{pen.words.person()[0]}{pen.words.person()[0]}</span>'
    return f'<span class="av" style="width:{size}px;height:{size}px;overflow:hidden">{picture(pen, size, size)}</span>'


def picture(pen: Pen, width_px: int, height_px: int) -> str:
    """A drawn photograph: sky, hills, sun, or plain shapes."""
    hue = pen.rng.uniform(0, 360)
    shapes = f'<rect width="100" height="100" fill="{hsl(hue, 0.5, 0.7)}"/>'
    for _ in range(pen.between(2, 6)):
        color = hsl(hue + pen.rng.uniform(-90, 90), pen.rng.uniform(0.2, 0.8), pen.rng.uniform(0.2, 0.85))
        if pen.chance(0.5):
            shapes += f'<circle cx="{pen.between(0, 100)}" cy="{pen.between(0, 100)}" r="{pen.between(5, 40)}" fill="{color}"/>'
        else:
            points = " ".join(f"{pen.between(-10, 110)},{pen.between(0, 110)}" for _ in range(pen.between(3, 5)))
            shapes += f'<polygon points="{points}" fill="{color}"/>'
    return f'<svg width="{width_px}" height="{height_px}" viewBox="0 0 100 100" preserveAspectRatio="none" style="display:block;max-width:100%">{shapes}</svg>'


def line_chart(pen: Pen) -> str:
    """A line or area chart with axis numbers and dots."""
    width, height, count = pen.between(220, 620), pen.between(100, 300), pen.between(4, 14)
    top = [pen.rng.uniform(0.1, 0.95) for _ in range(count)]
    points = [(40 + i * (width - 50) / (count - 1), 10 + (height - 30) * (1 - value)) for i, value in enumerate(top)]
    path = "L".join(f"{x:.0f} {y:.0f}" for x, y in points)
    grid = "".join(
        f'<path d="M40 {y}H{width - 8}" stroke="var(--line)"/><text x="4" y="{y + 4}" font-size="11" fill="var(--muted)">{pen.words.number()}</text>'
        for y in range(14, height - 20, pen.between(28, 60))
    )
    dots = (
        "".join(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{pen.between(2, 5)}" fill="var(--accent)"/>' for x, y in points)
        if pen.chance(0.5)
        else ""
    )
    area = f'<path d="M{path}V{height - 18}H40Z" fill="var(--accent)" opacity=".15"/>' if pen.chance(0.5) else ""
    return f'<svg width="{width}" height="{height}" style="max-width:100%">{grid}{area}<path d="M{path}" fill="none" stroke="var(--accent)" stroke-width="{pen.pick((1, 2, 3))}"/>{dots}</svg>'


def bar_chart(pen: Pen) -> str:
    """Bars, upright or lying."""
    width, height, count = pen.between(180, 520), pen.between(90, 240), pen.between(4, 16)
    step = (width - 20) / count
    bars = "".join(
        f'<rect x="{10 + i * step:.0f}" y="{height - 16 - (h := pen.between(8, height - 24))}" width="{step * 0.7:.0f}" height="{h}" fill="{pen.pick(("var(--accent)", "var(--accent)", "var(--second)"))}" rx="{pen.pick((0, 0, 3))}"/>'
        for i in range(count)
    )
    return f'<svg width="{width}" height="{height}" style="max-width:100%">{bars}<path d="M6 {height - 15}H{width - 4}" stroke="var(--strong)"/></svg>'


def ring_chart(pen: Pen) -> str:
    """A ring or pie with a legend of coloured dots."""
    size, start, parts = pen.between(80, 220), 0.0, ""
    shares = [pen.rng.uniform(0.5, 3) for _ in range(pen.between(2, 6))]
    colors = [hsl(pen.rng.uniform(0, 360), 0.6, 0.5) for _ in shares]
    for share, color in zip(shares, colors, strict=True):
        end = start + share / sum(shares) * 2 * math.pi
        xs = (50 + 40 * math.cos(start), 50 + 40 * math.sin(start), 50 + 40 * math.cos(end), 50 + 40 * math.sin(end))
        parts += f'<path d="M{xs[0]:.1f} {xs[1]:.1f}A40 40 0 {int(end - start > math.pi)} 1 {xs[2]:.1f} {xs[3]:.1f}" fill="none" stroke="{color}" stroke-width="{pen.pick((10, 16, 22))}"/>'
        start = end
    legend = " ".join(
        f'<span style="white-space:nowrap"><i style="display:inline-block;width:9px;height:9px;border-radius:9px;background:{color}"></i> {pen.words.noun()}</span>'
        for color in colors
    )
    return f'<div><svg width="{size}" height="{size}" viewBox="0 0 100 100">{parts}</svg><div class="mut" style="font-size:.85em">{legend}</div></div>'


def stat_card(pen: Pen) -> str:
    """A figure with its caption, an icon and perhaps a bar."""
    icon = f'<span class="ic-box">{pen.icon(pen.between(18, 38))}</span>' if pen.chance(0.6) else ""
    caption = f'<div style="font-size:.8em;{pen.pick(("", "text-transform:uppercase;font-weight:700;color:var(--accent)", "color:var(--muted)"))}">{pen.words.nav()}</div>'
    figure = f'<div style="font-size:{pen.rng.uniform(1.2, 2.2):.1f}em;font-weight:700">{pen.pick((pen.words.money(), pen.words.number()))}</div>'
    tail = pen.pick(
        (
            "",
            f'<div class="prog" style="margin-top:6px"><i style="width:{pen.between(5, 95)}%"></i></div>',
            f'<div style="color:var(--good);font-size:.8em">+{pen.between(1, 30)}% {pen.words.phrase(1, 2)}</div>',
        )
    )
    return f'<div class="card" style="border-radius:6px"><div class="b row between"><div>{caption}{figure}{tail}</div>{icon}</div></div>'


def swatches(pen: Pen) -> str:
    """A colour scale to look at."""
    size = pen.between(14, 46)
    cells = "".join(
        f'<span style="display:inline-block;width:{size}px;height:{size}px;background:{hsl(pen.rng.uniform(0, 360), 0.6, 0.55)};margin:2px"></span>'
        for _ in range(pen.between(4, 10))
    )
    return f"<div>{cells}</div>"


def code_block(pen: Pen) -> str:
    """Source text with coloured words; none of it is a link."""
    names = [pen.words.noun() if pen.words.language == "en" else "value" for _ in range(4)]
    lines = []
    for _ in range(pen.between(3, 14)):
        indent = "&nbsp;" * 4 * pen.between(0, 2)
        name, other = pen.pick(names), pen.pick(names)
        lines.append(
            indent
            + pen.pick(
                (
                    f'<span style="color:#b5399b">def</span> {name}({other}):',
                    f'{name} = <span style="color:#2a8a4a">"{other}"</span>',
                    f'<span style="color:#b5399b">return</span> {name} + <span style="color:#c2631c">{pen.between(0, 99)}</span>',
                    f'<span style="color:#888"># {pen.words.phrase(2, 5)}</span>',
                    f'<span style="color:#2f6fd0">{name}</span>.{other}()',
                    f"$ {name} --{other} {pen.between(1, 9)}",
                    "",
                )
            )
        )
    return '<div class="code">' + "\n".join(lines) + "</div>"


def note(pen: Pen) -> str:
    """A box with a remark, without anything to press."""
    icon = pen.icon(18, pen.pick(("info", "warning", "check", "bell"))) if pen.chance(0.6) else ""
    return f'<div class="note" style="margin:6px 0">{icon} {pen.words.sentence()}</div>'


def heading(pen: Pen, level: int = 2) -> str:
    """A heading, in three of ten cases coloured like a link."""
    color = ' style="color:var(--accent)"' if pen.chance(0.3) else ""
    icon = pen.icon() + " " if pen.chance(0.12) else ""
    return f"<h{level}{color}>{icon}{pen.words.title()}</h{level}>"


def illustration(pen: Pen) -> str:
    """A picture with a caption, or a big icon in a circle."""
    if pen.chance(0.5):
        return f'<figure style="margin:8px 0">{picture(pen, pen.between(120, 480), pen.between(80, 260))}<figcaption class="mut">{pen.words.phrase(2, 6)}</figcaption></figure>'
    return f'<div style="padding:12px"><span class="ic-box" style="border-radius:99px;padding:16px">{pen.icon(pen.between(28, 72))}</span></div>'
