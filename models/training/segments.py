"""Questions and answers about one marked picture or one mark table: what the tiny model is trained to say.

Wording comes from `models.vlm.prompts`, which serving uses too. A segment is one turn; the packer puts many of them
behind one shared prefix. Nothing here knows tokens or pixels.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from models.drawings import words
from models.vlm import prompts
from models.vlm.prompts import TableRow
from models.vlm.types import NONE
from models.vlm.untrusted import quoted

ABSENT_SHARE: Final = 0.12
ASKED_AS: Final[dict[str, prompts.Task]] = {
    "list": "list",
    "table-list": "list",
    "which": "refer",
    "table-which": "act",
}
LIST_WEIGHT: Final = 5.0
# Only the digits of `Mark 3.` carry anything, and finding them is the last skill to come.
WHICH_WEIGHT: Final = 2.0
TELLING: Final = 4.0  # the second digit of an id stayed at chance while everything else was right
WHAT_WEIGHT: Final = 2.0
ROLE_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "searchbox": ("search box", "search field", "searchbox"),
    "textbox": ("text box", "field", "text field", "input", "textbox"),
    "checkbox": ("checkbox", "check box"),
    "combobox": ("dropdown", "combo box", "combobox", "list box"),
    "switch": ("switch", "toggle"),
    "menuitem": ("menu item", "menu", "menuitem"),
    "radio": ("radio button", "radio", "option"),
    "listitem": ("list item", "item"),
    "link": ("link",),
    "icon": ("icon", "icon button"),
}
FIELDS: Final = ("textbox", "searchbox", "combobox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One question, its answer, what it counts in the loss, and which kind of task it is.

    `hint` is the part of the question after which the answer can be known; the packer asks for it there as well,
    because a model that must first carry it to the answer found it only after hundreds of steps.
    """

    task: str
    query: str
    answer: str
    weight: float = 1.0
    hint: str | None = None
    hinted: str | None = None  # what is asked for after the hint, if it is not the answer
    telling: float = 1.0  # how much more the id in `Mark 12.` counts than the rest, or where a listing goes on or ends


def segment(task: str, query: str, answer: str, weight: float = 1.0, hint: str | None = None) -> Segment:
    """A segment whose question is worded as serving words it."""
    worded = prompts.build_prompt(ASKED_AS.get(task, "ask"), query, (), "tiny")
    return Segment(
        task=task, query=worded, answer=answer, weight=weight, hint=hint if hint and hint in worded else None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The marks of a scene in listing order: mark ids and names such as `red circle`."""

    ids: tuple[str, ...]
    names: tuple[str, ...]


def scene_segments(
    scene: Scene, rng: Random, *, which: int = 4, what: int = 3, yes_no: int = 1, dotless: float = 0.0
) -> list[Segment]:
    """One listing, `which`, `what` and `yes_no` questions and sometimes a count.

    A share `dotless` of the requests ends without its full stop, and the denied names are then often half right.
    """
    found = [segment("list", rng.choice(prompts.LIST_TEMPLATES), listing(scene), LIST_WEIGHT)]
    if dotless:  # else it learns the names first and goes on behind the last mark
        found = [replace(one, telling=TELLING) for one in found]
    found += [_scene_which(scene, rng, dotless) for _ in range(which)]
    found += [_scene_what(scene, rng, i) for i in _sample(rng, len(scene.ids), what)]
    found += [_yes_no(scene, rng, hard=dotless > 0) for _ in range(yes_no)]
    if rng.random() < 0.2:
        query = rng.choice(prompts.COUNT_TEMPLATES)
        found.append(segment("count", query, f"{len(scene.ids)}.", 0.3))
    return found


def listing(scene: Scene) -> str:
    """The right answer to a list question."""
    return prompts.list_answer(zip(scene.ids, scene.names, strict=True))


def _sample(rng: Random, count: int, wanted: int) -> list[int]:
    return rng.sample(range(count), min(count, wanted))


def _scene_which(scene: Scene, rng: Random, dotless: float) -> Segment:
    if rng.random() < ABSENT_SHARE:
        phrase, answer = f"the {_absent_name(scene, rng)}", NONE
    else:
        i = rng.randrange(len(scene.ids))
        phrase, answer = f"the {_short_name(scene, i, rng)}", scene.ids[i]
    templates = (
        prompts.WHICH_TEMPLATES[:1] if rng.random() < 0.35 else prompts.WHICH_TEMPLATES + prompts.ACT_TEMPLATES[:3]
    )
    query = _filled(rng.choice(templates), phrase=phrase)
    if dotless and rng.random() < dotless:
        query = query.rstrip(".")
    found = segment("which", query, prompts.choice_answer(answer, "tiny"), WHICH_WEIGHT, phrase)
    return replace(found, telling=TELLING) if dotless and answer != NONE else found


def _scene_what(scene: Scene, rng: Random, i: int) -> Segment:
    templates = prompts.WHAT_TEMPLATES[:1] if rng.random() < 0.35 else prompts.WHAT_TEMPLATES
    return segment("what", _filled(rng.choice(templates), mark=scene.ids[i]), f"{scene.names[i]}.", WHAT_WEIGHT)


def _yes_no(scene: Scene, rng: Random, *, hard: bool) -> Segment:
    i = rng.randrange(len(scene.ids))
    name, answer = scene.names[i], "Yes."
    if rng.random() < 0.5:
        name, answer = _denied(scene, name, rng, hard=hard), "No."
    phrase = f"the {name}"
    query = _filled(rng.choice(prompts.YES_NO_TEMPLATES), mark=scene.ids[i], phrase=phrase)
    found = segment("yes-no", query, answer, 1.0 if hard else 0.5, phrase)
    # Where the named thing is, which the model can tell, decides; from `Yes.` and `No.` alone it was slow to find that out.
    at = scene.ids[scene.names.index(name)] if name in scene.names else NONE
    return replace(found, hinted=prompts.choice_answer(at, "tiny"))


def _denied(scene: Scene, name: str, rng: Random, *, hard: bool) -> str:
    """A name that is not this mark's: half right, another mark's, or nobody's."""
    others, draw = [other for other in scene.names if other != name], rng.random()
    if hard and draw < 0.35:
        return _half_right(name, rng)
    if others and draw < (0.75 if hard else 0.5):
        return rng.choice(others)
    return _absent_name(scene, rng)


def _half_right(name: str, rng: Random) -> str:
    """Another name with the same colour or the same kind."""
    color, kind = name.split(" ", 1)
    if rng.random() < 0.5:
        return f"{color} {rng.choice([other for other in words.KINDS if other != kind])}"
    return f"{rng.choice([other for other in words.COLORS if other != color])} {kind}"


def _absent_name(scene: Scene, rng: Random) -> str:
    while True:
        name = f"{rng.choice(words.COLORS)} {rng.choice(words.KINDS)}"
        if name not in scene.names:
            return name


def _short_name(scene: Scene, i: int, rng: Random) -> str:
    """The full name, or only the kind or the colour where that is enough."""
    color, kind = scene.names[i].split(" ", 1)
    draw = rng.random()
    if draw < 0.15 and sum(name.endswith(f" {kind}") for name in scene.names) == 1:
        return kind
    if draw < 0.25 and sum(name.startswith(f"{color} ") for name in scene.names) == 1:
        return f"{color} {rng.choice(('item', 'one', 'thing'))}"
    return scene.names[i]


def random_rows(rng: Random, count: int) -> tuple[TableRow, ...]:
    """A mark table of a page nobody drew, in reading order; some pages have no roles, some marks no text."""
    ids = _ids(rng, count)
    spots = sorted((rng.randrange(0, 100), rng.randrange(0, 100)) for _ in range(count))
    bare = rng.random() < 0.2
    rows = []
    for mark_id, (y, x) in zip(ids, spots, strict=True):
        role = None if bare else rng.choice(words.ROLES)
        text = None if role and rng.random() < 0.12 else words.label(rng)
        rows.append(TableRow(id=mark_id, role=role, text=text, x_percent=x, y_percent=y))
    return tuple(rows)


def _ids(rng: Random, count: int) -> list[str]:
    if rng.random() < 0.8:
        return [str(number) for number in range(1, count + 1)]
    return [str(number) for number in sorted(rng.sample(range(1, 100), count))]


def table_segments(rows: Sequence[TableRow], rng: Random, *, count: int = 8) -> list[Segment]:
    """`count` questions that the table alone answers: which mark, click, type, what is, read."""
    texts = Counter((row.text or "").lower() for row in rows)
    found: list[Segment] = []
    for _ in range(count):
        row = rng.choice(rows)
        draw = rng.random()
        if draw < 0.15:
            query = _filled(rng.choice(prompts.WHAT_TEMPLATES), mark=row.id)
            found.append(segment("table-what", query, f"{row_name(row)}."))
        elif draw < 0.2 and row.text:
            query = _filled(rng.choice(prompts.READ_TEMPLATES), mark=row.id)
            found.append(segment("table-read", query, f"{quoted(row.text, prompts.MAX_TEXT_CHARS)}."))
        elif draw < 0.2 + ABSENT_SHARE:
            absent = _row_phrase(_absent_row(rows, rng), rng)
            found.append(segment("table-which", _asked(rng, absent, None), "None.", WHICH_WEIGHT, absent))
        else:
            phrase = _unique_phrase(row, rows, texts, rng)
            if phrase:
                answer = prompts.choice_answer(row.id, "tiny")
                found.append(segment("table-which", _asked(rng, phrase, row), answer, WHICH_WEIGHT, phrase))
    if rng.random() < 0.15 and len(rows) <= 12:
        items = prompts.list_answer((row.id, row_name(row)) for row in rows)
        found.append(segment("table-list", rng.choice(prompts.LIST_TEMPLATES), items))
    return found


def row_name(row: TableRow) -> str:
    """The name of a mark as the table tells it: `button "Save"`, or the role alone."""
    role = row.role or prompts.DEFAULT_ROLE
    return f"{role} {quoted(row.text, prompts.MAX_TEXT_CHARS)}" if row.text else role


def _absent_row(rows: Sequence[TableRow], rng: Random) -> TableRow:
    known = {(row.text or "").lower() for row in rows}
    while True:
        row = TableRow(id="0", role=rng.choice(words.ROLES), text=words.label(rng), x_percent=0, y_percent=0)
        if row.text and row.text.lower() not in known:
            return row


def _unique_phrase(row: TableRow, rows: Sequence[TableRow], texts: Counter[str], rng: Random) -> str | None:
    """Words that fit this row only; None when there are none."""
    same_role = sum(other.role == row.role for other in rows)
    if row.role and same_role == 1 and (not row.text or rng.random() < 0.2):
        return f"the {rng.choice(ROLE_NAMES.get(row.role, (row.role,)))}"
    if row.text and texts[row.text.lower()] == 1:
        return _row_phrase(row, rng)
    return None


def _row_phrase(row: TableRow, rng: Random) -> str:
    text, role = row.text or "", row.role or "item"
    role = rng.choice(ROLE_NAMES.get(role, (role,)))
    form = rng.randrange(7)
    forms = (
        text,
        f'"{text}"',
        f"the {text} {role}",
        f'the {role} "{text}"',
        f'the "{text}" {role}',
        text.lower(),
        f"the {text.lower()} {role}",
    )
    return forms[form]


def _asked(rng: Random, phrase: str, row: TableRow | None) -> str:
    if row is not None and row.role in FIELDS and rng.random() < 0.25:
        return _filled(rng.choice(prompts.TYPE_TEMPLATES), phrase=phrase, text=f'"{words.label(rng)}"')
    templates = prompts.WHICH_TEMPLATES if rng.random() < 0.5 else prompts.ACT_TEMPLATES
    return _filled(rng.choice(templates), phrase=phrase)


def _filled(template: str, **values: str) -> str:
    # replace, not format: a label may hold braces.
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def fresh_texts(rows: Sequence[TableRow], rng: Random) -> tuple[TableRow, ...]:
    """The same marks with other texts: at the model's size a screen's own words cannot be read anyway."""
    return tuple(replace(row, text=words.label(rng)) if row.text and rng.random() < 0.7 else row for row in rows)
