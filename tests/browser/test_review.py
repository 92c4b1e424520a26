"""What a reviewer does on the page: one key each to accept, edit and reject, with the marked picture beside."""

from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.acceptance.service import drawn, finished
from tests.browser.conftest import OpenPage, connect

pytestmark = pytest.mark.browser
NAMES = ("red thing", "blue thing")


@pytest.fixture(scope="module")
def key(key_of_its_own: str) -> str:
    """This module counts what there is."""
    return key_of_its_own


@pytest.fixture(scope="module")
def texts(address: str, key: str) -> list[dict[str, Any]]:
    """Four listings that nobody has reviewed, newest first."""
    with connect(address, key) as api:
        mark_set_ids = []
        for seed in range(50, 54):
            image = api.post("/v1/images", files={"file": drawn(seed)}, data={"labels": '["review"]'}).json()
            regions = [
                {"bbox_xyxy_px": [30.0 + 130 * n, 40, 110.0 + 130 * n, 120], "text": name}
                for n, name in enumerate(NAMES)
            ]
            ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
            mark_set_ids.append(api.post("/v1/marksets", json=ask).json()["id"])
        order = {"images": {"label": "review"}, "mark_set_ids": mark_set_ids}
        job = finished(api, api.post("/v1/annotations", json=order).json()["id"])
        found: list[dict[str, Any]] = api.get("/v1/texts", params={"job_id": job["id"]}).json()["data"]
        return found


def test_one_key_each_and_a_corrected_mark(opened: OpenPage, api: httpx.Client, texts: list[dict[str, Any]]) -> None:
    page = opened.page
    first, second, third, fourth = (text["id"] for text in texts)

    def state(text_id: str) -> dict[str, Any]:
        body: dict[str, Any] = api.get(f"/v1/texts/{text_id}").json()
        return body

    opened.go("#/review")
    expect(page.locator("#review-count")).to_have_text("1 of 4")
    expect(page.locator("#review-turns li.gpt p")).to_have_text("1. red thing\n2. blue thing")
    assert page.locator("#review-picture").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 320
    page.keyboard.press("a")
    expect(page.locator("#review-count")).to_have_text("2 of 4")
    assert state(first)["review"] == "accepted"

    page.keyboard.press("e")
    area = page.locator("#review-turns li.gpt textarea")
    expect(area).to_be_focused()
    area.fill("1. red box\n2. blue disc")
    page.keyboard.press("a")
    area.press("Control+Enter")
    expect(page.locator("#review-count")).to_have_text("3 of 4")
    assert state(second)["review"] == "edited"
    assert "blue disc" in state(second)["conversations"][1]["value"]

    page.select_option("#review-reason", "wrong")
    page.locator("#review-kind").click()
    page.keyboard.press("r")
    expect(page.locator("#review-count")).to_have_text("4 of 4")
    assert state(third)["review"] == "rejected"

    page.fill("#correct-name", "green thing")
    page.click("#correct button")
    expect(page.locator("#review-notes")).to_contain_text("no longer fits")
    assert state(fourth)["outdated"]["fits"] is False
    page.locator("#review-kind").click()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#review-empty")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#review-count")).to_have_text("4 of 4")
