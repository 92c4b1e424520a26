"""Interface elements keep their ids while they are the same things, wherever they stand, and lose them when they are not."""

from models.marks import Previous, place
from models.regions import Regions

SIZE = (400, 600)
Row = tuple[str | None, str, float, float]


def screen(*rows: Row) -> Regions:
    """Elements of 100 x 20 px: text, role, left, top."""
    boxes = [(x, y, x + 100, y + 20) for _, _, x, y in rows]
    return Regions.from_boxes(SIZE, boxes, texts=[row[0] for row in rows], roles=[row[1] for row in rows])


def ids(regions: Regions, previous: Previous | None = None) -> dict[int, str]:
    return {mark.region_index: mark.id for mark in place(regions, previous=previous).marks}


def next_ids(before: Regions, after: Regions) -> tuple[dict[int, str], dict[int, str]]:
    marking = place(before)
    return {m.region_index: m.id for m in marking.marks}, ids(after, Previous(regions=before, marking=marking))


def test_a_scrolled_page_keeps_the_ids_of_what_is_called_differently() -> None:
    before = screen(("Home", "link", 10, 40), ("Save", "button", 10, 140), ("Help", "link", 10, 240))
    after = screen(("Home", "link", 10, 5), ("Save", "button", 10, 105), ("Help", "link", 10, 205))
    old, new = next_ids(before, after)
    assert new == old


def test_another_thing_in_the_same_place_gets_another_id() -> None:
    before = screen(("Edit", "button", 10, 40), ("Cart (1)", "link", 200, 40))
    after = screen(("Save", "button", 10, 40), ("Cart (2)", "link", 200, 40))
    old, new = next_ids(before, after)
    assert new[0] not in old.values()
    assert new[1] == old[1]


def test_a_field_stays_itself_whatever_is_typed_into_it() -> None:
    before, after = screen(("Search", "textbox", 10, 40)), screen(("night trains", "textbox", 10, 40))
    old, new = next_ids(before, after)
    assert new == old


def test_things_of_one_name_are_told_apart_by_their_place() -> None:
    rows = [("Remove", "button", 300.0, 40.0 * k) for k in range(1, 5)]
    old, new = next_ids(screen(*rows), screen(*rows[:2], *rows[3:]))
    assert list(new.values()) == [old[0], old[1], old[3]]


def test_a_name_of_another_size_is_another_thing() -> None:
    before = screen(("Save", "button", 10, 40))
    after = Regions.from_boxes(SIZE, [(300, 200, 420, 260)], texts=["Save"], roles=["button"])
    old, new = next_ids(before, after)
    assert new[0] not in old.values()
