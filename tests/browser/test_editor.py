"""The editor: marks are drawn, cut, merged, renamed and deleted by pointer and by keyboard; every edit is a revision and can be undone."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.service import drawn
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser
BOXES = {"left": [30, 40, 110, 120], "right": [150, 50, 240, 140], "below": [60, 150, 180, 220]}


@pytest.fixture
def mark_set(api: httpx.Client) -> dict:
    """Three named boxes on the picture of three shapes."""
    image = api.post("/v1/images", files={"file": drawn(80)}).json()
    regions = [{"id": name, "text": name, "bbox_xyxy_px": box} for name, box in BOXES.items()]
    ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
    made: dict = api.post("/v1/marksets", json=ask).json()
    return made


def id_of(mark_set: dict, name: str) -> str:
    return next(mark["id"] for mark in mark_set["marks"] if mark["text"] == name)


def names(page: Page) -> list[str]:
    return sorted(page.locator("#marks .what").all_inner_texts())


def edited(page: Page, api: httpx.Client, before: str) -> dict:
    """Wait for another revision and return it."""
    editor = page.locator("main .editor")
    expect(editor).not_to_have_attribute("data-set", before)
    expect(page.locator("#busy")).to_have_count(0)
    shown = editor.get_attribute("data-set")
    found: dict = api.get(f"/v1/marksets/{shown}?include=masks").json()
    return found


def open_editor(opened: OpenPage, mark_set: dict) -> Page:
    opened.go(f"#/editor/{mark_set['id']}")
    expect(opened.page.locator("#marks .mark")).to_have_count(len(mark_set["marks"]))
    expect(opened.page.locator("#busy")).to_have_count(0)
    return opened.page


def test_the_keyboard_alone_renames_merges_deletes_and_undoes(
    opened: OpenPage, api: httpx.Client, mark_set: dict
) -> None:
    page = open_editor(opened, mark_set)
    rows = {name: page.locator(f"#marks [data-mark='{id_of(mark_set, name)}']") for name in BOXES}
    rows["left"].focus()
    page.keyboard.press("Enter")
    expect(page.locator("#inspector-title")).to_have_text(f"Mark {id_of(mark_set, 'left')}")
    page.keyboard.press("F2")
    page.keyboard.press("Control+A")
    page.keyboard.type("box")
    page.keyboard.press("Enter")
    renamed = edited(page, api, mark_set["id"])
    assert names(page) == ["below", "box", "right"]
    assert id_of(renamed, "box") == id_of(mark_set, "left")

    page.locator(f"#marks [data-mark='{id_of(renamed, 'right')}']").focus()
    page.keyboard.press("Control+A")
    expect(page.locator("#inspector-title")).to_have_text("3 marks")
    page.keyboard.press("m")
    merged = edited(page, api, renamed["id"])
    assert len(merged["marks"]) == 1
    page.keyboard.press("Control+z")
    assert edited(page, api, merged["id"])["id"] == renamed["id"]
    page.keyboard.press("Control+Shift+Z")
    assert edited(page, api, renamed["id"])["id"] == merged["id"]
    page.locator("#marks .mark").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    assert edited(page, api, merged["id"])["marks"] == []
    assert len(api.get(f"/v1/marksets/{mark_set['id']}").json()["marks"]) == 3, "the first one stays as it was"


def test_what_is_drawn_becomes_a_mark_and_a_line_cuts_one(opened: OpenPage, api: httpx.Client, mark_set: dict) -> None:
    page = open_editor(opened, mark_set)
    page.keyboard.press("b")
    expect(page.locator("#tool-box")).to_have_attribute("aria-pressed", "true")
    page.mouse.move(*opened.point(250, 160))
    page.mouse.down()
    page.mouse.move(*opened.point(270, 180))
    page.mouse.move(*opened.point(310, 220))
    page.mouse.up()
    # This server has no weights for SAM: the box itself is the region, and the page says so.
    drawn_box = edited(page, api, mark_set["id"])
    expect(page.get_by_text("Regions are as drawn")).to_be_visible()
    expect(page.locator("#how")).to_have_value("drawn")
    (new,) = [mark for mark in drawn_box["marks"] if mark["text"] is None]
    assert new["bbox_xyxy_px"] == pytest.approx([250, 160, 310, 220], abs=2)
    expect(page.locator("#inspector-title")).to_have_text(f"Mark {new['id']}")

    page.locator("#tool-choose").click()
    page.mouse.click(*opened.point(70, 100))
    expect(page.locator("#inspector-title")).to_have_text(f"Mark {id_of(mark_set, 'left')}")
    page.keyboard.press("x")
    page.mouse.move(*opened.point(70, 30))
    page.mouse.down()
    page.mouse.move(*opened.point(70, 80))
    page.mouse.move(*opened.point(70, 130))
    page.mouse.up()
    cut = edited(page, api, drawn_box["id"])
    halves = [mark for mark in cut["marks"] if mark["text"] == "left"]
    assert sorted(mark["area_px"] for mark in halves) == pytest.approx([3200, 3200], abs=300)

    page.keyboard.press("s")
    page.mouse.move(*opened.point(20, 200))
    page.mouse.down()
    page.mouse.move(*opened.point(35, 205))
    page.mouse.move(*opened.point(50, 200))
    page.mouse.up()
    assert len(edited(page, api, cut["id"])["marks"]) == 6


def test_an_edit_that_makes_nothing_says_why_and_changes_nothing(
    opened: OpenPage, api: httpx.Client, mark_set: dict
) -> None:
    page = open_editor(opened, mark_set)
    page.locator("#marks .mark").first.click()
    page.locator("#split").click()
    expect(page.get_by_role("alert")).to_contain_text("no separate parts")
    expect(page.locator("main .editor")).to_have_attribute("data-set", mark_set["id"])
    page.locator(".by-numbers summary").click()
    page.fill("#new-box", "250 10 300 40")
    page.press("#new-box", "Enter")
    assert len(edited(page, api, mark_set["id"])["marks"]) == 4
