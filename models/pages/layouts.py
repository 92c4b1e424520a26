"""Whole pages: which widgets stand where. Each layout returns the body of a page as HTML.

Used by `models.pages.page`, which draws one of LAYOUTS by its share.
"""

from collections.abc import Callable, Sequence

from models.pages.pen import Pen
from models.pages.widgets import controls, data, forms, navigation, negatives, patterns, scenes, text

Part = Callable[[Pen], str]

PROSE: Sequence[Part] = (
    text.paragraph, text.paragraph, text.article, text.link_list, negatives.code_block, negatives.illustration, negatives.note,
    data.table, data.figures, text.contents, negatives.heading, patterns.plain_tree, patterns.sort_table,
)  # fmt: skip
WORK: Sequence[Part] = (
    forms.form, forms.form, forms.settings, forms.choices, forms.filter_bar, forms.upload, forms.wizard, forms.inspector, forms.dialog,
    forms.compose, data.table, data.data_table, data.data_table, data.rows_list, data.list_box, data.calendar, data.week_plan,
    data.board, data.spreadsheet, data.key_pad, data.gallery, data.figures, scenes.charts, scenes.charts, scenes.stats,
    scenes.notices, scenes.player, scenes.tag_input, scenes.stars, scenes.share_row, scenes.palette_tools, scenes.profile,
    scenes.product, scenes.shop, scenes.chat, scenes.map_view, scenes.prices, text.post_cards, text.questions, text.comments,
    text.search_results, text.paragraph, text.link_list, text.crumbs, navigation.tabs, navigation.tabs, navigation.tool_bar,
    navigation.tool_bar, navigation.menu_bar, navigation.menu, navigation.tree, navigation.page_numbers, navigation.steps,
    navigation.action_row, controls.split_button, controls.split_button, controls.search_field, negatives.note, negatives.code_block, negatives.swatches, negatives.illustration, negatives.heading,
    patterns.sort_table, patterns.sort_table, patterns.value_fields, patterns.tight_form, patterns.big_text, patterns.tool_strip,
    patterns.plain_tree, patterns.date_field, patterns.topic_card,
    patterns.alert_bar,
)  # fmt: skip
RAW: Sequence[Part] = (
    forms.form, forms.form, forms.form, forms.choices, forms.login, data.table, data.list_box, data.key_pad, text.paragraph, text.link_list,
    text.article, text.crumbs, navigation.page_numbers, navigation.tool_bar, navigation.menu_bar, navigation.tree, navigation.tabs,
    text.questions, forms.settings, negatives.code_block, forms.upload, scenes.stars, data.figures, scenes.product, forms.filter_bar,
    patterns.sort_table, patterns.sort_table, patterns.value_fields, patterns.tight_form, patterns.big_text, patterns.tool_strip,
    patterns.plain_tree, patterns.date_field, patterns.topic_card,
    patterns.value_fields, patterns.tight_form, patterns.tool_strip,
)  # fmt: skip


def _stack(pen: Pen, parts: Sequence[Part], low: int, high: int) -> str:
    """Parts below each other, some of them two in a row."""
    out = []
    for _ in range(pen.between(low, high)):
        if pen.chance(0.22):
            out.append(
                f'<div class="row" style="align-items:flex-start;gap:20px;flex-wrap:wrap">{pen.draw(*parts)}{pen.draw(*parts)}</div>'
            )
        else:
            out.append(pen.draw(*parts))
    gap = pen.pick((4, 10, 16, 24))
    return "".join(f'<section style="margin:{gap}px 0">{part}</section>' for part in out)


def _main(pen: Pen, inner: str) -> str:
    return f'<main class="grow" style="padding:{pen.pick((6, 10, 16, 24, 32))}px;overflow:hidden">{inner}</main>'


def document(pen: Pen) -> str:
    """An article between a bar and a footer, with a column of contents on either side or none."""
    top = navigation.top_bar(pen) if pen.chance(0.7) else ""
    body = (text.crumbs(pen) if pen.chance(0.4) else "") + negatives.heading(pen, 1) + _stack(pen, PROSE, 5, 10)
    width = f"max-width:{pen.between(560, 1000)}px;{pen.pick(('margin:0 auto', ''))}"
    side = pen.between(0, 2)
    left = (navigation.sidebar(pen) if pen.chance(0.5) else text.contents(pen)) if side == 1 else ""
    right = text.contents(pen) if side == 2 or pen.chance(0.2) else ""
    return f'{top}<div style="display:flex;gap:24px;padding:0 {pen.pick((0, 12, 24))}px">{left}<main class="grow" style="{width};overflow:hidden">{body}</main>{right}</div>{text.footer(pen)}'


def demonstration(pen: Pen) -> str:
    """Pages that explain a control and show it: text with links first, then controls among captions."""
    parts = RAW if pen.theme.raw else WORK
    shown = "".join(
        f"{negatives.heading(pen, pen.pick((2, 3)))}{pen.draw(*parts)}{text.paragraph(pen) if pen.chance(0.4) else ''}"
        for _ in range(pen.between(1, 4))
    )
    top = text.link_list(pen) if pen.chance(0.4) else ""
    words = "".join(text.paragraph(pen) for _ in range(pen.between(0, 3)))
    return f'<div style="padding:0 {pen.pick((8, 24, 32))}px">{top}{negatives.heading(pen, 1)}{words}{shown}</div>'


def application(pen: Pen) -> str:
    """A sidebar or icon rail, a bar, content of any kind."""
    side = navigation.icon_rail(pen) if pen.chance(0.25) else navigation.sidebar(pen)
    top = patterns.alert_bar(pen) if pen.chance(0.2) else navigation.top_bar(pen, entries=pen.chance(0.25))
    top = top if pen.chance(0.88) else ""
    body = (
        (navigation.action_row(pen) if pen.chance(0.5) else "")
        + (scenes.stats(pen) if pen.chance(0.35) else "")
        + _stack(pen, WORK, 3, 6)
    )
    foot = text.footer(pen) if pen.chance(0.15) else ""
    if pen.chance(0.6):
        return f'<div style="display:flex;min-height:100vh">{side}<div class="grow">{top}{_main(pen, body)}{foot}</div></div>'
    return f'{top}<div style="display:flex;min-height:100vh">{side}{_main(pen, body)}</div>{foot}'


def top_navigation(pen: Pen) -> str:
    """A bar, perhaps a hero, content in the middle, a footer."""
    body = (text.hero(pen) if pen.chance(0.35) else "") + _stack(pen, WORK, 3, 6)
    width = f"max-width:{pen.pick((720, 960, 1140, 1320, 2000))}px;margin:0 auto;padding:0 16px"
    return f'{navigation.top_bar(pen)}{navigation.tabs(pen) if pen.chance(0.2) else ""}<main style="{width};overflow:hidden">{body}</main>{text.footer(pen)}'


def sign_in(pen: Pen) -> str:
    """A login or registration in the middle, beside a picture or at a side."""
    card = forms.login(pen)
    way = pen.between(0, 2)
    if way == 0:
        return f'<div style="display:flex;min-height:100vh">{negatives.picture(pen, 640, 900) if pen.chance(0.5) else text.hero(pen)}<div class="grow" style="padding:40px">{card}</div></div>'
    ground = pen.pick(("", "background:linear-gradient(140deg,var(--accent),var(--second))", "background:var(--sunk)"))
    top = navigation.top_bar(pen) if pen.chance(0.25) else ""
    return f'{top}<div style="min-height:95vh;display:flex;align-items:center;justify-content:center;flex-direction:column;{ground}">{card}{text.link_list(pen) if pen.chance(0.06) else ""}</div>'


def dense(pen: Pen) -> str:
    """Tools over three columns, everything small."""
    columns = "".join(
        f'<div style="flex:{pen.pick(("1", "1", "2", "none"))};min-width:0;overflow:hidden;padding:6px;border-right:1px solid var(--line)">{_stack(pen, WORK, 1, 3)}</div>'
        for _ in range(pen.between(2, 4))
    )
    return (
        f'{navigation.menu_bar(pen)}{navigation.tool_bar(pen)}<div style="display:flex;min-height:90vh">{columns}</div>'
    )


def plain(pen: Pen) -> str:
    """Content alone, one thing under the other."""
    return f'<div style="padding:0 {pen.pick((0, 10, 20))}px">{negatives.heading(pen, 1) if pen.chance(0.6) else ""}{_stack(pen, RAW if pen.theme.raw else WORK, 4, 8)}</div>'


def form_page(pen: Pen) -> str:
    """Forms, choices and settings, much of it on one page."""
    parts = (
        forms.form,
        forms.choices,
        forms.field_row,
        forms.settings,
        controls.button,
        forms.filter_bar,
        text.paragraph,
        data.list_box,
        scenes.tag_input,
    )
    return f'{navigation.top_bar(pen) if pen.chance(0.4) and not pen.theme.raw else ""}<main style="padding:16px;max-width:{pen.between(500, 1100)}px;{pen.pick(("margin:0 auto", ""))}">{negatives.heading(pen, 1)}{_stack(pen, parts, 4, 9)}</main>'


def mail_program(pen: Pen) -> str:
    """Folders, messages, perhaps the open one."""
    reading = (
        f'<div class="grow" style="padding:16px">{navigation.tool_bar(pen)}{text.article(pen)}{forms.compose(pen)}</div>'
        if pen.chance(0.4)
        else ""
    )
    return f'{navigation.top_bar(pen, entries=False)}<div style="display:flex">{navigation.sidebar(pen)}<div class="grow">{scenes.mail(pen)}</div>{reading}</div>'


def chat_program(pen: Pen) -> str:
    """People on the left, messages on the right."""
    rail = navigation.icon_rail(pen) if pen.chance(0.4) else ""
    return f'<div style="display:flex;min-height:100vh">{rail}<div style="width:{pen.between(220, 320)}px;border-right:1px solid var(--line);padding:8px">{controls.search_field(pen)}{data.rows_list(pen)}</div><div class="grow" style="padding:12px">{navigation.action_row(pen)}{scenes.chat(pen)}</div></div>'


def shop_page(pen: Pen) -> str:
    """Filters beside products."""
    goods = scenes.shop(pen) if pen.chance(0.7) else scenes.product(pen)
    side = forms.filters(pen) if pen.chance(0.7) else ""
    return f'{navigation.top_bar(pen)}<div style="padding:16px">{text.crumbs(pen)}{forms.filter_bar(pen) if pen.chance(0.5) else ""}<div style="display:flex;gap:20px">{side}<div class="grow">{goods}{navigation.page_numbers(pen)}</div></div></div>{text.footer(pen)}'


def results(pen: Pen) -> str:
    """Search results between filters and related things."""
    side = forms.filters(pen) if pen.chance(0.3) else ""
    return f'{navigation.top_bar(pen) if pen.chance(0.6) else ""}{navigation.tabs(pen) if pen.chance(0.5) else ""}<div style="display:flex;gap:24px;padding:12px">{side}<div class="grow">{text.search_results(pen)}{navigation.page_numbers(pen)}</div>{text.contents(pen) if pen.chance(0.3) else ""}</div>'


def editor_page(pen: Pen) -> str:
    """A program for code or drawings."""
    if pen.chance(0.6):
        return scenes.editor(pen)
    return f'{navigation.menu_bar(pen)}{navigation.tool_bar(pen)}<div style="display:flex"><div style="width:150px;padding:6px">{scenes.palette_tools(pen)}</div><div class="grow" style="background:var(--sunk);padding:30px">{negatives.picture(pen, 600, 420)}</div>{forms.inspector(pen)}</div>'


def desktop(pen: Pen) -> str:
    """Windows on a coloured ground with a task bar."""
    ground = pen.pick(("linear-gradient(140deg,var(--accent),var(--second))", "#2a7f7f", "var(--sunk)"))

    def entry() -> str:
        style = "border:0;background:rgba(255,255,255,.15);color:#fff;padding:8px 14px;margin-right:2px"
        return pen.ui("button", "button", pen.icon(18) + f" {pen.words.nav()}", style=style)

    task_bar = f'<div style="position:fixed;left:0;right:0;bottom:0;background:#1c2431;padding:3px;display:flex">{pen.join(2, 6, entry)}</div>'
    places = "".join(
        f'<div style="position:absolute;left:{pen.between(10, 420)}px;top:{pen.between(10, 260)}px;z-index:{index}">{scenes.window(pen)}</div>'
        for index in range(pen.between(1, 2))
    )
    return (
        f'<div style="min-height:100vh;background:{ground};position:relative;overflow:hidden">{places}{task_bar}</div>'
    )


def phone(pen: Pen) -> str:
    """A narrow page: bar, content, tabs at the bottom."""
    parts = (
        forms.form,
        data.rows_list,
        forms.settings,
        scenes.shop,
        text.post_cards,
        scenes.chat,
        text.questions,
        forms.choices,
        navigation.tabs,
        scenes.stats,
        text.paragraph,
        forms.login,
        scenes.notices,
        data.gallery,
    )
    bar = f'<header class="bar between">{controls.icon_button(pen, pen.pick(("menu", "left", "arrow-left")), 22)}<b>{pen.words.title(1, 2)}</b>{controls.icon_button(pen, pen.pick(("search", "dots-v", "plus", "bell")), 22)}</header>'
    size = pen.between(18, 24)

    def entry(name: str) -> str:
        inner = f'{pen.icon(size, name)}<div style="font-size:10px">{pen.words.nav()[:8]}</div>'
        return pen.ui("tab", "a", inner, style="flex:1;text-align:center;padding:6px 0")

    bottom = (
        f'<nav style="position:fixed;left:0;right:0;bottom:0;display:flex;background:var(--panel);border-top:1px solid var(--line)">{"".join(entry(name) for name in pen.rng.sample(("home", "search", "bell", "user", "heart", "cart", "grid", "mail"), pen.between(3, 5)))}</nav>'
        if pen.chance(0.7)
        else ""
    )
    fab = (
        pen.ui("icon-button", "button", pen.icon(24, pen.pick(("plus", "pencil", "chat"))), cls="fab", aria_label="new")
        if pen.chance(0.25) and not pen.theme.raw
        else ""
    )
    return f'{bar}<main style="padding:10px">{_stack(pen, parts, 2, 5)}</main>{bottom}{fab}'


def covered(pen: Pen) -> str:
    """Any page behind a dialog, drawer, menu or message; what lies below cannot be reached."""
    below = pen.draw(application, top_navigation, plain, document)
    shade = f"rgba(0,0,0,{pen.pick((0.3, 0.5, 0.7))})"
    if pen.chance(0.3):
        side = pen.pick(("left", "right"))
        inner = (
            navigation.sidebar(pen, width_px=300)
            if pen.chance(0.5)
            else f'<div class="dlg" style="width:360px;min-height:100vh">{forms.form(pen)}</div>'
        )
        return f'{below}<div style="position:fixed;inset:0;background:{shade};z-index:9"></div><div style="position:fixed;top:0;bottom:0;{side}:0;z-index:10;background:var(--panel)">{inner}</div>'
    return f'{below}<div style="position:fixed;inset:0;background:{shade};z-index:9;display:flex;align-items:center;justify-content:center">{forms.dialog(pen)}</div>'


def with_overlay(pen: Pen) -> str:
    """Any page with a menu or a message on top, not shaded."""
    below = pen.draw(application, top_navigation, plain, document)
    place = f"position:fixed;{pen.pick(('left', 'right'))}:{pen.between(8, 300)}px;{pen.pick(('top', 'bottom'))}:{pen.between(8, 160)}px;z-index:9"
    cross = controls.icon_button(pen, "close", 14)
    toast = f'<div class="dlg row" style="gap:14px">{pen.icon(18, "check")}<span>{pen.words.phrase(2, 6)}</span>{pen.pick((controls.button(pen, "s"), controls.link(pen), ""))}{cross}</div>'
    return f'{below}<div style="{place}">{pen.pick((navigation.menu(pen), toast, data.calendar(pen), data.list_box(pen)))}</div>'


LAYOUTS: Sequence[tuple[Part, int]] = (
    (document, 14), (application, 22), (top_navigation, 14), (sign_in, 5), (dense, 5), (plain, 10), (form_page, 9), (mail_program, 3),
    (chat_program, 2), (shop_page, 4), (results, 3), (editor_page, 3), (desktop, 2), (phone, 5), (covered, 3), (with_overlay, 4),
    (demonstration, 8),
)  # fmt: skip
RAW_LAYOUTS: Sequence[tuple[Part, int]] = (
    (plain, 9), (form_page, 7), (document, 5), (results, 1), (sign_in, 1), (demonstration, 8),
)  # fmt: skip
