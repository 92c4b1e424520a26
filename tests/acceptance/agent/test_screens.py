"""What an agent relies on from one screen to the next: ids that stay, a 409 where the screen has changed, a tree that wins."""

import hashlib
import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.agent.screen_agent import ScreenAgent, perform
from tests.acceptance.agent.tasks import PAGES
from tests.chromium import chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def opened(browser: Browser, name: str, ratio: float = 1.0) -> Page:
    page = browser.new_page(viewport={"width": 1100, "height": 720}, device_scale_factor=ratio)
    page.goto((PAGES / f"{name}.html").as_uri())
    return page


def marked(service: httpx.Client, shot: bytes, **marks) -> dict:
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in marks.items()}
    response = service.post("/v1/marksets", files={"file": shot}, data={"segmenter": "gui"} | form)
    assert response.status_code in {200, 201}, response.text
    return response.json()


def found_again(before: dict, after: dict) -> list[tuple[str, str]]:
    """Pairs of ids of marks that have the same text and the same box, within two pixels."""
    return [
        (old["id"], new["id"])
        for old in before["marks"]
        for new in after["marks"]
        if old["text"] == new["text"]
        and max(abs(a - b) for a, b in zip(old["bbox_xyxy_px"], new["bbox_xyxy_px"], strict=True)) <= 2
    ]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("people", "leaving = 'Grace Hopper'; draw()"),
        ("settings", "document.getElementById('save').click()"),
        ("bookshop", "document.getElementById('stock').click()"),
        ("editor", "state.open = 'File'; draw()"),
    ],
)
def test_what_is_still_there_keeps_its_id(service: httpx.Client, browser: Browser, name: str, change: str) -> None:
    page = opened(browser, name)
    before = marked(service, page.screenshot())
    page.evaluate(change)
    after = marked(service, page.screenshot(), previous_mark_set_id=before["id"])
    assert after["image"]["sha256"] != before["image"]["sha256"]
    pairs = found_again(before, after)
    assert len(pairs) >= 0.4 * len(before["marks"])
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert len({mark["id"] for mark in after["marks"]}) == len(after["marks"])
    page.close()


def test_a_stale_screen_is_refused_and_the_way_on_is_said(service: httpx.Client, browser: Browser) -> None:
    page = opened(browser, "people")
    before = marked(service, page.screenshot())
    page.evaluate("leaving = 'Ada Lovelace'; draw()")
    shot = page.screenshot()
    question = {"task": "act", "query": "Click Yes, remove"}
    known = {"mark_set_id": before["id"], "expect_image_sha256": hashlib.sha256(shot).hexdigest()}
    refused = service.post("/ground", json=question | known)
    problem = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.status_code, problem["code"]) == (409, "image.stale")
    for said in (before["image"]["sha256"], known["expect_image_sha256"], "marks.previous_mark_set_id", "file"):
        assert said in problem["detail"]
    form = question | {"marks": json.dumps({"previous_mark_set_id": before["id"]})}
    answer = service.post("/ground", files={"file": shot}, data=form).json()
    perform(page, answer["action"]["openai"])
    assert page.evaluate("state.people.length") == 5
    fresh = {"mark_set_id": answer["mark_set_id"], "expect_image_sha256": known["expect_image_sha256"]}
    assert service.post("/ground", json=question | fresh).status_code == 200
    page.close()


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_tree_wins_over_pixels_and_says_so(service: httpx.Client, browser: Browser, ratio: float) -> None:
    """An icon button without a word on it: only the tree knows its name. The forms count in CSS pixels."""
    page = opened(browser, "calendar", ratio)
    page.evaluate("document.getElementById('after').setAttribute('aria-label', 'Forward one month')")
    page.locator("#date").click()
    marks = {
        "accessibility_tree": page.aria_snapshot(mode="ai", boxes=True),
        "device_pixel_ratio": ratio,
        "segmenter": "gui",
    }
    form = {"task": "act", "query": "Click Forward one month", "marks": json.dumps(marks)}
    answer = service.post("/ground", files={"file": page.screenshot()}, data=form).json()
    assert answer["decided_by"] == "accessibility"
    assert answer["marks"][0]["role"] == "button"
    x, y = answer["action"]["point_xy_px"]
    click = answer["action"]["openai"]
    assert (click["x"], click["y"]) == (int(x / ratio), int(y / ratio))
    perform(page, click)
    assert page.locator("#month").text_content() == "April 2027"
    page.close()


def test_a_description_finds_what_it_describes(service: httpx.Client, browser: Browser) -> None:
    page = opened(browser, "shop")
    agent = ScreenAgent(service=service, page=page)
    assert agent.do("Click the green button at the top right")
    assert page.evaluate("state.cart") == {"Teapot": 1}
    assert agent.do("Click the fourth Add to cart button")
    assert page.evaluate("state.cart") == {"Teapot": 1, "Egg cup": 1}
    page.close()
