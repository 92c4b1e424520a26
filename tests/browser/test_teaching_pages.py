"""Training, evaluation and models on the page: live curves, runs compared, a report, a look inside, the gate, rolling back.

One service teaches the small model for a few steps; what a page shows is held against what the API says.
"""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.acceptance.service import finished
from tests.browser.conftest import OpenPage, connect
from tests.browser.test_datasets_page import listed

pytestmark = pytest.mark.browser

TAUGHT_S = 150
TAUGHT_MS = 1000 * TAUGHT_S
"""A few steps take seconds; on a machine that tests something else beside it, minutes."""


@pytest.fixture(scope="module")
def key(key_of_its_own: str) -> str:
    """This module counts what there is."""
    return key_of_its_own


@pytest.fixture(scope="module")
def dataset(address: str, key: str) -> dict[str, Any]:
    """A dataset of listings, for all tests here."""
    with connect(address, key) as api:
        listed(api, 81, 82)
        ask = {"name": "teaching"}
        made: dict[str, Any] = api.post("/v1/datasets", json=ask, headers={"Prefer": "wait=100"}).json()
        return made


def order_of(dataset: dict[str, Any]) -> dict[str, Any]:
    """As small a training as there is."""
    return {"name": "taught", "dataset_id": dataset["id"], "steps": 2, "batch_size": 1}


def version_of(api: httpx.Client, dataset: dict[str, Any]) -> str:
    """A version that was taught: that of the test before, or one of our own where it did not run."""
    known = api.get("/v1/jobs", params={"kind": "training.run", "status": "succeeded"}).json()["data"]
    job = known[0] if known else finished(api, api.post("/v1/trainings", json=order_of(dataset)).json()["id"], TAUGHT_S)
    assert job["status"] == "succeeded", job
    return str(job["result"]["model_version_id"])


def test_a_training_is_started_and_its_curves_come_while_it_runs(
    opened: OpenPage, api: httpx.Client, dataset: dict[str, Any]
) -> None:
    page = opened.page
    opened.go(f"#/training/new?dataset={dataset['id']}")
    expect(page.locator("#dataset")).to_have_value(dataset["id"])
    expect(page.locator("#purpose")).to_contain_text("small data")
    page.fill("#name", "taught")
    page.fill("#steps", "3")
    page.get_by_label("Batch size").fill("1")
    page.click("#begin")
    expect(page.locator("#training")).to_be_visible()
    expect(page.locator("#latest")).to_contain_text("loss", timeout=TAUGHT_MS)
    expect(page.locator("#training")).to_have_attribute("data-status", "succeeded", timeout=TAUGHT_MS)
    expect(page.locator("#charts canvas").first).to_be_visible()
    job = api.get("/v1/jobs", params={"kind": "training.run", "limit": 1}).json()["data"][0]
    page.get_by_role("link", name="Open the model").click()
    expect(page).to_have_url(re.compile(rf"#/models/{job['result']['model_version_id']}"))
    other = api.post("/v1/trainings", json=order_of(dataset) | {"learning_rate": 0.001}).json()
    api.post(f"/v1/jobs/{other['id']}/cancel").raise_for_status()
    opened.go("#/training")
    for one in (job["id"], other["id"]):
        page.locator(f"[data-row='{one}'] input[type=checkbox]").check()
    expect(page.locator("#differences")).to_contain_text("learning rate")
    expect(page.locator("#differences")).to_contain_text("0.001")
    expect(page.get_by_role("img", name=re.compile("loss of 2 trainings"))).to_be_visible()


def test_models_are_measured_and_the_report_shows_where_they_go_wrong(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    opened.go("#/evaluation")
    page.get_by_role("link", name="Start an evaluation").first.click()
    expect(page.get_by_label("listing", exact=True)).to_be_checked()
    page.get_by_label("without marks").check()
    page.get_by_label("som-llava-tiny").check()
    page.fill("#n", "2")
    expect(page.locator("#begin")).to_have_text("Start 2 evaluations")
    page.click("#begin")
    expect(page.locator("#evaluation")).to_be_visible(timeout=TAUGHT_MS)
    made = page.locator("#evaluation").get_attribute("data-id")
    report = api.get(f"/v1/evaluations/{made}").json()["report"]["comparison"][0]
    rows = page.locator(".runs tbody tr")
    expect(rows).to_have_count(2)
    for number, run in enumerate(report["runs"]):
        sure = run[report["chief"]]
        expect(rows.nth(number)).to_contain_text(f"{sure['value']:.1f}")
        expect(rows.nth(number)).to_contain_text(f"{sure['low']:.1f} to {sure['high']:.1f}")
    worst = page.locator("[data-worst]")
    assert worst.count() == sum(len(run["worst"]) for run in report["runs"]) > 0
    worst.first.scroll_into_view_if_needed()
    expect(worst.first.locator("img")).to_have_attribute("data-state", "shown")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Take it away").click()
    assert taken.value.path().read_text().startswith("<!doctype html>")


def test_a_look_inside_is_painted_on_the_marked_picture(opened: OpenPage, dataset: dict[str, Any]) -> None:
    page = opened.page
    assert dataset["id"]
    opened.go("#/evaluation/look")
    page.fill("#query", "What is mark 2?")
    page.get_by_label("Only words that hold").fill("2")
    page.click("#see")
    expect(page.locator("#look")).to_have_attribute("data-painted", "true", timeout=TAUGHT_MS)
    red = "() => { const c = document.getElementById('look'); return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"
    heat = page.evaluate(red)
    page.get_by_role("button", name="The 20 highest patches").click()
    expect(page.get_by_role("button", name="The 20 highest patches")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(red) != heat
    page.get_by_label("Only words that hold").fill("zebra")
    page.click("#see")
    expect(page.locator(".trouble")).to_contain_text("zebra", timeout=TAUGHT_MS)


def test_a_version_is_deployed_behind_the_gate_and_rolled_back(
    opened: OpenPage, api: httpx.Client, dataset: dict[str, Any]
) -> None:
    page = opened.page
    version = version_of(api, dataset)
    name = f"{api.get(f'/v1/models/{version}').json()['name']}@1"
    opened.go(f"#/models/{version}")
    page.get_by_role("button", name="Deploy", exact=True).click()
    dialog = page.get_by_role("dialog")
    page.click("#add-rule")
    dialog.get_by_label("Benchmark").select_option("listing")
    expect(dialog.get_by_label("Metric")).to_have_value("list_accuracy")
    page.click("#deploy")
    expect(dialog.locator(".trouble")).to_contain_text("no finished evaluation")
    assert api.get(f"/v1/models/{version}").json()["deployed"] is False
    page.click("#force")
    expect(dialog).to_have_count(0)
    expect(page.locator("#model")).to_have_attribute("data-deployed", "true")
    opened.go("#/models")
    expect(page.locator("#answers-now")).to_have_text(name)
    page.click("#roll-back")
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.locator("#answers-now")).not_to_have_text(name)
    assert api.get(f"/v1/models/{version}").json()["deployed"] is False
