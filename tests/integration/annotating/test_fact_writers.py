"""SVIT and MMGiC as orders: from facts in the catalog through the factory to texts, with a teacher that reads only."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from app.catalog.image_facts import ImageFactsRepository, StatedFacts
from app.catalog.session import transaction
from app.catalog.tables import JobItemRow, TextRow
from app.queue.control import retry
from app.queue.outbox import enqueue
from models.facts import ImageFacts, ObjectFact
from models.mixtures.samples import fault
from models.writers.types import CHECKS_FAILED, CUT
from tests.integration.annotating.conftest import Desk
from tests.unit.models.writers.svit import beach
from workers.runner import Outcome

FACTS = ImageFacts(
    size_hw=(48, 64),
    captions=("A dog sits beside a ball.",),
    objects=(
        ObjectFact(id="1", label="dog", bbox_xyxy_px=(4.0, 8.0, 36.0, 40.0), attributes=("brown",)),
        ObjectFact(id="2", label="ball", bbox_xyxy_px=(40.0, 24.0, 52.0, 36.0)),
    ),
)
DOG, BALL = "<st>the dog<ed> [0.062, 0.250, 0.562, 0.750]", "<st>the ball<ed> [0.625, 0.500, 0.812, 0.688]"
REFERRING = "\n".join(f"Question: What is {n} steps from {DOG}?\nAnswer: It is {BALL}." for n in range(10))
ANSWERS = {
    "conversation": beach.conversations(),
    "reasoning": beach.reasoning(),
    "referring": REFERRING,
    "description": beach.description(),
}


def with_facts(desk: Desk, count: int) -> None:
    """Images of which the same is known."""
    images: list[UUID] = [image for image, _ in desk.images(count)]
    with transaction(desk.engine, desk.tenant) as session:
        for number, image_id in enumerate(images):
            stated = StatedFacts(image_id=image_id, source="test", external_id=str(number), facts=FACTS)
            ImageFactsRepository(session).add_or_fill(stated)


@pytest.mark.parametrize(
    ("kind", "texts"), [("conversation", 3), ("reasoning", 1), ("referring", 1), ("description", 1)]
)
def test_svit_writes_what_a_trainer_takes(desk, runner, teacher, monkeypatch, kind: str, texts: int) -> None:
    monkeypatch.setattr("tests.fake_teacher.answer_to", lambda _: ANSWERS[kind])
    teacher[1].keep_bodies = 1
    with_facts(desk, 5)
    job_id = desk.order(kind=kind, writer="svit")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    written = desk.texts(job_id)
    assert len(written) == 5 * texts
    for text in written:
        assert (text.kind, text.tagged, text.mark_set_id) == (kind, False, None)
        assert CHECKS_FAILED not in text.provenance
        assert fault(text.conversations, "1.png") is None
    assert desk.job(job_id).usage["calls"] == 5
    assert sum(text.provenance.get("completion_tokens", 0) for text in written) == 5 * 50
    said = teacher[1].bodies[0]
    assert said["max_tokens"] > 1_024, "fifteen answers do not fit into less"
    assert "dog: [0.062, 0.250, 0.562, 0.750]" in str(said)
    assert "image_url" not in str(said)


def test_a_leak_is_written_again_and_a_stubborn_one_is_kept_for_review(desk, runner, teacher, monkeypatch) -> None:
    leaky = ANSWERS["reasoning"].replace("flies (4)", "flies, as the caption says")
    monkeypatch.setattr("tests.fake_teacher.answer_to", lambda _: leaky)
    with_facts(desk, 1)
    job_id = desk.order(kind="reasoning", writer="svit", tries=2)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    (text,) = desk.texts(job_id)
    assert '"the caption says"' in text.provenance[CHECKS_FAILED][0]
    assert text.provenance["tries"] == desk.job(job_id).usage["calls"] == 2


def test_concept_documents_need_no_teacher_and_take_one(desk, runner, teacher, monkeypatch) -> None:
    explained = (
        "A thing that is met in many places, known by its shape, its colour and by what people do with it every day."
    )
    monkeypatch.setattr("tests.fake_teacher.answer_to", lambda _: explained)
    with_facts(desk, 12)
    plain = desk.order(kind="concept_document", writer="mmgic")
    assert runner.run(plain) is Outcome.SUCCEEDED
    assert desk.job(plain).usage == {}
    told = desk.order(kind="concept_document", writer="mmgic", model="fake-teacher")
    assert runner.run(told) is Outcome.SUCCEEDED
    for text in desk.texts(plain) + desk.texts(told):
        assert fault(text.conversations, "1.png") is None
        assert text.provenance["tokens"]["count"] <= 2_048
    assert explained not in str([text.conversations for text in desk.texts(plain)])
    with_descriptions = [text for text in desk.texts(told) if text.provenance["descriptions"]]
    assert 0 < len(with_descriptions) < 12
    assert all(f"- dog: {explained}" in str(text.conversations) for text in with_descriptions)
    assert desk.job(told).usage["calls"] == 3, "two things and a property, each asked about once"
    with transaction(desk.engine, desk.tenant) as session:
        session.execute(update(JobItemRow).where(JobItemRow.job_id == told).values(status="cancelled"))
        session.execute(delete(TextRow).where(TextRow.job_id == told))
        retry(session, told)
    assert runner.run(told) is Outcome.SUCCEEDED
    assert len(desk.texts(told)) == 12
    assert desk.job(told).usage["calls"] == 3, "another claim reads what the first was told"


def test_a_text_about_one_source_says_which_so_that_a_recipe_can_choose_it(desk, runner) -> None:
    with_facts(desk, 1)
    job_id = desk.order(kind="concept_document", writer="mmgic", sources=["test"])
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert desk.texts(job_id)[0].provenance["source"] == "test"
    every = desk.order(kind="concept_document", writer="mmgic")
    assert runner.run(every) is Outcome.SUCCEEDED
    assert "source" not in desk.texts(every)[0].provenance


@pytest.mark.parametrize(("format_name", "sources"), [("coco", ["mine"]), ("folder", None)])
def test_marks_of_an_import_that_outlines_come_from_its_own_facts(desk, engine, tenant, format_name, sources) -> None:
    (image_id, mark_set_id), *_ = desk.images(1)
    with transaction(engine, tenant) as session:
        payload = {"format": format_name, "source": "mine"}
        job = enqueue(session, kind="import.create", queue="batch", payload=payload, items=[{"record": "1"}])
        session.execute(
            update(JobItemRow).where(JobItemRow.job_id == job.id).values(result={"image_id": str(image_id)})
        )
        images = {"import": str(job.id)}
    assert desk.job(desk.order(None, images=images)).payload["sources"] == sources
    assert desk.job(desk.order(None, images=images, sources=[])).payload["sources"] == []
    for said in ({"marks": {"segmenter": "regions"}}, {"mark_set_ids": [str(mark_set_id)]}):
        assert desk.job(desk.order(None, images=images, **said)).payload["sources"] is None


def test_a_scorer_of_the_operators_sees_the_picture_and_chooses_the_caption(desk, runner, monkeypatch) -> None:
    image_id, _ = desk.images(1)[0]
    facts = replace(FACTS, captions=("A dog sits beside a ball.", "A ball lies beside a brown dog."))
    with transaction(desk.engine, desk.tenant) as session:
        stated = StatedFacts(image_id=image_id, source="test", external_id="1", facts=facts)
        ImageFactsRepository(session).add_or_fill(stated)
    seen = []

    def similarity(pixels, captions):
        seen.append(pixels.shape)
        return [0.4 if "brown" in caption else 0.3 for caption in captions]

    monkeypatch.setattr(desk.resources.models, "_similarity", similarity)
    job_id = desk.order(kind="concept_document", writer="mmgic")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    (text,) = desk.texts(job_id)
    assert text.provenance["caption"]["similarity"] == 0.4
    assert "A ball lies beside a brown dog." in str(text.conversations)
    assert seen == [(48, 64, 3)]


def test_parts_that_are_cut_out_become_texts_of_their_own(desk, runner) -> None:
    with_facts(desk, 1)
    job_id = desk.order(kind="concept_document", writer="mmgic", options={"cut_out": True})
    assert runner.run(job_id) is Outcome.SUCCEEDED
    document, *parts = desk.texts(job_id)
    assert CUT not in document.provenance
    assert len(parts) == document.provenance["parts"] > 0
    assert all(0 <= x0 < x1 <= 64 and 0 <= y0 < y1 <= 48 for x0, y0, x1, y1 in (part.provenance[CUT] for part in parts))
    assert [text.ordinal for text in parts] == list(range(1, len(parts) + 1))
    assert all(fault(part.conversations, "part.png") is None for part in parts)
