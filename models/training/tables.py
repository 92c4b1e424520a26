"""Mark tables as screenshots really give them, and questions about them: the second school of the tiny model.

Against `segments.random_rows` the texts are more various and partly misread, ids have gaps as in a shortlist, rows come in
families that share words, and requests end with or without a full stop: without one, as the service gets them, the first
model answered `None.` to 82 of 185 clicks. Nothing here knows tokens or pixels.
"""

import re
from dataclasses import dataclass
from random import Random
from typing import Final

from rapidfuzz import fuzz

from models.drawings import words
from models.drawings.labels import as_asked, as_read, family, long_titles, nested, rich_label
from models.training.segments import FIELDS, ROLE_NAMES, TELLING, WHICH_WEIGHT, Segment, row_name
from models.training.varied import ids_of, plain_ids
from models.vlm import prompts
from models.vlm.prompts import TableRow

MISREAD_SHARE: Final = 0.3
ASKED_OTHERWISE_SHARE: Final = 0.3
FAMILY_SHARE: Final = 0.55  # of the tables
KIN_SHARE: Final = 0.35  # of the questions, where a table has a family
WORDLESS_SHARE: Final = 0.1
ABSENT_SHARE: Final = 0.14
PLACE_SHARE: Final = 0.07
ROLE_SHARE: Final = 0.1
NAMING_SHARE: Final = 0.06
ALL_BUT_SAME: Final = 85  # percent of the letters: one in seven may be misread
ROLES: Final = (*words.ROLES, "columnheader", "treeitem", "spinbutton", "generic", "label")
PLAIN_ACTS: Final = ("Click {phrase}", "click {phrase}", "Click on {phrase}", "Open {phrase}", "Press {phrase}")
COMMON_ROLES: Final = ("link", "link", "button", "button", "textbox", "checkbox", "tab", "menuitem")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows as the model is told them, `names[i]`, what row i is truly called ("" without a text), and rows that share words."""

    rows: tuple[TableRow, ...]
    names: tuple[str, ...]
    kin: range = range(0)


def random_table(rng: Random, count: int) -> Table:
    """`count` rows of a screen in reading order."""
    ids = plain_ids(count, "letter" if count <= 26 and rng.random() < 0.07 else "number")
    draw = rng.random()
    if draw < 0.2:
        ids = ids_of(rng, count, "number")
    elif count > 3 and draw < 0.65:  # the marks that were shortlisted
        ids = tuple(str(number) for number in sorted(rng.sample(range(1, rng.randint(count, 99) + 1), count)))
    names, kin = _names(rng, count)
    mostly = rng.choice(COMMON_ROLES)
    y = rng.randint(1, 12)
    rows = []
    for mark_id, name in zip(ids, names, strict=True):
        role = mostly if rng.random() < 0.45 else rng.choice(ROLES)
        text = as_read(name, rng).strip() if name and rng.random() < MISREAD_SHARE else name
        rows.append(
            TableRow(
                id=mark_id, role=role if rng.random() > 0.02 else None, text=text or None,
                x_percent=rng.randint(0, 99), y_percent=y,
            )
        )  # fmt: skip
        y = min(99, y + rng.choice((0, 0, 2, 5, 9)) if count < 30 else y + (rng.random() < 0.6))
    return Table(rows=tuple(rows), names=tuple(names), kin=kin)


def _names(rng: Random, count: int) -> tuple[list[str], range]:
    names = ["" if rng.random() < WORDLESS_SHARE else rich_label(rng) for _ in range(count)]
    kin = range(0)
    if count >= 4 and rng.random() < FAMILY_SHARE:
        alike = rng.choice((family, nested, nested, long_titles))(rng, rng.randint(2, min(6, count)))
        rng.shuffle(alike)
        start = rng.randint(0, count - len(alike))
        kin = range(start, start + len(alike))
        names[kin.start : kin.stop] = alike
    if count >= 4 and rng.random() < 0.15:
        names[rng.randrange(count)] = rng.choice(names)
    return names, kin


def table_questions(table: Table, rng: Random, count: int) -> list[Segment]:
    """`count` questions or a few less: which mark by name, kind or place, an absent thing, what a mark is."""
    found = []
    for _ in range(count):
        draw = rng.random()
        if draw < ABSENT_SHARE:
            phrase = _with_role(_absent(table, rng), None, rng)
            found.append(_choice(rng, phrase, None, "None."))
        elif draw < ABSENT_SHARE + NAMING_SHARE:
            row = rng.choice(table.rows)
            query = rng.choice(prompts.WHAT_TEMPLATES).replace("{mark}", row.id)
            found.append(Segment(task="table-what", query=query, answer=f"{row_name(row)}.", weight=0.5))
        else:
            i = rng.choice(table.kin if table.kin and rng.random() < KIN_SHARE else range(len(table.rows)))
            phrase_or_none = _phrase(table, i, rng)
            if phrase_or_none:
                answer = prompts.choice_answer(table.rows[i].id, "tiny")
                found.append(_choice(rng, phrase_or_none, table.rows[i], answer))
    return found


def _choice(rng: Random, phrase: str, row: TableRow | None, answer: str) -> Segment:
    draw = rng.random()
    if row is not None and row.role in FIELDS and draw < 0.2:
        query = rng.choice(prompts.TYPE_TEMPLATES).replace("{text}", f'"{rich_label(rng)}"')
    elif draw < 0.5:
        query = rng.choice(PLAIN_ACTS)
    else:
        query = rng.choice(prompts.WHICH_TEMPLATES if draw < 0.7 else prompts.ACT_TEMPLATES)
    query = query.replace("{phrase}", phrase)
    if query.endswith(".") and rng.random() < 0.3:
        query = query[:-1]
    query = " ".join(query.split())
    worded = prompts.build_prompt("act", query, (), "tiny")
    hint = " ".join(phrase.split())
    return Segment(
        task="table-none" if row is None else "table-which",
        query=worded, answer=answer, weight=WHICH_WEIGHT, hint=hint if hint in worded else None,
        telling=1.0 if row is None else TELLING,
    )  # fmt: skip


def _phrase(table: Table, i: int, rng: Random) -> str | None:
    """Words that fit row `i` and no other; None when there are none."""
    row, name = table.rows[i], table.names[i]
    draw = rng.random()
    if draw < PLACE_SHARE or not name:
        placed = _place(table, i, rng)
        if placed:
            return placed
    if (not name or draw > 1 - ROLE_SHARE) and sum(other.role == row.role for other in table.rows) == 1 and row.role:
        return f"the {rng.choice(ROLE_NAMES.get(row.role, (row.role,)))}"
    if not name:
        return None
    asked = as_asked(name, rng) if rng.random() < ASKED_OTHERWISE_SHARE else name
    others = [_key(other) for j, other in enumerate(table.names) if j != i]
    others += [_key(other.text or "") for j, other in enumerate(table.rows) if j != i]
    # A whole text is meant although others hold it, too: "Login" beside "Login with Google", also where it was misread ("Log1n").
    alike = fuzz.ratio(_key(asked), _key(row.text or ""))
    whole = alike >= ALL_BUT_SAME and all(fuzz.ratio(_key(asked), other) < alike for other in others)
    held = any(_words(asked) <= set(other.split()) for other in others)
    if _key(name) in others or not _words(asked) or (held and not whole):
        return None
    return _with_role(asked, row, rng)


def _with_role(text: str, row: TableRow | None, rng: Random) -> str:
    role = (row.role if row else rng.choice(ROLES)) or "item"
    role = rng.choice(ROLE_NAMES.get(role, (role,)))
    forms = (text, f'"{text}"', f"the {text} {role}", f'the {role} "{text}"', f'the "{text}" {role}', f"the {text}")
    return text if rng.random() < 0.6 else rng.choice(forms)


def _place(table: Table, i: int, rng: Random) -> str | None:
    """The row by its kind and where it lies, if that is plain; None else."""
    row = table.rows[i]
    same = [other for other in table.rows if other.role == row.role]
    if not row.role or not 2 <= len(same) <= 6:
        return None
    role = rng.choice(ROLE_NAMES.get(row.role, (row.role,)))
    found = []
    if row is same[0]:
        found.append(f"the first {role}")
    if row is same[-1]:
        found.append(f"the last {role}")
    if len(same) > 2 and row is same[1]:
        found.append(f"the second {role}")
    rest = [other for other in same if other is not row]
    if all(row.x_percent < other.x_percent - 15 for other in rest):
        found += [f"the {role} on the left", f"the leftmost {role}"]
    if all(row.x_percent > other.x_percent + 15 for other in rest):
        found += [f"the {role} on the right", f"the rightmost {role}"]
    return rng.choice(found) if found else None


def _absent(table: Table, rng: Random) -> str:
    """A name that no row has; mostly of other words, at times of words that several rows share."""
    taken = {word for name in table.names for word in _words(name)}
    taken |= {word for row in table.rows for word in _words(row.text or "")}
    for _ in range(20):
        text = rich_label(rng)
        own = _words(text)
        if own and not own & taken:
            return text
    return words.pseudo_word(rng) + words.pseudo_word(rng)


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _words(text: str) -> set[str]:
    return set(_key(text).split())
