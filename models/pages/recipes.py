"""Style recipes: how buttons, fields, choices, navigation and frames may look; each draws one variant as CSS.

Used by `models.pages.theme`, which passes the page's palette (as CSS variables already) and family. Class names are the
widgets' vocabulary: btn ib inp chk rad sw tabs side bar card tb menu chipx badge.
"""

import random

Css = str


def _radius(rng: random.Random, family: str) -> int:
    return {
        "material": rng.choice((2, 4)),
        "soft": rng.choice((8, 10, 14)),
        "dense": rng.choice((0, 2)),
        "retro": 0,
        "brutal": rng.choice((0, 0, 6)),
    }.get(family, rng.choice((0, 2, 3, 4, 4, 5, 6, 8, 12)))


def button_css(rng: random.Random, family: str) -> Css:
    """Buttons: plain, primary, danger, ghost; icon buttons; sizes."""
    radius = 99 if rng.random() < 0.1 else _radius(rng, family)
    high, wide = rng.uniform(0.15, 0.85), rng.uniform(0.6, 1.7)
    case = "text-transform:uppercase;letter-spacing:.04em;" if family == "material" or rng.random() < 0.06 else ""
    weight = rng.choice((400, 400, 500, 600, 700))
    plain = {
        "flat": "background:var(--sunk);border:0",
        "material": "background:var(--sunk);border:0;box-shadow:0 1px 3px rgba(0,0,0,.35)",
        "soft": "background:color-mix(in srgb,var(--accent) 14%,var(--panel));border:0",
        "dense": "background:linear-gradient(var(--panel),var(--sunk));border:1px solid var(--strong)",
        "retro": "background:#c8c8c8;color:#000;border:2px outset #f4f4f4",
        "outline": "background:var(--panel);border:1px solid var(--strong)",
        "brutal": "background:var(--panel);border:2px solid var(--ink);box-shadow:3px 3px 0 var(--ink)",
        "underline": "background:transparent;border:0;border-bottom:2px solid var(--ink)",
        "gradient": "background:linear-gradient(var(--panel),var(--sunk));border:1px solid var(--line);box-shadow:0 1px 2px rgba(0,0,0,.2)",
    }
    looks = list(plain.values())
    base = plain.get(family, rng.choice(looks))
    primary = rng.choice(
        (
            "background:var(--accent);color:var(--on);border-color:var(--accent)",
            "background:var(--accent);color:var(--on);border:0",
            "background:linear-gradient(color-mix(in srgb,var(--accent) 75%,white),var(--accent));color:var(--on);border-color:var(--accent)",
            "background:linear-gradient(90deg,var(--accent),var(--second));color:#fff;border:0",
            "background:transparent;color:var(--accent);border:1px solid var(--accent)",
            "background:transparent;color:var(--accent);border:2px solid currentColor",
        )
    )
    ghost = rng.choice(
        (
            "background:transparent;border:0;box-shadow:none",
            "background:transparent;border:1px solid transparent;color:var(--accent);box-shadow:none",
        )
    )
    icon = rng.choice(
        (ghost, ghost, base, "background:var(--sunk);border:0", "background:transparent;border:1px solid var(--line)")
    )
    icon_pad = rng.choice((0, rng.uniform(0, 0.3), rng.uniform(0.2, 0.7)))
    icon_radius = rng.choice((radius, 99, 4))
    return (
        f".btn{{display:inline-flex;align-items:center;justify-content:center;gap:.4em;padding:{high:.2f}em {wide:.2f}em;color:var(--ink);"
        f"{base};border-radius:{radius}px;font-weight:{weight};{case}line-height:{rng.choice(('1.2', '1.4', '1.5'))};white-space:nowrap}}"
        f".btn.p{{{primary}}}.btn.d{{background:var(--danger);color:#fff}}.btn.k1{{background:var(--good);color:#fff;border-color:var(--good)}}.btn.k2{{background:var(--warn);color:#222;border-color:var(--warn)}}.btn.k3{{background:var(--second);color:#fff;border-color:var(--second)}}.btn.k4{{background:#30353c;color:#fff;border-color:#30353c}}.btn.k5{{background:var(--sunk);color:var(--ink);border-color:var(--line)}}.btn.o{{border-radius:99px;width:2.4em;height:2.4em;padding:0}}.btn.g{{{ghost}}}.btn.s{{font-size:.85em;padding:{high * 0.6:.2f}em {wide * 0.7:.2f}em}}"
        f".btn.l{{font-size:1.15em;padding:{high * 1.3:.2f}em {wide * 1.3:.2f}em}}.btn.w{{display:flex;width:100%}}.btn:disabled{{opacity:.5}}"
        f".ib{{display:inline-flex;align-items:center;justify-content:center;color:{rng.choice(('var(--ink)', 'var(--muted)', 'var(--muted)', 'var(--accent)'))};"
        f"{icon};border-radius:{icon_radius}px;padding:{icon_pad:.2f}em;line-height:1;flex:none}}"
        f".group{{display:inline-flex}}.group>*{{border-radius:0;margin-left:-1px}}.group>:first-child{{border-radius:{radius}px 0 0 {radius}px}}"
        f".group>:last-child{{border-radius:0 {radius}px {radius}px 0}}.on{{background:color-mix(in srgb,var(--accent) 25%,var(--panel))!important}}"
        f".fab{{position:fixed;right:{rng.randint(12, 40)}px;bottom:{rng.randint(12, 40)}px;width:56px;height:56px;border-radius:{rng.choice((99, 16))}px;"
        "background:var(--accent);color:var(--on);border:0;display:flex;align-items:center;justify-content:center;box-shadow:0 4px 10px rgba(0,0,0,.3)}"
    )


def field_css(rng: random.Random, family: str) -> Css:
    """Text fields, selects, text areas and their labels."""
    radius = 99 if rng.random() < 0.08 else _radius(rng, family)
    outlined = "background:var(--panel);border:1px solid var(--strong)"
    looks = {
        "material": rng.choice(
            ("background:var(--sunk);border:0;border-bottom:2px solid var(--muted);border-radius:4px 4px 0 0", outlined)
        ),
        "soft": rng.choice(("background:var(--sunk);border:0", outlined)),
        "retro": "background:#fff;color:#000;border:2px inset #ddd",
        "brutal": "background:var(--panel);border:2px solid var(--ink)",
        "underline": "background:transparent;border:0;border-bottom:1px solid var(--strong);border-radius:0",
        "gradient": "background:var(--panel);border:1px solid var(--strong);box-shadow:inset 0 1px 3px rgba(0,0,0,.15)",
    }
    any_look = rng.choice(
        (
            outlined,
            outlined,
            "background:var(--panel);border:1px solid var(--line)",
            "background:var(--sunk);border:1px solid var(--line)",
        )
    )
    look = looks.get(family, any_look)
    high, wide = rng.uniform(0.2, 0.8), rng.uniform(0.4, 1.0)
    arrow = (
        "appearance:none;background-image:linear-gradient(45deg,transparent 50%,var(--ink) 50%),linear-gradient(-45deg,transparent 50%,var(--ink) 50%);"
        "background-size:5px 5px;background-repeat:no-repeat;background-position:calc(100% - 15px) 55%,calc(100% - 10px) 55%;padding-right:2em"
    )
    return (
        f".inp{{border-radius:{radius}px;color:var(--ink);padding:{high:.2f}em {wide:.2f}em;{look};min-width:0;max-width:100%}}"
        f"textarea.inp{{border-radius:{min(radius, 10)}px}}.inp::placeholder{{color:var(--muted);opacity:{rng.choice((0.6, 0.8, 1))}}}"
        f".inp.w{{width:100%}}select.inp{{{arrow if rng.random() < 0.6 else ''}}}.inp.foc{{border-color:var(--accent);box-shadow:0 0 0 3px color-mix(in srgb,var(--accent) 30%,transparent)}}"
        f".inp:disabled{{opacity:.6}}.lab{{display:block;font-size:{rng.choice(('.85em', '.9em', '1em'))};font-weight:{rng.choice((400, 500, 600, 700))};margin-bottom:.25em;"
        f"color:{rng.choice(('var(--ink)', 'var(--muted)'))}}}.hint{{font-size:.82em;color:var(--muted)}}"
        f".fw{{position:relative;display:flex;align-items:center}}.fw>.ic,.fw>.gl{{position:absolute;left:.6em;color:var(--muted);pointer-events:none}}.fw>.inp{{padding-left:2.2em}}.pre{{display:inline-flex;align-items:center;padding:0 .7em;background:var(--sunk);border:1px solid var(--line);color:var(--muted)}}"
    )


def choice_css(rng: random.Random) -> Css:
    """Check boxes, radios and switches that are not the browser's own; sliders; stars."""
    size = rng.choice((12, 13, 14, 15, 16, 16, 18, 20, 22))
    edge = rng.choice(
        ("1px solid var(--strong)", "2px solid var(--strong)", "1px solid var(--muted)", "2px solid var(--muted)")
    )
    corner = rng.choice((0, 2, 3, 4, 5))
    on_box = rng.choice(
        (
            "background:var(--accent);border-color:var(--accent);color:var(--on)",
            "color:var(--accent);border-color:var(--accent)",
        )
    )
    high = rng.choice((14, 16, 18, 20, 22, 24, 28))
    wide = round(high * rng.uniform(1.6, 2.1))
    inset = rng.choice((-3, 2, 2, 3, 3))
    square = rng.choice((99, 99, 99, 4))
    return (
        f".chk,.rad{{display:inline-flex;align-items:center;justify-content:center;width:{size}px;height:{size}px;border:{edge};background:var(--panel);"
        f"border-radius:{corner}px;vertical-align:-.18em;flex:none;line-height:0}}.rad{{border-radius:99px}}.chk.c,.rad.c{{{on_box}}}"
        f".rad.c::after{{content:'';width:50%;height:50%;border-radius:99px;background:currentColor}}"
        f".sw{{display:inline-block;position:relative;width:{wide}px;height:{high}px;border-radius:{square}px;background:{rng.choice(('var(--strong)', 'var(--line)', 'var(--sunk)'))};"
        f"border:{rng.choice(('0', '0', '1px solid var(--strong)'))};vertical-align:middle;flex:none}}"
        f".sw::after{{content:'';position:absolute;top:{inset}px;left:{max(inset, 1)}px;width:{high - 2 * inset}px;height:{high - 2 * inset}px;border-radius:{square}px;"
        f"background:{rng.choice(('#fff', '#fff', 'var(--panel)', 'var(--ink)'))};box-shadow:0 1px 2px rgba(0,0,0,.4)}}"
        f".sw.c{{background:{rng.choice(('var(--accent)', 'var(--accent)', 'var(--good)'))}}}.sw.c::after{{left:auto;right:{max(inset, 1)}px}}"
        f".sl{{position:relative;display:block;height:{rng.randint(16, 22)}px}}.sl::before{{content:'';position:absolute;left:0;right:0;top:calc(50% - {(t := rng.choice((1, 2, 3, 4)))}px);height:{2 * t}px;"
        f"border-radius:9px;background:var(--strong)}}.sl>i{{position:absolute;left:0;top:calc(50% - {t}px);height:{2 * t}px;background:var(--accent);border-radius:9px}}"
        f".sl>b{{position:absolute;top:calc(50% - {(k := rng.randint(5, 9))}px);width:{2 * k}px;height:{2 * k}px;border-radius:{rng.choice((99, 99, 3))}px;background:{rng.choice(('var(--accent)', '#fff'))};box-shadow:0 0 2px rgba(0,0,0,.5)}}"
    )


def navigation_css(rng: random.Random) -> Css:
    """Bars, sidebars, tabs, menus, trees, lists, pages and crumbs."""
    dark_side = rng.random() < 0.4
    side = (
        rng.choice(
            (
                "background:var(--accent);color:var(--on)",
                "background:#1d2430;color:#c9d2e0",
                "background:linear-gradient(var(--accent),var(--second));color:#fff",
                "background:#2b2b2b;color:#ddd",
            )
        )
        if dark_side
        else rng.choice(
            (
                "background:var(--panel);border-right:1px solid var(--line)",
                "background:var(--sunk)",
                "background:transparent",
                "background:var(--sunk);border-right:1px solid var(--line)",
            )
        )
    )
    bar = rng.choice(
        (
            "background:var(--accent);color:var(--on)",
            "background:#20252d;color:#e4e6ea",
            "background:var(--panel);border-bottom:1px solid var(--line)",
            "background:var(--panel);box-shadow:0 2px 6px rgba(0,0,0,.12)",
            "background:var(--sunk)",
            "background:transparent",
            "background:linear-gradient(90deg,var(--accent),var(--second));color:#fff",
        )
    )
    item_pad = rng.uniform(0.15, 1.1)
    active = rng.choice(
        (
            "background:rgba(128,128,128,.22)",
            "font-weight:700",
            "border-left:3px solid var(--second)",
            "background:color-mix(in srgb,var(--accent) 20%,transparent);color:var(--accent)",
            "background:var(--second);color:#fff",
        )
    )
    pill = rng.choice((0, 0, 4, 6, 99))
    margin = rng.choice((0, 0, 4, 8))
    tab = rng.choice(
        (
            ".tabs{border-bottom:1px solid var(--line)}.tab{border-bottom:3px solid transparent}.tab.c{border-color:var(--accent);color:var(--accent)}",
            ".tabs{border-bottom:1px solid var(--line)}.tab{border:1px solid transparent;margin-bottom:-1px;border-radius:5px 5px 0 0}.tab.c{border-color:var(--line);border-bottom-color:var(--page);background:var(--page)}",
            ".tab{border-radius:99px}.tab.c{background:var(--accent);color:var(--on)}",
            ".tabs{background:var(--sunk);border-radius:8px;padding:3px;display:inline-flex}.tab{border-radius:6px}.tab.c{background:var(--panel);box-shadow:0 1px 3px rgba(0,0,0,.25)}",
            ".tab{border:1px solid var(--strong);margin-left:-1px}.tab.c{background:var(--accent);color:var(--on)}",
            ".tab{background:var(--sunk);margin-right:2px}.tab.c{background:var(--panel);border-top:2px solid var(--accent)}",
        )
    )
    menu_pad = rng.uniform(0.12, 0.6)
    return (
        f".bar{{display:flex;align-items:center;gap:{rng.choice((0, 4, 8, 16, 24))}px;padding:0 {rng.choice((8, 16, 24, 32))}px;min-height:{rng.choice((32, 40, 48, 52, 56, 60, 64, 70))}px;{bar}}}"
        f".bar .ni{{display:flex;align-items:center;gap:.4em;padding:{rng.uniform(0, 0.8):.2f}em {rng.uniform(0.2, 1):.2f}em;{'align-self:stretch;' if rng.random() < 0.35 else ''}border-radius:{rng.choice((0, 4, 99))}px}}"
        f".bar .ni.c{{{rng.choice(('font-weight:700', 'box-shadow:inset 0 -3px currentColor', 'background:rgba(128,128,128,.25)', 'opacity:1'))}}}.bar .ib{{color:inherit;background:transparent;border-color:transparent;box-shadow:none{';align-self:stretch;padding-left:.9em;padding-right:.9em' if rng.random() < 0.25 else ''}}}"
        f".brand{{font-weight:{rng.choice((500, 700, 800))};font-size:{rng.uniform(1, 1.4):.2f}em;display:flex;align-items:center;gap:.5em;padding:.3em 0}}"
        f".side{{{side};padding:{rng.choice((0, 0, 8, 12))}px 0;flex:none;overflow:hidden}}.side .ni{{display:flex;align-items:center;gap:{rng.choice((6, 8, 10, 14))}px;padding:{item_pad:.2f}em {rng.uniform(0.6, 1.4):.2f}em;"
        f"margin:{rng.choice((0, 0, 1, 2, 4))}px {margin}px;border-radius:{pill}px;border-left:3px solid transparent}}.side .ni.c{{{active}}}.side .sub{{padding-left:{rng.uniform(1.4, 3):.1f}em;font-size:.93em}}"
        f".side .cap{{font-size:.75em;opacity:.65;text-transform:uppercase;font-weight:700;padding:.9em 1.2em .3em}}.side .ib,.side .btn.g{{color:inherit;background:transparent;border-color:transparent}}.side hr{{border:0;border-top:1px solid rgba(128,128,128,.35);margin:8px 14px}}"
        f".tabs{{display:flex;flex-wrap:wrap}}.tab{{padding:{rng.uniform(0.2, 0.85):.2f}em {rng.uniform(0.6, 1.5):.2f}em;display:inline-flex;gap:.4em;align-items:center}}{tab}"
        f".menu{{background:var(--panel);color:var(--ink);border:1px solid var(--line);border-radius:{rng.choice((0, 4, 8, 12))}px;padding:{rng.choice((0, 4, 6))}px;box-shadow:0 4px 14px rgba(0,0,0,{rng.choice((0, 0.1, 0.25))})}}"
        f".mi{{display:flex;align-items:center;gap:.7em;padding:{menu_pad:.2f}em .8em;border-radius:{rng.choice((0, 4, 6))}px}}.mi.c{{{rng.choice(('background:var(--sunk)', 'background:var(--accent);color:var(--on)', 'background:color-mix(in srgb,var(--accent) 15%,transparent)'))}}}"
        f".menubar .mi{{display:inline-flex;padding:{rng.uniform(0.1, 0.4):.2f}em {rng.uniform(0.5, 1):.2f}em}}.menu hr{{border:0;border-top:1px solid var(--line);margin:4px 0}}"
        f".tree .ti{{display:flex;align-items:center;gap:.35em;padding:{rng.uniform(0.05, 0.4):.2f}em .4em;border-radius:3px}}.tree .ti.c{{background:color-mix(in srgb,var(--accent) 22%,transparent)}}"
        f".li{{display:flex;align-items:center;gap:.8em;padding:{rng.uniform(0.3, 0.9):.2f}em {rng.uniform(0.5, 1.1):.2f}em;{rng.choice(('border-bottom:1px solid var(--line)', '', 'border:1px solid var(--line);margin-bottom:4px;border-radius:6px'))}}}.li.c{{background:color-mix(in srgb,var(--accent) 14%,transparent)}}"
        f".pg{{display:inline-flex;align-items:center;justify-content:center;min-width:{rng.randint(24, 40)}px;height:{rng.randint(24, 40)}px;padding:0 .5em;{rng.choice(('border:1px solid var(--line)', '', 'background:var(--sunk)'))};border-radius:{rng.choice((0, 4, 99))}px;{rng.choice(('margin-left:-1px', 'margin:0 2px'))}}}.pg.c{{background:var(--accent);color:var(--on)}}"
        f".crumbs a{{{rng.choice(('color:var(--link)', 'color:var(--muted)', 'color:var(--link);text-decoration:underline'))}}}.foot a{{{rng.choice(('color:var(--link)', 'color:inherit', 'color:inherit;text-decoration:underline', 'color:var(--muted)'))}}}"
    )


def frame_css(rng: random.Random, family: str, pad_px: int) -> Css:
    """Cards, tables, dialogs, chips, badges and the like: what holds controls without being one (chips may be)."""
    radius = _radius(rng, family)
    card = rng.choice(
        (
            "border:1px solid var(--line)",
            "border:1px solid var(--line);box-shadow:0 1px 4px rgba(0,0,0,.1)",
            "box-shadow:0 2px 10px rgba(0,0,0,.15)",
            "border:0",
            "border:2px solid var(--ink)" if family == "brutal" else "border:1px solid var(--strong)",
            "border-left:4px solid var(--accent);box-shadow:0 1px 5px rgba(0,0,0,.15)",
        )
    )
    table = rng.choice(
        (
            "table.tb td,table.tb th{border-bottom:1px solid var(--line)}",
            "table.tb td,table.tb th{border:1px solid var(--line)}",
            "table.tb tr:nth-child(even) td{background:var(--sunk)}",
            "table.tb th{border-bottom:2px solid var(--strong)}",
            "table.tb th{background:var(--accent);color:var(--on)}table.tb td{border-bottom:1px solid var(--line)}",
            "table.tb th{background:var(--sunk)}table.tb td,table.tb th{border:1px solid var(--strong)}",
        )
    )
    cell = f"{rng.uniform(0.1, 0.75):.2f}em {rng.uniform(0.35, 1):.2f}em"
    return (
        f".card{{background:var(--panel);border-radius:{radius}px;{card};overflow:hidden}}.card>.h{{padding:{pad_px}px {pad_px * 2}px;{rng.choice(('border-bottom:1px solid var(--line)', 'background:var(--sunk)', ''))};display:flex;align-items:center;justify-content:space-between;"
        f"font-weight:{rng.choice((400, 600, 700))};color:{rng.choice(('var(--ink)', 'var(--ink)', 'var(--accent)', 'var(--muted)'))}}}.card>.b{{padding:{pad_px * 2}px}}.grid{{display:grid;gap:{pad_px * rng.choice((1, 2))}px}}"
        f"table.tb{{border-collapse:collapse;width:100%}}table.tb td,table.tb th{{padding:{cell};text-align:left;vertical-align:middle}}table.tb th{{font-weight:{rng.choice((500, 600, 700))};{rng.choice(('', '', 'font-size:.85em;text-transform:uppercase;color:var(--muted)'))}}}{table}"
        f".badge{{display:inline-block;padding:.1em .55em;font-size:.75em;font-weight:600;border-radius:{rng.choice((2, 4, 99))}px;background:{rng.choice(('var(--accent)', 'var(--second)', 'var(--sunk)', 'var(--danger)'))};color:{rng.choice(('#fff', '#fff', 'var(--ink)'))}}}"
        f".chipx{{display:inline-flex;align-items:center;gap:.35em;padding:{rng.uniform(0.05, 0.4):.2f}em {rng.uniform(0.5, 0.9):.2f}em;border-radius:{rng.choice((4, 8, 99, 99))}px;{rng.choice(('background:var(--sunk)', 'border:1px solid var(--strong)', 'background:color-mix(in srgb,var(--accent) 18%,var(--panel))'))};font-size:.9em}}"
        f".note{{padding:{pad_px}px {pad_px * 2}px;border-radius:{radius}px;{rng.choice(('background:color-mix(in srgb,var(--warn) 20%,var(--panel))', 'border:1px solid var(--good)', 'border-left:4px solid var(--danger);background:var(--sunk)', 'background:var(--second);color:#fff'))}}}"
        f".dlg{{background:var(--panel);color:var(--ink);border-radius:{radius}px;padding:{pad_px * 2}px;box-shadow:0 10px 40px rgba(0,0,0,.4);border:1px solid var(--line)}}"
        f".av{{display:inline-flex;align-items:center;justify-content:center;border-radius:{rng.choice((99, 99, 6))}px;background:var(--second);color:#fff;flex:none;font-weight:600;font-size:.8em}}"
        f".prog{{height:{rng.choice((4, 6, 8, 12, 16))}px;background:var(--line);border-radius:9px;overflow:hidden}}.prog>i{{display:block;height:100%;background:var(--accent)}}"
        f".code{{background:{rng.choice(('var(--sunk)', '#1e1e2e;color:#cdd6f4', '#f6f6f6;color:#222'))};padding:{pad_px}px {pad_px * 2}px;border-radius:{radius}px;overflow:hidden;white-space:pre;font-family:var(--mono);font-size:.88em;line-height:1.45}}"
        f".ic-box{{display:inline-flex;align-items:center;justify-content:center;padding:.5em;border-radius:{radius}px;background:color-mix(in srgb,var(--second) 25%,var(--panel));color:var(--second)}}"
    )
