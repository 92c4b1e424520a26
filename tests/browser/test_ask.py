"""Ask: all seven tasks, other settings without sending the picture again, and code that runs as it was copied."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Request, expect

from tests.acceptance.service import ROOT, drawn
from tests.browser.conftest import OpenPage
from tests.unit.models.vlm.vllm_double import Script

pytestmark = pytest.mark.browser


@pytest.fixture
def marked(opened: OpenPage, api: httpx.Client) -> Page:
    """Three named boxes on the picture of three shapes, opened; another picture is marked as well."""
    ids = []
    for seed in (60, 61):
        image = api.post("/v1/images", files={"file": drawn(seed)}).json()
        boxes = {"red box": [30, 40, 110, 120], "blue disc": [150, 50, 240, 140]}
        regions = [{"bbox_xyxy_px": box, "text": text} for text, box in boxes.items()]
        ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
        ids.append(api.post("/v1/marksets", json=ask).json()["id"])
    opened.go(f"#/ask/{ids[0]}")
    expect(opened.page.locator("#marks .mark")).to_have_count(2)
    return opened.page


def test_every_task_is_answered_on_the_page(marked: Page, model: Script) -> None:
    page = marked
    model.free_text = "Mark 1 is a red box."
    questions = {
        "ask": "What is there?",
        "list": "",
        "refer": "the red box",
        "classify": "",
        "phrases": "The red box stands left of the blue disc.",
        "correspond": "",
        "act": "click the red box",
    }
    for count, (task, query) in enumerate(questions.items(), start=1):
        page.select_option("#task", task)
        page.fill("#query", query)
        if task == "classify":
            page.fill("#choices", "box, disc")
        if task == "correspond":
            expect(page.locator("#target option")).not_to_have_count(0)
        page.locator("#send").click()
        expect(page.locator(".answer:not(.waiting)")).to_have_count(count)
        expect(page.locator(".answer").first.locator(".badge")).to_have_text(task)
        expect(page.get_by_role("alert").locator(".notice")).to_have_count(0)
    expect(page.locator(".answer").first.locator(".action")).to_contain_text("Click")
    expect(page.locator(".answer", has_text="phrases").locator(".phrase .chip").first).to_be_visible()


def test_other_settings_do_not_send_the_picture_again(opened: OpenPage) -> None:
    page, sent = opened.page, []

    def heard(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url.removeprefix(opened.address))

    opened.drop("shapes.png", drawn(62))
    expect(page.locator("#marks .mark").first).to_be_visible()
    page.on("request", heard)
    first = page.url
    page.select_option("#style", "som")
    page.wait_for_url(lambda url: url != first)
    second = page.url
    page.select_option("#segmenter", "regions")
    page.wait_for_url(lambda url: url not in (first, second))
    expect(page.locator("#working")).to_have_count(0)
    assert sent == ["/v1/marksets", "/v1/marksets"]
    expect(page.locator("#facts")).to_contain_text("regions")


def test_code_runs_as_it_was_copied(marked: Page, model: Script, tmp_path: Path) -> None:
    page = marked
    model.free_text = "It is 1."
    (tmp_path / "picture.png").write_bytes(drawn(60))
    page.fill("#query", "Which one's red?")
    page.locator("#copy-ask").click()
    code = {}
    for form in ("curl", "Python", "OpenAI client"):
        page.get_by_role("dialog").get_by_role("button", name=form, exact=True).click()
        code[form] = page.locator("#code").inner_text()
    assert "Which one" in code["OpenAI client"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/app/client"}
    runs = {
        "curl": ["bash", "-c", code["curl"]],
        "Python": [sys.executable, "-c", code["Python"]],
        "OpenAI client": [sys.executable, "-c", code["OpenAI client"]],
    }
    for form, argv in runs.items():
        done = subprocess.run(
            argv, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, (form, code[form], done.stderr)
        assert "It is 1." in done.stdout, (form, done.stdout)
