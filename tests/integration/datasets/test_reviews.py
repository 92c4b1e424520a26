"""Verdicts keep what was there before, are counted per teacher and prompt, and corrected marks are noticed."""

from dataclasses import asdict
from uuid import UUID

import pytest

from app.catalog.session import transaction
from app.catalog.texts import TextRepository
from app.errors import Conflict, Unprocessable
from app.services import reviews
from app.services.corrections import correct
from app.services.freshness import outdated
from tests.integration.datasets.conftest import Catalog, recipe_of, said


def judge(catalog: Catalog, text_id: UUID, review: str, **given: object) -> int:
    body = {"review": review, "conversations": None, "reason": None, "reviewer": None, "revision": None} | given
    with transaction(catalog.engine, catalog.tenant) as session:
        return reviews.review(session, text_id, body, key_id=None).revision


def test_the_history_has_the_teachers_words_and_every_verdict(catalog: Catalog) -> None:
    text_id = catalog.text(said("List.", "1. wrong"))
    judge(catalog, text_id, "edited", conversations=said("List.", "1. right"), reviewer="Ada", reason="imprecise")
    judge(catalog, text_id, "accepted", reviewer="Bob")
    with transaction(catalog.engine, catalog.tenant) as session:
        history = TextRepository(session).history(text_id)
        row = TextRepository(session).get(text_id)
    assert [(r.revision, r.review, r.reviewer, r.reason, r.conversations[1]["value"]) for r in history] == [
        (0, "unreviewed", None, None, "1. wrong"),
        (1, "edited", "Ada", "imprecise", "1. right"),
        (2, "accepted", "Bob", None, "1. right"),
    ]
    assert (row.review, row.revision) == ("accepted", 2)
    assert history[0].created_at <= history[1].created_at <= history[2].created_at


def test_a_text_that_nobody_reviewed_has_one_revision(catalog: Catalog) -> None:
    text_id = catalog.text()
    with transaction(catalog.engine, catalog.tenant) as session:
        assert [r.revision for r in TextRepository(session).history(text_id)] == [0]


def test_words_that_no_trainer_could_read_are_refused(catalog: Catalog) -> None:
    text_id = catalog.text()
    with pytest.raises(Unprocessable, match="turn 2 is empty"):
        judge(catalog, text_id, "edited", conversations=said("List.", " "))
    with pytest.raises(Unprocessable, match="stands nowhere"):
        judge(catalog, text_id, "edited", conversations=said("List.", "1. x", image=False))


def test_whoever_looked_at_older_words_is_told(catalog: Catalog) -> None:
    text_id = catalog.text()
    assert judge(catalog, text_id, "accepted", revision=0) == 1
    with pytest.raises(Conflict):
        judge(catalog, text_id, "rejected", revision=0)
    with transaction(catalog.engine, catalog.tenant) as session:
        assert TextRepository(session).get(text_id).review == "accepted"


def test_rates_are_counted_per_teacher_and_prompt(catalog: Catalog) -> None:
    taught = {"writer": "vlm", "model": {"name": "m"}, "prompt_version": "listing-1"}
    ids = [catalog.text(provenance=taught) for _ in range(5)]
    catalog.text()
    for text_id, verdict in zip(ids, ("accepted", "accepted", "rejected", "edited"), strict=False):
        words = said("List.", "1. x") if verdict == "edited" else None
        judge(catalog, text_id, verdict, conversations=words, reason="wrong" if verdict == "rejected" else None)
    judge(catalog, ids[3], "accepted")
    with transaction(catalog.engine, catalog.tenant) as session:
        rules, vlm = sorted((asdict(c) for c in TextRepository(session).review_counts()), key=lambda c: c["writer"])
    assert (rules["texts"], rules["reviewed"], rules["teacher"]) == (1, 0, None)
    expected = {
        "teacher": "m",
        "prompt": "listing-1",
        "texts": 5,
        "reviewed": 4,
        "accepted": 2,
        "edited": 1,
        "rejected": 1,
        "wrong": 1,
    }
    assert expected.items() <= vlm.items()


def test_texts_about_corrected_marks_are_flagged_and_left_out_unless_they_fit(catalog: Catalog) -> None:
    spoilt, moved = catalog.text(), catalog.text()
    with transaction(catalog.engine, catalog.tenant) as session:
        sets = [TextRepository(session).get(text_id).mark_set_id for text_id in (spoilt, moved)]
    assert sets[0] is not None
    assert sets[1] is not None
    blobs = catalog.resources.blobs
    correct(catalog.engine, blobs, catalog.tenant, sets[0], "1", {"text": "pink circle"})
    first = correct(catalog.engine, blobs, catalog.tenant, sets[1], "1", {"bbox_xyxy_px": [2, 5, 17, 30]})
    newest = correct(catalog.engine, blobs, catalog.tenant, first, "2", {"bbox_xyxy_px": [21, 5, 36, 30]})
    with transaction(catalog.engine, catalog.tenant) as session:
        texts = TextRepository(session)
        found = outdated(session, [texts.get(spoilt), texts.get(moved)])
    assert (found[spoilt].fits, found[moved].fits) == (False, True)
    assert found[moved].newest == str(newest)
    made = catalog.build()
    (item,) = catalog.items(made)
    assert (item.text_id, item.mark_set_id, item.image) == (moved, newest, f"{newest}.png")
    assert made.statistics["excluded"]["listed"][0]["id"] == str(spoilt)
    kept = catalog.build(recipe_of({"name": "p", "texts": {"outdated": "keep"}}))
    assert {(i.text_id, i.mark_set_id) for i in catalog.items(kept)} == {(spoilt, sets[0]), (moved, sets[1])}
    judge(catalog, spoilt, "edited", conversations=said("List.", "1. pink circle\n2. blue square\n3. green star"))
    assert {i.text_id for i in catalog.items(catalog.build())} == {spoilt, moved}
