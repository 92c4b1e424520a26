"""Keys, webhooks and the audit log on the page: a secret is shown once, what is off is off, every act leaves a line."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser


def test_a_key_is_made_shown_once_used_and_revoked(opened: OpenPage, api: httpx.Client, address: str) -> None:
    page = opened.page
    opened.go("#/settings/keys")
    page.click("#new-key")
    page.fill("#key-name", "robot")
    page.get_by_label("jobs", exact=True).uncheck()
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#secret").inner_text()
    made = api.get("/v1/keys").json()["data"][0]
    assert (made["name"], made["scopes"]) == ("robot", ["mark", "ground"])
    assert secret.startswith(made["prefix"])
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {secret}"}) as robot:
        assert robot.get("/v1/images").status_code == 200
        assert robot.get("/v1/keys").status_code == 403
        page.get_by_role("button", name="It is kept").click()
        expect(page.locator("#secret")).to_have_count(0)
        assert secret not in page.content()
        page.get_by_role("button", name="Revoke robot").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(page.locator(f"[data-row='{made['id']}']")).to_contain_text("revoked")
        assert robot.get("/v1/images").status_code == 401
    opened.go("#/settings/audit")
    expect(page.locator("tbody tr").first).to_contain_text("key.revoked")
    expect(page.locator("tbody tr").first).to_contain_text("robot")


def test_a_webhook_is_added_tried_switched_off_and_forgotten(opened: OpenPage, api: httpx.Client) -> None:
    page = opened.page
    opened.go("#/settings/webhooks")
    page.click("#new-webhook")
    page.fill("#webhook-url", "ftp://hooks.example.org/")
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.get_by_role("dialog").locator(".trouble")).to_contain_text("Only http and https")
    page.fill("#webhook-url", "http://127.0.0.1/hook")
    page.get_by_label("succeeded").uncheck()
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.locator("#secret")).to_contain_text("whsec_")
    page.get_by_role("button", name="It is kept").click()
    made = api.get("/v1/webhooks").json()["data"][0]
    assert (made["url"], made["events"]) == ("http://127.0.0.1/hook", ["job.failed", "job.cancelled"])
    box = page.locator(f"[data-webhook='{made['id']}']")
    box.get_by_role("button", name="Test").click()
    log = box.locator("[data-log] tbody tr")
    expect(log).to_have_count(1)
    expect(log).to_contain_text("webhook.test")
    box.get_by_role("button", name="Switch off").click()
    expect(box.get_by_text("off", exact=True)).to_be_visible()
    assert api.get(f"/v1/webhooks/{made['id']}").json()["active"] is False
    box.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(box).to_have_count(0)
    assert api.get("/v1/webhooks").json()["data"] == []
