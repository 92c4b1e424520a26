"""The client package against the running service: three lines to a point, and everything around it."""

import asyncio
import json
from pathlib import Path

import pytest

from markwise import AsyncClient, BadRequest, Client, NotFound
from tests.acceptance.service import DEMO_PAGE, drawn

REGIONS = [{"bbox_xyxy_px": [30, 40, 110, 120], "text": "Save"}, {"bbox_xyxy_px": [150, 40, 220, 120], "text": "Open"}]


@pytest.fixture(scope="module")
def client(service_url: str):
    with Client(service_url) as made:
        yield made


def test_three_lines(service_url: str) -> None:
    client = Client(service_url)
    answer = client.ground(DEMO_PAGE, "Click Find trains", task="act")
    client.close()
    x, y = answer.marks[0].point_xy_px
    assert answer.action is not None
    assert answer.action.point_xy_px == (x, y)
    left, top, right, bottom = answer.marks[0].bbox_xyxy_px
    assert left < x < right
    assert top < y < bottom


def test_a_mark_set_is_asked_corrected_shown_and_exported(client: Client) -> None:
    marks = client.mark(drawn(701), segmenter="provided", regions=REGIONS, masks=True)
    assert [mark.text for mark in marks.marks] == ["Save", "Open"]
    assert marks.marks[0].rle is not None
    assert client.mark_set(marks.id).marks[0].rle is None
    answers = client.ground_many(marks, ["Click Save", "Click Open"], task="act")
    assert [each.selected[0].mark for each in answers] == ["1", "2"]
    assert [each.id for each in client.answers(mark_set=marks)] == [each.id for each in reversed(answers)]
    corrected = client.correct_mark(marks, "1", text="Store")
    assert corrected.mark("1").text == "Store"
    assert client.overlay(marks).startswith(b"\x89PNG")
    assert client.mark_set_thumbnail(marks, side_px=160).startswith(b"RIFF")
    assert json.loads(client.export_marks(marks, format="coco"))["annotations"]


def test_images_are_listed_shown_and_deleted(client: Client) -> None:
    kept = {client.upload(drawn(seed), labels=["client-test"]).id for seed in range(710, 713)}
    assert {image.id for image in client.images(label="client-test")} == kept
    gone = next(client.images(label="client-test"))
    assert client.image_content(gone).startswith(b"\x89PNG")
    client.delete_image(gone)
    with pytest.raises(NotFound):
        client.image(gone.id)


def test_texts_become_a_dataset_and_a_file(client: Client, tmp_path: Path) -> None:
    image = client.upload(drawn(720), labels=["client-set"])
    marks = client.mark(image, segmenter="provided", regions=REGIONS)
    job = client.annotate(kind="listing", images={"label": "client-set"}, mark_set_ids=[marks.id])
    assert [event.name for event in client.job_events(job)][-1] == "completed"
    done = client.wait(job, timeout_s=120)
    assert client.job(done, order=True).order is not None
    assert [item.status for item in client.job_items(done)] == ["succeeded"]
    (text,) = client.texts(job=done)
    assert client.review(text, "accepted").review == "accepted"
    assert [each.review for each in client.text_revisions(text)] == ["unreviewed", "accepted"]
    (judged,) = client.review_statistics(job=done).data
    assert (judged.texts, judged.accepted, judged.agreement_rate) == (1, 1, 1.0)
    (wrote,) = client.annotation(done).texts
    assert (wrote.writer, wrote.texts, wrote.first_try_rate) == ("rules", 1, None)
    seen = client.preview_dataset("client-set", job_ids=[done.id])
    dataset = client.build_dataset("client-set", job_ids=[done.id])
    assert (seen.content_sha256, seen.statistics) == (dataset.content_sha256, dataset.statistics)
    assert (
        [each.text_id for each in client.dataset_texts(dataset)] == [each.text_id for each in seen.samples] == [text.id]
    )
    written = client.export_dataset(dataset, tmp_path / "set.json")
    assert len(json.loads(written.read_text())) == 1


def test_what_there_is_to_choose_from(client: Client) -> None:
    assert {("listing", "rules"), ("listing", "vlm")} <= {(each.kind, each.writer) for each in client.writers()}
    assert {"som-llava-695k", "tiny-v2"} <= {each.name for each in client.recipes()}
    assert "listing" in {each.name for each in client.benchmarks() if each.source == "drawings"}
    assert "som-llava-tiny" in {each.name for each in client.models()}


def test_where_a_model_looks(client: Client) -> None:
    marks = client.mark(drawn(701), segmenter="provided", regions=REGIONS)
    look = client.look(marks, "What is [1]?", only="1")
    assert (look.mark_set_id, look.model) == (marks.id, "som-llava-tiny")
    assert sum(map(sum, look.weights)) == pytest.approx(1.0, abs=0.01)
    assert {len(row) for row in look.weights} == {len(look.weights)}


def test_a_stream_ends_with_the_answer(client: Client) -> None:
    marks = client.mark(drawn(701), segmenter="provided", regions=REGIONS)
    told = list(client.ground_stream(marks, "Click Save", task="act"))
    assert told[-1].name == "answer"
    assert told[-1].data["action"]["mark"] == "1"


def test_errors_are_the_services_own(client: Client) -> None:
    with pytest.raises(BadRequest) as caught:
        client.ground(b"no picture", "Click Save")
    assert caught.value.code.startswith("image.")
    assert caught.value.request_id


def test_keys_and_webhooks(client: Client) -> None:
    key = client.create_key("from-the-client", scopes=["ground"])
    assert key.key is not None
    assert client.revoke_key(key).revoked_at is not None
    webhook = client.create_webhook("https://receiver.example/")
    assert webhook.secret is not None
    assert client.change_webhook(webhook, active=False).active is False  # nothing is sent
    sent = client.try_webhook(webhook)
    assert [each.id for each in client.deliveries(webhook)] == [sent.id]
    client.delete_webhook(webhook)
    assert webhook.id not in {each.id for each in client.webhooks()}
    assert webhook.id in {act.subject for act in client.audit(action="webhook.deleted")}


def test_asyncio(service_url: str) -> None:
    async def inside() -> list[str]:
        async with AsyncClient(service_url) as client:
            marks = await client.mark(drawn(701), segmenter="provided", regions=REGIONS)
            questions = ("Click Save", "Click Open")
            answers = await asyncio.gather(*(client.ground(marks, each, task="act") for each in questions))
            assert (await anext(client.images())).id
            return [each.selected[0].mark for each in answers]

    assert asyncio.run(inside()) == ["1", "2"]
