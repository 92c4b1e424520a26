"""Orders of texts, worked off by a runner in this process against a teacher that misbehaves."""

import re

import pytest
from sqlalchemy import update

from app.catalog.image_facts import ImageFactsRepository, StatedFacts
from app.catalog.session import transaction
from app.catalog.tables import TextRow
from app.errors import UnknownModel, Unprocessable
from app.settings import TeacherAt
from models.facts import ImageFacts, ObjectFact
from models.writers.types import CHECKS_FAILED
from workers.handlers import HANDLERS
from workers.runner import Outcome, Runner

LISTING = "1. cat\n2. dog\n3. cat\n4. ball"


def test_rules_list_the_names_in_mark_order(desk, runner) -> None:
    marked = desk.images(40)
    job_id = desk.order(marked)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    texts = desk.texts(job_id)
    assert [text.conversations[1]["value"] for text in texts] == [LISTING] * 40
    assert {(text.image_id, text.mark_set_id) for text in texts} == set(marked)
    job = desk.job(job_id)
    assert (job.progress_done, job.progress_total, job.progress_failed, job.usage) == (40, 40, 0, {})
    assert job.result == {"texts": 40}


def test_a_teacher_lists_and_every_text_says_how_it_came_to_be(desk, runner, teacher) -> None:
    teacher[1].keep_bodies = 1
    job_id = desk.order(desk.images(12), writer="vlm", mode="improved-system", prices={"prompt": 2, "completion": 10})
    assert runner.run(job_id) is Outcome.SUCCEEDED
    texts = desk.texts(job_id)
    assert len(texts) == 12
    said = texts[0].provenance
    assert said["model"]["name"] == "fake-teacher"
    assert (said["mode"], said["tries"], said["prompt_tokens"]) == ("improved-system", 1, 1000)
    assert {"writer", "prompt_version", "instruction", "seed", "latency_s"} <= said.keys()
    assert desk.job(job_id).usage == {
        "calls": 12, "prompt_tokens": 12_000, "completion_tokens": 600, "items": 12, "cost": 0.03,
    }  # fmt: skip
    body = teacher[1].bodies[0]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    report = desk.report(job_id)["texts"]
    assert [(row["texts"], row["first_try_rate"]) for row in report] == [(12, 1.0)]


def test_a_teacher_that_never_gets_it_right_is_kept_for_review(desk, runner, script) -> None:
    script.shares = {"invented": 1.0}
    job_id = desk.order(desk.images(2), writer="vlm", tries=2)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    for text in desk.texts(job_id):
        assert text.provenance[CHECKS_FAILED] == ["These marks are not on the picture: 99."]
        assert (text.review, text.provenance["tries"]) == ("unreviewed", 2)


def test_two_shot_shows_accepted_listings_with_their_pictures(desk, runner, teacher, engine, tenant) -> None:
    accepted = desk.order(desk.images(3))
    runner.run(accepted)
    with pytest.raises(Unprocessable, match="two-shot"):
        desk.order(desk.images(1, first=10), writer="vlm", mode="two-shot")
    with transaction(engine, tenant) as session:
        session.execute(update(TextRow).values(review="accepted"))
    teacher[1].keep_bodies = 1
    job_id = desk.order(desk.images(1, first=20), writer="vlm", mode="two-shot")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    messages = teacher[1].bodies[0]["messages"]
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[2]["content"] == LISTING
    assert [len(message["content"]) for message in messages[1::2]] == [1, 1, 1], "pictures alone, as in the paper"
    said = desk.texts(job_id)[0].provenance
    assert set(said["examples"]) <= {str(text.id) for text in desk.texts(accepted)}


def test_som_qa_takes_the_listed_images_and_others(desk, runner) -> None:
    listed = desk.order(desk.images(4))
    runner.run(listed)
    desk.images(10, first=50)
    images = {"label": "set", "job_ids": [str(listed)], "others": 3}
    again = [desk.order(None, kind="conversation", writer="vlm", options={"turns": 4}, images=images) for _ in range(2)]
    chosen = [[item.payload["image_id"] for item in desk.items(job_id)] for job_id in again]
    assert chosen[0] == chosen[1], "the same seed draws the same images"
    assert len(chosen[0]) == 7
    assert {str(text.image_id) for text in desk.texts(listed)} < set(chosen[0])
    assert desk.items(again[0])[0].payload["mark_set_id"] is not None, "the marks of the listing are kept"
    marks = {"segmenter": "regions"}
    job_id = desk.order(None, kind="conversation", writer="vlm", options={"turns": 4}, images=images, marks=marks)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    texts = desk.texts(job_id)
    assert [len(text.conversations) for text in texts] == [8] * 7
    assert all(text.tagged and CHECKS_FAILED not in text.provenance for text in texts)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kind": "listing", "writer": "svit"}, "`svit` does not write the kind `listing`; rules, vlm do"),
        ({"kind": "poem"}, "No writer writes the kind `poem`"),
        ({"writer": "vlm", "mode": "three-shot"}, "zero-shot, improved-system, two-shot"),
        ({"mode": "zero-shot"}, "has no modes"),
        ({"budget": {"tokens": 5}}, "asks no teacher; leave out `budget`"),
        ({"writer": "vlm", "budget": {"cost": 5}}, "needs `prices`"),
        ({"options": {"turns": 3}}, "takes no options"),
        ({"kind": "conversation", "options": {"turns": "3"}}, "must be of type int"),
        ({"kind": "description", "writer": "svit", "marks": {}}, "not about marks; leave out `marks`"),
        ({"kind": "description", "writer": "svit", "model": "som-llava-tiny"}, "needs a large model"),
        ({"writer": "vlm", "mode": "improved-system", "model": "som-llava-tiny"}, "`zero-shot` only"),
        ({"writer": "vlm", "examples": []}, "belong to the mode `two-shot`"),
    ],
)
def test_what_does_not_go_together_is_refused_in_words(desk, given, says) -> None:
    desk.images(1)
    with pytest.raises(Unprocessable, match=re.escape(says)):
        desk.order(None, **given)


def test_facts_are_marked_and_listed_without_a_mark_set(desk, runner, engine, tenant) -> None:
    (image_id, _), *_ = desk.images(2)
    facts = ImageFacts(
        size_hw=(48, 64),
        objects=(
            ObjectFact(id="1", label="zebra", bbox_xyxy_px=(2, 2, 30, 40)),
            ObjectFact(id="2", label="tall tree", bbox_xyxy_px=(34, 2, 60, 40)),
        ),
    )
    with transaction(engine, tenant) as session:
        ImageFactsRepository(session).add_or_fill(
            StatedFacts(image_id=image_id, source="coco", external_id="7", facts=facts)
        )
    job_id = desk.order(None, sources=["coco"])
    assert runner.run(job_id) is Outcome.SUCCEEDED
    (text,) = desk.texts(job_id)
    assert text.conversations[1]["value"] == "1. zebra\n2. tall tree"
    first, second = desk.items(job_id)
    assert (first.status, second.status) == ("succeeded", "failed")
    assert "No objects are known" in second.error["detail"]
    again = desk.order(None, sources=["coco"])
    runner.run(again)
    assert desk.texts(again)[0].mark_set_id == text.mark_set_id, "the same facts are the same marks"


def test_svit_writes_from_facts_with_a_reading_teacher(desk, runner, engine, tenant, script, monkeypatch) -> None:
    (image_id, _), *_ = desk.images(1)
    facts = ImageFacts(size_hw=(48, 64), captions=("A zebra beside a tall tree.",))
    with transaction(engine, tenant) as session:
        ImageFactsRepository(session).add_or_fill(
            StatedFacts(image_id=image_id, source="coco", external_id="7", facts=facts)
        )
    long = "A zebra stands beside a tall tree and looks across a wide plain. " * 12
    monkeypatch.setattr("tests.fake_teacher.answer_to", lambda _body: long)
    job_id = desk.order(None, kind="description", writer="svit")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    (text,) = desk.texts(job_id)
    assert (text.kind, text.tagged, text.mark_set_id) == ("description", False, None)
    assert text.provenance["model"]["name"] == "fake-teacher"


def test_an_order_may_name_a_teacher_of_its_own(desk, resources, teacher) -> None:
    at = {"another": TeacherAt(url=teacher[0], model="fake-teacher", api_key="k")}
    resources.settings = resources.settings.model_copy(update={"teachers": at, "vlm_url": None})
    runner = Runner(resources, HANDLERS, worker="test")
    job_id = desk.order(desk.images(2), writer="vlm", model="another")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert desk.texts(job_id)[0].provenance["model"]["name"] == "another"
    with pytest.raises(UnknownModel):
        desk.order(desk.images(1, first=9), writer="vlm", model="nobody")
