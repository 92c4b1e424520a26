"""The gallery: many pictures of which few are in the page, words and labels, and what is done with those that are chosen."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.service import drawn
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser
COUNT = 140


@pytest.fixture(scope="module")
def pictures(address: str) -> list[str]:
    """Small pictures with the label `gallery`, newest first; the first two and another one have a mark with a name."""
    with httpx.Client(base_url=address, timeout=120) as api:
        ids = []
        for seed in range(COUNT):
            file = drawn(seed, (48 + seed, 40))
            ids.append(api.post("/v1/images", files={"file": file}, data={"labels": '["gallery"]'}).json()["id"])
        for place, name in ((3, "a teapot"), (-1, "a cup"), (-2, "a spoon")):
            region = {"bbox_xyxy_px": [5, 5, 30, 30], "text": name}
            image = {"type": "id", "id": ids[place]}
            api.post("/v1/marksets", json={"image": image, "regions": [region]}).raise_for_status()
        return ids[::-1]


def cells(page: Page) -> list[str]:
    return page.locator("#grid [role=option]").evaluate_all("(cells) => cells.map((cell) => cell.dataset.image)")


def test_thousands_would_not_fill_the_page_and_scrolling_brings_the_rest(opened: OpenPage, pictures: list[str]) -> None:
    page = opened.page
    opened.go("#/gallery?label=gallery")
    expect(page.locator("#gallery-count")).to_have_text(f"{COUNT} pictures")
    expect(page.locator(f"[data-image='{pictures[0]}'] img[data-state=shown]")).to_be_visible()
    assert len(cells(page)) < 80, "only what is near the window exists"
    page.locator("#grid").focus()
    page.keyboard.press("End")  # of what was fetched so far
    page.keyboard.press("End")
    expect(page.locator("#grid [role=option]").last).to_have_attribute("aria-setsize", str(COUNT))
    page.locator("#grid").evaluate(
        """async (grid) => {
          while (!grid.querySelector('[aria-posinset="140"]')) {
            grid.scrollTop = grid.scrollHeight;
            await new Promise(requestAnimationFrame);
          }
        }"""
    )
    expect(page.locator(f"[data-image='{pictures[-1]}'] img[data-state=shown]")).to_be_visible()
    assert len(cells(page)) < 80


def test_words_of_a_mark_find_its_picture(opened: OpenPage, pictures: list[str]) -> None:
    page = opened.page
    opened.go("#/gallery?label=gallery")
    page.fill("#gallery-search", "teapot")
    expect(page.locator("#gallery-count")).to_have_text("1 picture")
    assert cells(page) == [pictures[-4]]
    assert "q=teapot" in page.url
    page.locator("#grid").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 marks by provided")).to_be_visible()
    expect(dialog.get_by_role("link", name="Edit")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.fill("#gallery-search", "nowhere")
    expect(page.get_by_text("No picture fits")).to_be_visible()


def test_chosen_pictures_are_labelled_written_about_and_deleted(
    opened: OpenPage, api: httpx.Client, pictures: list[str]
) -> None:
    page = opened.page
    opened.go("#/gallery?label=gallery")
    expect(page.locator("#grid [role=option]").first).to_be_visible()
    page.locator("#grid").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#chosen-count")).to_have_text("2 chosen")
    page.get_by_role("button", name="Label").click()
    page.fill("#label-add", "fine, small")
    page.get_by_role("button", name="Change labels").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert set(api.get(f"/v1/images/{pictures[0]}").json()["labels"]) == {"fine", "gallery", "small"}
    expect(page.locator("#grid [role=option]").first).to_contain_text("fine")

    page.get_by_role("button", name="Write texts").click()
    page.get_by_role("button", name="Start the job").click()
    expect(page.locator("#job")).to_have_attribute("data-status", "succeeded", timeout=120_000)
    page.get_by_role("link", name="Review its").click()
    expect(page.locator("#review-count")).to_have_text(re.compile(r"^1 of \d"))

    opened.go("#/gallery?label=gallery")
    page.locator(f"[data-image='{pictures[5]}']").click()
    expect(page.locator("#chosen-count")).to_have_text("3 chosen")
    page.keyboard.press("Escape")
    page.locator(f"[data-image='{pictures[5]}'] .tick").click()
    expect(page.locator("#chosen-count")).to_have_text("1 chosen")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(f"[data-image='{pictures[5]}']")).to_have_count(0)
    assert api.get(f"/v1/images/{pictures[5]}").status_code == 404


def test_dropped_pictures_come_in_under_the_label_that_is_shown(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    opened.go("#/gallery?label=brought")
    expect(page.get_by_text("No picture fits")).to_be_visible()
    opened.drop("one.png", drawn(2000))
    expect(page.locator("#gallery-count")).to_have_text("1 picture")
    assert api.get("/v1/images?label=brought").json()["data"][0]["labels"] == ["brought"]
