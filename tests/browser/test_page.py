"""What a person does on the page: drop a picture, point at marks, ask, watch jobs."""

import re

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect
from pycocotools import mask as coco

from app.http.pages import BUILT
from app.imaging.encode import encode
from tests.acceptance.service import drawn
from tests.browser.conftest import OpenPage
from tests.unit.models.vlm.vllm_double import Script

pytestmark = pytest.mark.browser


def open_marked(opened: OpenPage, api: httpx.Client, seed: int = 1) -> dict:
    """Drop a picture and wait for its marks; returns the mark set."""
    opened.drop("shapes.png", drawn(seed))
    expect(opened.page.locator("#marks .mark").first).to_be_visible()
    return shown_set(opened.page, api)


def shown_set(page: Page, api: httpx.Client) -> dict:
    """The mark set that the address of the page names."""
    found = re.search(r"#/ask/([0-9a-f-]{36})", page.url)
    assert found, page.url
    return api.get(f"/v1/marksets/{found[1]}?include=masks").json()


def ask(page: Page, query: str, task: str = "ask") -> None:
    page.select_option("#task", task)
    page.fill("#query", query)
    page.press("#query", "Enter")


def next_frame(page: Page) -> None:
    """Wait until what was done is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_dropped_picture_becomes_marked_picture(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    opened.drop("shapes.png", drawn(11))
    expect(page.locator("#working [role=progressbar]")).to_be_visible()
    expect(page.locator("#marks .mark").first).to_be_visible()
    expect(page.locator("#working")).to_be_hidden()
    found = shown_set(page, api)
    assert len(found["marks"]) >= 3
    assert page.locator("#marks .mark").count() == len(found["marks"])
    assert page.locator("#picture").evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [320, 240]


def test_mark_under_the_pointer_and_its_row_light_each_other(opened: OpenPage, api: httpx.Client) -> None:
    page, stage = opened.page, opened.page.locator("#stage")
    mark = max(open_marked(opened, api)["marks"], key=lambda mark: mark["score"] if mark["area_px"] < 20_000 else -1)
    x, y = mark["point_xy_px"]
    assert opened.light_at(x, y)[3] == 0
    page.mouse.move(*opened.point(x, y))
    expect(stage).to_have_attribute("data-hovered", mark["id"])
    expect(page.locator(f"#marks [data-mark='{mark['id']}']")).to_have_class(re.compile("front"))
    expect(page.locator("#pointed")).to_contain_text(mark["id"])
    assert opened.light_at(x, y)[3] == 0, "the region itself stays bright"
    assert opened.light_at(2, 2)[3] > 100, "the rest is dimmed"
    page.mouse.move(2, 2)
    expect(stage).to_have_attribute("data-hovered", "")
    page.locator(f"#marks [data-mark='{mark['id']}']").focus()
    expect(stage).to_have_attribute("data-hovered", mark["id"])


def test_answer_lights_the_named_marks_and_strikes_the_invented(
    opened: OpenPage, api: httpx.Client, model: Script
) -> None:
    page, stage = opened.page, opened.page.locator("#stage")
    marks = open_marked(opened, api, 2)["marks"]
    model.free_text, model.delay_s = "👋 It is [2], not [77].", 0.5
    ask(page, "Which one?")
    expect(page.locator(".answer.waiting [role=progressbar]")).to_be_visible()
    card = page.locator(".answer.open")
    expect(card.locator(".answer-text")).to_have_text("👋 It is [2], not [77].")
    expect(card.locator(".answer-text .chip")).to_have_text("[2]")
    expect(card.locator("s.missing")).to_have_text("77")
    expect(stage).to_have_attribute("data-lit", "2")
    second = next(mark for mark in marks if mark["id"] == "2")
    assert opened.light_at(*second["point_xy_px"])[3] == 0
    card.locator(".answer-text .chip").hover()
    expect(stage).to_have_attribute("data-hovered", "2")


def test_act_shows_where_and_how_surely(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    open_marked(opened, api, 3)
    ask(page, "click the first one", "act")
    card = page.locator(".answer.open")
    expect(card.locator(".action")).to_contain_text("Click")
    answer = api.get("/v1/answers", params={"limit": 1}).json()["data"][0]
    percent = round(100 * answer["selected"][0]["confidence"])
    expect(card.get_by_role("meter").first).to_have_attribute("aria-valuenow", str(percent))
    x, y = answer["action"]["point_xy_px"]
    expect(page.locator("#stage")).to_have_attribute("data-aim", re.compile(rf"^{x:g} {y:g}$"))


def test_reload_restores_picture_and_questions(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    marks = open_marked(opened, api, 4)["marks"]
    ask(page, "And again?")
    expect(page.locator(".answer.open")).to_be_visible()
    page.reload()
    expect(page.locator("#marks .mark")).to_have_count(len(marks))
    expect(page.locator(".answer .query")).to_have_text("And again?")


def test_job_list_shows_progress_cancels_and_retries(opened: OpenPage, api: httpx.Client, model: Script) -> None:
    page = opened.page
    open_marked(opened, api, 5)
    model.delay_s = 4
    ask(page, "Something slow")
    expect(page.locator(".answer.waiting")).to_be_visible()
    page.get_by_role("link", name="Jobs").click()
    job = page.locator("#joblist .job").first
    expect(job.locator(".badge")).to_have_text("running")
    expect(job.get_by_role("progressbar")).to_have_attribute("aria-label", "Answer a question: running")
    expect(page.locator("#jobs-count")).to_have_text("1")
    job.get_by_role("button", name="Cancel").click()
    expect(job.locator(".badge")).to_have_text("cancelled")
    model.delay_s = 0
    job.get_by_role("button", name="Retry").click()
    expect(job.locator(".badge")).to_have_text("succeeded")
    expect(job.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")
    job.get_by_role("button", name="Open").click()
    expect(page.locator("#stage")).to_be_visible()


def test_failed_items_are_shown_with_their_reason_and_picture(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    blank = encode(np.full((64, 64, 3), 240, np.uint8))
    image = api.post("/v1/images", files={"file": blank}, data={"labels": '["blank"]'}).json()
    job = api.post("/v1/annotations", json={"images": {"ids": [image["id"]]}}).json()
    opened.go(f"#/jobs/{job['id']}")
    expect(page.locator("#job")).to_have_attribute("data-status", "failed", timeout=120_000)
    item = page.locator("#items .item")
    expect(item.locator(".job-error")).not_to_be_empty()
    expect(item.locator("img[data-state=shown]")).to_be_visible()
    expect(page.locator("#log li, #job .job-error").first).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#job .facts-list dd").first).to_have_text("2", timeout=120_000)
    expect(page.locator("#job")).to_have_attribute("data-status", "failed", timeout=120_000)


def test_refusal_is_said_with_its_request_id(opened: OpenPage) -> None:
    opened.drop("broken.png", b"\x89PNG\r\n\x1a\nnothing more")
    notice = opened.page.get_by_role("alert").locator(".notice")
    expect(notice.locator("code")).to_have_text(re.compile(r"^[0-9a-f]{16}$"))
    expect(opened.page.locator("#drop")).to_be_visible()
    notice.get_by_role("button").click()
    expect(notice).to_have_count(0)


def test_server_with_keys_is_given_the_key(opened: OpenPage) -> None:
    refusal = {"title": "No valid key was given", "status": 401, "request_id": "0"}
    seen = []

    def guard(route: Route) -> None:
        headers = dict(route.request.headers)
        seen.append(headers.pop("authorization", None))
        if seen[-1] == "Bearer right":
            route.continue_(headers=headers)
        else:
            route.fulfill(status=401, content_type="application/problem+json", json=refusal)

    page = opened.page
    page.route("**/v1/**", guard)
    opened.drop("shapes.png", drawn(8))
    for key, title in (("wrong", "This server wants a key"), ("right", "The key was not accepted")):
        expect(page.get_by_role("dialog", name=title)).to_be_visible()
        page.fill("#key", key)
        page.press("#key", "Enter")
    expect(page.locator("#marks .mark").first).to_be_visible()
    assert seen[0] is None
    assert "Bearer wrong" in seen
    assert set(seen[-3:]) == {"Bearer right"}


def test_text_of_a_picture_never_becomes_markup(opened: OpenPage, api: httpx.Client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    image = api.post("/v1/images", files={"file": drawn(6)}).json()
    region = {"bbox_xyxy_px": [10, 10, 90, 60], "text": evil, "role": evil}
    made = api.post("/v1/marksets", json={"image": {"type": "id", "id": image["id"]}, "regions": [region]}).json()
    page = opened.page
    page.goto(f"{opened.address}/#set={made['id']}")
    expect(page.locator("#marks .what")).to_have_text(evil)
    page.locator("#marks .mark").hover()
    expect(page.locator("#pointed")).to_contain_text(evil)
    assert page.locator("#marks img, #pointed img").count() == 0


def test_back_leads_to_the_picture_before_and_a_drag_moves_the_zoomed_one(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    first = open_marked(opened, api, 9)
    opened.drop("other.png", drawn(10))
    page.wait_for_url(lambda url: "#/ask/" in url and first["id"] not in url)
    page.go_back()
    expect(page.locator("#working")).to_be_hidden()
    assert shown_set(page, api)["id"] == first["id"]
    page.mouse.move(*opened.point(160, 120))
    page.mouse.wheel(0, -600)
    expect(page.locator("#stage")).to_have_class(re.compile("zoomed"))
    # Pointers move by whole pixels.
    page.mouse.move(500, 400)
    page.mouse.down()
    x, y = opened.point(160, 120)
    page.mouse.move(540, 425, steps=4)
    page.mouse.up()
    expect(page.locator("#stage")).to_have_attribute("data-pinned", "")
    next_frame(page)
    assert np.allclose(opened.point(160, 120), [x + 40, y + 25], atol=0.1)


def test_keyboard_zooms_and_narrow_windows_do_not_scroll_sideways(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    open_marked(opened, api, 7)
    before = page.locator("#picture").bounding_box()
    page.locator("#stage").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    next_frame(page)
    after = page.locator("#picture").bounding_box()
    assert before
    assert after
    assert after["width"] > 1.4 * before["width"]
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("Jobs", "Review", "Ask"):
        page.get_by_role("button", name="Pages").click()
        page.get_by_role("dialog").get_by_role("link", name=name).click()
        expect(page.locator(f"main .page.{name.lower()}")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_masks_decode_as_pycocotools_does(opened: OpenPage) -> None:
    rng = np.random.default_rng(0)
    masks = [rng.random((h, w)) < share for h, w, share in [(1, 1, 1), (1, 9, 0.5), (37, 23, 0.1), (64, 300, 0.9)]]
    masks += [np.zeros((5, 7), bool), np.kron(rng.random((6, 5)) < 0.5, np.ones((90, 70))).astype(bool)]
    rles = [coco.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in masks]
    (built,) = (BUILT / "assets").glob("rle-*.js")
    decoded = opened.page.evaluate(
        """async ([name, rles]) => {
          const { decodeRle, cropOf, contains } = await import(`/static/assets/${name}`);
          return rles.map((rle) => {
            const mask = decodeRle(rle);
            const whole = cropOf(mask, [0, 0, mask.width, mask.height]);
            const byPoint = [...whole.alpha].map((_, i) =>
              contains(mask, i % mask.width + 0.5, Math.floor(i / mask.width) + 0.5));
            return [[...whole.alpha].map((value) => value === 255), byPoint];
          });
        }""",
        [built.name, [{"size": list(rle["size"]), "counts": rle["counts"].decode()} for rle in rles]],
    )
    for mask, (alpha, by_point) in zip(masks, decoded, strict=True):
        assert np.array_equal(np.reshape(alpha, mask.shape), mask)
        assert np.array_equal(np.reshape(by_point, mask.shape), mask)
