"""Composing a mixture on the page: a look at what it would hold, the build, its samples and its export."""

import json

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.service import drawn, finished
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

BOXES = ([30, 40, 110, 120], [150, 50, 240, 140], [60, 150, 180, 220])
NAMES = ("square", "circle", "triangle")


@pytest.fixture(scope="module")
def key(key_of_its_own: str) -> str:
    """This module counts what there is."""
    return key_of_its_own


def listed(api: httpx.Client, *seeds: int) -> None:
    """Have listings written about pictures with named marks."""
    marked: dict[str, str] = {}
    for seed in seeds:
        image = api.post("/v1/images", files={"file": drawn(seed)}).json()["id"]
        regions = [{"bbox_xyxy_px": box, "text": name} for box, name in zip(BOXES, NAMES, strict=True)]
        body = {"image": {"type": "id", "id": image}, "regions": regions}
        marked[image] = api.post("/v1/marksets", json=body, headers={"Prefer": "wait=100"}).json()["id"]
    order = {
        "kind": "listing",
        "writer": "rules",
        "images": {"ids": list(marked)},
        "mark_set_ids": list(marked.values()),
    }
    job = finished(api, api.post("/v1/annotations", json=order).json()["id"])
    assert job["status"] == "succeeded", job


def figure(page: Page, name: str) -> str:
    return page.locator("#figures div", has_text=name).locator("dd").inner_text()


def test_a_mixture_is_composed_looked_at_built_and_taken_away(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    listed(api, 71, 72, 73)
    opened.go("#/datasets")
    page.get_by_role("link", name="Compose a mixture").first.click()
    page.fill("#name", "page-shapes")
    page.get_by_label("listing", exact=True).check()
    page.get_by_label("At most").fill("2")
    page.click("#look")
    expect(page.locator("#preview .sample")).to_have_count(2)
    assert figure(page, "Texts") == "2"
    assert "1. square" in page.locator("#preview .sample").first.inner_text()
    expect(page.locator("#preview .sample img").first).to_have_attribute("data-state", "shown")
    assert api.get("/v1/datasets", params={"name": "page-shapes"}).json()["data"] == [], "a look stores nothing"
    page.get_by_label("At most").fill("3")
    expect(page.locator("#preview")).to_have_attribute("data-stale", "true")
    page.click("#build")
    expect(page.locator("#dataset")).to_be_visible()
    made = api.get("/v1/datasets", params={"name": "page-shapes"}).json()["data"][0]
    expect(page.locator("#dataset")).to_have_attribute("data-id", made["id"])
    assert (figure(page, "Texts"), made["statistics"]["texts"]) == ("3", 3)
    expect(page.locator(".sample")).to_have_count(3)
    with page.expect_download() as taken:
        page.get_by_role("button", name="LLaVA JSON").click()
    assert taken.value.suggested_filename == "page-shapes-1.json"
    assert len(json.loads(taken.value.path().read_text())) == 3


def test_what_cannot_be_built_says_why_and_what_to_do(opened: OpenPage) -> None:
    page = opened.page
    opened.go("#/datasets/new")
    page.fill("#name", "nothing")
    page.get_by_label("concept document").check()
    page.click("#build")
    expect(page.locator(".trouble")).to_contain_text("No text fits this recipe")
    page.select_option("#recipe", "som-llava-695k")
    expect(page.locator("[data-part]").first).to_be_visible()
    page.click("#look")
    expect(page.locator(".trouble")).to_contain_text("folder of imports")
