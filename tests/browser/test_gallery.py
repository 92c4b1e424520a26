"""The gallery: many pictures of which few are in the page, words and labels, and what is done with those that are chosen."""

import re

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.acceptance.service import drawn
from tests.browser.conftest import OpenPage, connect
from tests.browser.test_datasets_page import listed

pytestmark = pytest.mark.browser
COUNT = 140


@pytest.fixture(scope="module")
def key(key_of_its_own: str) -> str:
    """This module counts what there is."""
    return key_of_its_own


@pytest.fixture(scope="module")
def pictures(address: str, key: str) -> list[str]:
    """Small pictures with the label `gallery`, newest first; the first two and another one have a mark with a name."""
    with connect(address, key) as api:
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


class Doorkeeper:
    """Lets requests to delete through as a test says: one word for each, in turn; what is left over passes."""

    def __init__(self, page: Page, *turns: str) -> None:
        self._page = page
        self._turns = list(turns)
        self._held: list[Route] = []
        page.route("**/v1/images/delete", self._open)

    def _open(self, route: Route) -> None:
        turn = self._turns.pop(0) if self._turns else "pass"
        if turn == "hold":
            self._held.append(route)
        elif turn == "lose the answer":
            route.fetch()
            route.abort("connectionreset")
        elif turn == "refuse":
            route.abort("connectionrefused")
        else:
            route.continue_()

    def release(self) -> None:
        """Let the one pass that is held, as soon as it is there."""
        for _ in range(600):
            if self._held:
                break
            self._page.wait_for_timeout(50)
        self._held.pop().continue_()


def test_many_are_deleted_with_a_way_out_and_over_a_reload(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    listed(api, 3000)
    api.post("/v1/datasets", json={"name": "holds"}, headers={"Prefer": "wait=100"}).raise_for_status()
    held = api.get("/v1/images").json()["data"][0]["id"]
    api.patch("/v1/images", json={"images": {"ids": [held]}, "add_labels": ["many"]}).raise_for_status()
    for seed in range(1, 120):
        file = drawn(3000 + seed, (40, 30 + seed))
        api.post("/v1/images", files={"file": file}, data={"labels": '["many"]'}).raise_for_status()
    opened.go("#/gallery?label=many")
    page.locator("#grid [role=option] .tick").first.click()
    page.get_by_role("button", name="Choose all").click()
    expect(page.locator("#chosen-count")).to_have_text("120 chosen")

    doorkeeper = Doorkeeper(page, "lose the answer", "pass", "hold", "refuse", "hold")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    deleting = page.locator("#deleting")
    expect(deleting).to_contain_text("Deleting: 50 of 120 pictures are gone")
    expect(page.locator("#gallery-count")).to_have_text("70 pictures")
    deleting.get_by_role("button", name="Stop").click()
    doorkeeper.release()
    expect(deleting).to_contain_text("Stopped: 100 of 120 pictures are gone, 20 left")

    page.reload()
    expect(deleting).to_contain_text("Stopped: 100 of 120 pictures are gone, 20 left")
    assert api.get("/v1/images?label=many&include=total").json()["total"] == 20, "a reload deletes nothing"
    deleting.get_by_role("button", name="Delete the other 20").click()
    expect(deleting).to_have_attribute("data-state", "waiting")
    expect(deleting.get_by_role("status")).to_contain_text("The server does not answer")
    expect(deleting).to_contain_text("Waiting for the server: 100 of 120")
    doorkeeper.release()
    expect(deleting).to_contain_text("119 of 120 pictures are gone, 1 kept")
    expect(deleting).to_contain_text("dataset")
    assert [one["id"] for one in api.get("/v1/images?label=many").json()["data"]] == [held]
    expect(page.locator("#gallery-count")).to_have_text("1 picture")
    deleting.get_by_role("button", name="Choose what was kept").click()
    expect(page.locator("#chosen-count")).to_have_text("1 chosen")
    deleting.get_by_role("button", name="Close").click()
    expect(deleting).to_have_count(0)
    page.reload()
    expect(page.locator("#gallery-count")).to_have_text("1 picture")
    expect(deleting).to_have_count(0)
