"""Webhooks over HTTP, delivered by the housekeeping process of a running service."""

import time

import httpx
import pytest


@pytest.fixture
def webhook(service: httpx.Client):
    made = service.post("/v1/webhooks", json={"url": "http://127.0.0.1/hook", "events": ["job.failed"]})
    assert made.status_code == 201, made.text
    yield made.json()
    assert service.delete(f"/v1/webhooks/{made.json()['id']}").status_code == 204


def settled(service: httpx.Client, webhook_id: str) -> dict[str, object]:
    """The newest delivery, once it was tried."""
    for _ in range(100):
        entry = service.get(f"/v1/webhooks/{webhook_id}/deliveries").json()["data"][0]
        if entry["error"] is not None:
            return dict(entry)
        time.sleep(0.2)
    raise AssertionError("never tried")


def test_the_secret_is_shown_once(service: httpx.Client, webhook) -> None:
    assert webhook["secret"].startswith("whsec_")
    (listed,) = [row for row in service.get("/v1/webhooks").json()["data"] if row["id"] == webhook["id"]]
    assert listed == {name: value for name, value in webhook.items() if name != "secret"}
    assert service.get(f"/v1/webhooks/{webhook['id']}").json() == listed


def test_housekeeping_delivers_and_the_log_says_what_came_of_it(service: httpx.Client, webhook) -> None:
    """The receiver is on loopback, where nobody may be called: the log says so, and when it is tried again."""
    ordered = service.post(f"/v1/webhooks/{webhook['id']}/test")
    assert (ordered.status_code, ordered.json()["event"], ordered.json()["status"]) == (202, "webhook.test", "queued")
    entry = settled(service, webhook["id"])
    assert (entry["status"], entry["error"]) == ("queued", "The address is not one that may be called.")
    assert entry["attempts"] == 1
    assert entry["due_at"] is not None
    again = service.post(f"/v1/webhooks/{webhook['id']}/deliveries/{entry['id']}/retry")
    assert again.status_code == 202


def test_a_webhook_is_changed_by_what_is_given(service: httpx.Client, webhook) -> None:
    changed = service.patch(f"/v1/webhooks/{webhook['id']}", json={"kinds": ["training.run"], "active": False}).json()
    assert (changed["kinds"], changed["active"], changed["events"]) == (["training.run"], False, ["job.failed"])
    assert service.patch(f"/v1/webhooks/{webhook['id']}", json={"kinds": None}).json()["kinds"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"url": "http://127.0.0.1:22/x"}, 422),
        ({"url": "file:///etc/passwd"}, 422),
        ({"url": "https://a.example/", "events": ["job.exploded"]}, 422),
        ({"url": "https://a.example/", "events": []}, 422),
        ({}, 422),
    ],
)
def test_bad_webhooks_are_refused(service: httpx.Client, body: dict[str, object], status: int) -> None:
    answer = service.post("/v1/webhooks", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
