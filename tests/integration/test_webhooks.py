"""Webhooks from the end of a job to a receiver's door: signed, repeated, logged, and never to an address that is not allowed."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from ipaddress import ip_network
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from app.catalog.session import transaction
from app.catalog.tables import WebhookDeliveryRow
from app.catalog.webhooks import WebhookRepository, claim_due
from app.imaging.fetch import FetchPolicy
from app.queue import leases
from app.queue.control import cancel
from app.queue.outbox import enqueue
from app.queue.tasks import JobStatus
from app.services import webhooks
from tests.integration.web_stub import WebStub, answer, redirect, running
from workers.postman import Postman

ADDRESS = "127.0.0.2"
RETRIES_S = (0.0, 0.0)


@pytest.fixture
def receiver() -> Iterator[WebStub]:
    with running(ADDRESS) as stub:
        stub.paths["/hook"] = answer(204)
        yield stub


@pytest.fixture
def policy(receiver: WebStub) -> FetchPolicy:
    allowed = (ip_network(f"{ADDRESS}/32"),)
    return FetchPolicy(ports=frozenset({receiver.port}), allow_networks=allowed, connect_s=1.0, total_s=2.0)


@pytest.fixture
def postman(queue_engine: Engine, engine: Engine, policy: FetchPolicy) -> Postman:
    return Postman(queue_engine, engine, policy, retry_after_s=RETRIES_S, resolver=lambda *_: [ADDRESS])


@pytest.fixture
def subscribe(engine: Engine, tenant: UUID, policy: FetchPolicy, receiver: WebStub):
    def make(path: str = "/hook", events: tuple[str, ...] = webhooks.EVENTS, kinds=None, of=tenant) -> tuple[UUID, str]:
        url = f"http://receiver.test:{receiver.port}{path}"
        with transaction(engine, of) as session:
            row, secret = webhooks.add(session, policy, url=url, events=list(events), kinds=kinds)
            return row.id, secret

    return make


@pytest.fixture
def finished(engine: Engine, queue_engine: Engine, tenant: UUID):
    """Order a job and end it, as a worker does."""

    def end(status: JobStatus = JobStatus.SUCCEEDED, kind: str = "training.run", of=tenant) -> UUID:
        with transaction(engine, of) as session:
            job_id = enqueue(session, kind=kind, queue="batch", payload={}).id
        with transaction(queue_engine, None) as session:
            claim = leases.claim(session, job_id, worker="test", lease_s=30)
        assert claim is not None
        with transaction(engine, of) as session:
            leases.finish(session, claim, status, result={"model_version_id": "m1"})
        return job_id

    return end


@pytest.fixture
def log(engine: Engine, tenant: UUID):
    def read(webhook_id: UUID) -> list[WebhookDeliveryRow]:
        with transaction(engine, tenant) as session:
            return WebhookRepository(session).deliveries_after(webhook_id, limit=50, after=None).rows

    return read


def headers(head: bytes) -> dict[str, str]:
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])}


def test_the_signature_is_that_of_the_specification() -> None:
    """The vector that libraries of the specification are tested with."""
    signed = webhooks.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_end_of_a_job_arrives_signed(subscribe, finished, postman, log, receiver) -> None:
    webhook_id, secret = subscribe()
    job_id = finished()
    assert postman.round() == 1
    sent, (body,) = headers(receiver.heads[0]), receiver.bodies
    assert receiver.heads[0].startswith(b"POST /hook HTTP/1.1")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert sent["webhook-signature"] == f"v1,{expected}"
    said = json.loads(body)
    assert (said["type"], said["data"]["id"], said["data"]["status"]) == ("job.succeeded", str(job_id), "succeeded")
    assert said["data"]["result"] == {"model_version_id": "m1"}
    (entry,) = log(webhook_id)
    assert (entry.status, entry.attempts, entry.response_status, entry.error) == ("delivered", 1, 204, None)
    assert said["id"] == sent["webhook-id"] == str(entry.id)
    assert postman.round() == 0


@pytest.mark.parametrize(
    ("events", "kinds", "expected"),
    [
        (("job.failed",), None, ["job.failed"]),
        (("job.succeeded", "job.failed"), ["training.run"], ["job.succeeded"]),
        (("job.cancelled",), None, []),
        (("job.succeeded",), ["import.create"], []),
    ],
)
def test_only_what_was_asked_for_is_told(subscribe, finished, log, events, kinds, expected) -> None:
    webhook_id, _ = subscribe(events=events, kinds=kinds)
    finished(JobStatus.SUCCEEDED, "training.run")
    finished(JobStatus.FAILED, "annotation.create")
    assert [entry.event for entry in log(webhook_id)] == expected


def test_a_job_that_never_began_is_told_too(engine, tenant, subscribe, log) -> None:
    webhook_id, _ = subscribe()
    with transaction(engine, tenant) as session:
        job_id = enqueue(session, kind="import.create", queue="batch", payload={}).id
    with transaction(engine, tenant) as session:
        cancel(session, job_id)
    assert [entry.event for entry in log(webhook_id)] == ["job.cancelled"]


def test_nothing_is_told_of_an_end_that_was_rolled_back(engine, queue_engine, tenant, subscribe, log) -> None:
    webhook_id, _ = subscribe()
    with transaction(engine, tenant) as session:
        job_id = enqueue(session, kind="import.create", queue="batch", payload={}).id

    def cancel_and_fail() -> None:
        with transaction(engine, tenant) as session:
            cancel(session, job_id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cancel_and_fail()
    assert log(webhook_id) == []


def test_no_tenant_hears_of_anothers_jobs(subscribe, finished, log, postman, receiver, other_tenant) -> None:
    webhook_id, _ = subscribe()
    subscribe(path="/other", of=other_tenant)
    finished(of=other_tenant)
    assert log(webhook_id) == []
    assert postman.round() == 1
    assert receiver.heads[0].startswith(b"POST /other")


def test_a_receiver_that_errs_is_asked_again_until_the_tries_are_used_up(
    subscribe, finished, postman, log, receiver
) -> None:
    webhook_id, _ = subscribe()
    receiver.paths["/hook"] = answer(500)
    finished()
    rounds = [postman.round() for _ in range(4)]
    assert rounds == [1, 1, 1, 0]
    (entry,) = log(webhook_id)
    assert (entry.status, entry.attempts, entry.error) == ("failed", 3, "The receiver answered 500.")
    assert len({headers(head)["webhook-id"] for head in receiver.heads}) == 1


def test_a_repaired_receiver_gets_what_failed(engine, tenant, subscribe, finished, postman, log, receiver) -> None:
    webhook_id, _ = subscribe()
    receiver.paths["/hook"] = answer(500)
    finished()
    while postman.round():
        pass
    receiver.paths["/hook"] = answer(200)
    with transaction(engine, tenant) as session:
        rows = WebhookRepository(session)
        rows.send_again(rows.delivery(log(webhook_id)[0].id, webhook_id))
    assert postman.round() == 1
    assert log(webhook_id)[0].status == "delivered"


def test_a_redirect_is_not_followed(subscribe, finished, postman, log, receiver) -> None:
    webhook_id, _ = subscribe()
    receiver.paths["/hook"] = redirect(b"/elsewhere")
    finished()
    postman.round()
    assert len(receiver.heads) == 1
    assert log(webhook_id)[0].error == "The receiver answered 302."


def test_gone_switches_the_webhook_off(engine, tenant, subscribe, finished, postman, log, receiver) -> None:
    webhook_id, _ = subscribe()
    receiver.paths["/hook"] = answer(410)
    finished()
    postman.round()
    assert log(webhook_id)[0].status == "failed"
    finished()
    assert len(log(webhook_id)) == 1
    with transaction(engine, tenant) as session:
        assert not WebhookRepository(session).get(webhook_id).active


def test_an_address_that_became_private_is_not_called(
    queue_engine, engine, policy, subscribe, finished, log, receiver
) -> None:
    webhook_id, _ = subscribe()
    finished()
    Postman(queue_engine, engine, policy, retry_after_s=(60.0,), resolver=lambda *_: ["10.0.0.7"]).round()
    assert receiver.heads == []
    (entry,) = log(webhook_id)
    assert (entry.status, entry.error) == ("queued", "The address is not one that may be called.")


@pytest.mark.parametrize("url", ["ftp://a.example/", "http://user:pw@a.example/", "http://a.example:22/", "nonsense"])
def test_a_url_that_could_never_be_called_is_refused_at_once(engine, tenant, policy, url: str) -> None:
    with transaction(engine, tenant) as session, pytest.raises(webhooks.BadWebhook):
        webhooks.add(session, policy, url=url, events=["job.failed"], kinds=None)


def test_a_dead_postmans_delivery_is_taken_on_again_and_his_word_does_not_count(
    engine, queue_engine, tenant, subscribe, finished, postman, log
) -> None:
    webhook_id, _ = subscribe()
    finished()
    with transaction(queue_engine, None) as session:
        (dead,) = claim_due(session, limit=8, lease_s=60)
    assert postman.round() == 0
    with transaction(engine, tenant) as session:
        session.execute(text("UPDATE webhook_deliveries SET due_at = now() - interval '1 second'"))
    assert postman.round() == 1
    with transaction(engine, tenant) as session:
        assert not WebhookRepository(session).settle(dead, status="failed", error="late")
    assert (log(webhook_id)[0].status, log(webhook_id)[0].attempts) == ("delivered", 2)


def test_a_webhook_deleted_while_its_delivery_is_under_way_stops_no_other(
    engine, tenant, subscribe, finished, postman, log, receiver
) -> None:
    """The receiver has its webhook deleted before it answers; 410 would have it switched off, and there is nothing to switch."""
    leaving, _ = subscribe(path="/leaving")
    staying, _ = subscribe()

    def leave(connection: socket.socket) -> None:
        with transaction(engine, tenant) as session:
            WebhookRepository(session).delete(leaving)
        answer(410)(connection)

    receiver.paths["/leaving"] = leave
    finished()
    assert postman.round() == 2
    assert [entry.status for entry in log(staying)] == ["delivered"]
    assert postman.round() == 0


def test_a_webhook_deleted_between_claim_and_delivery_stops_no_other(
    engine, tenant, subscribe, finished, postman, log, receiver
) -> None:
    leaving, _ = subscribe(path="/leaving")
    staying, _ = subscribe()
    finished()

    def leave(_claiming: Session) -> None:
        with transaction(engine, tenant) as session:
            WebhookRepository(session).delete(leaving)

    event.listen(Session, "after_commit", leave, once=True)
    assert postman.round() == 2
    assert [entry.status for entry in log(staying)] == ["delivered"]
    assert [head.split(b"\r\n")[0] for head in receiver.heads] == [b"POST /hook HTTP/1.1"]
