"""What a build takes, in which order, and what it leaves out and says so."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.catalog.session import transaction
from app.catalog.tables import DatasetItemRow, DatasetRow
from app.catalog.texts import TextRepository, Verdict
from models.mixtures.samples import ContentHash
from tests.integration.datasets.conftest import Catalog, recipe_of, said

TEXTS = {"name": "texts", "texts": {}}


def test_without_a_recipe_all_texts_are_taken_in_their_order(catalog: Catalog) -> None:
    ids = [catalog.text() for _ in range(3)]
    made = catalog.build()
    assert [item.text_id for item in catalog.items(made)] == ids
    assert (made.name, made.version) == ("d", 1)
    assert made.statistics["texts"] == made.statistics["tagged"] == made.statistics["images"] == 3
    assert made.statistics["answer_words_mean"] == 9.0


def test_the_hash_is_that_of_the_export_and_comes_again(catalog: Catalog) -> None:
    for _ in range(12):  # of four texts, two seeds make one order in 24
        catalog.text()
    shuffled = recipe_of(TEXTS, seed=3)
    first, second = catalog.build(shuffled), catalog.build(shuffled)
    assert (first.version, second.version) == (1, 2)
    assert first.content_sha256 == second.content_sha256
    expected = ContentHash()
    for item in catalog.items(first):
        expected.add({"id": item.sample_id, "image": item.image, "conversations": item.conversations})
    assert first.content_sha256 == expected.hex()
    other_seed = catalog.build(recipe_of(TEXTS, seed=4))
    assert sorted(i.sample_id for i in catalog.items(other_seed)) == sorted(i.sample_id for i in catalog.items(first))
    assert other_seed.content_sha256 != first.content_sha256


def test_a_sample_that_a_loader_would_stumble_over_is_left_out_and_named(catalog: Catalog) -> None:
    good = catalog.text()
    bad = catalog.text(said("List.", "   "))
    made = catalog.build()
    assert [item.text_id for item in catalog.items(made)] == [good]
    excluded = made.statistics["excluded"]
    assert excluded["count"] == 1
    assert excluded["listed"] == [{"part": "texts", "id": str(bad), "reason": "turn 2 is empty"}]


def test_nothing_to_build_from_is_an_error(catalog: Catalog) -> None:
    job = catalog.run(catalog.order())
    assert (job.status, job.error["code"]) == ("failed", "unprocessable")
    job = catalog.run(catalog.order("markwise-listing-qa"))
    assert "part `listing`" in job.error["detail"]


def test_texts_whose_checks_failed_wait_for_a_person(catalog: Catalog) -> None:
    catalog.text()
    waiting = catalog.text(provenance={"writer": "vlm", "checks_failed": ["mark 2 is missing"]})
    clean = catalog.text(provenance={"writer": "vlm", "checks_failed": []})
    assert clean in {item.text_id for item in catalog.items(catalog.build())}
    assert waiting not in {item.text_id for item in catalog.items(catalog.build())}
    with transaction(catalog.engine, catalog.tenant) as session:
        TextRepository(session).review(waiting, Verdict(review="accepted"))
    assert waiting in {item.text_id for item in catalog.items(catalog.build())}


def test_selectors_narrow(catalog: Catalog) -> None:
    shop = catalog.text(image_id=catalog.image("shop"))
    taught = catalog.text(provenance={"writer": "vlm", "model": {"name": "m"}, "mode": "two-shot"})
    talk = catalog.text(said("Who?", "A man."), kind="conversation", tagged=False)

    def taken(**selector: object) -> list[UUID | None]:
        made = catalog.build(recipe_of({"name": "p", "texts": selector}, shuffle=False))
        return [item.text_id for item in catalog.items(made)]

    assert taken(labels=["shop"]) == [shop]
    assert taken(writers=["vlm"]) == [taught]
    assert taken(provenance={"mode": "two-shot"}) == [taught]
    assert taken(tagged=False) == [talk]
    assert taken(kinds=["conversation", "listing"], writers=["rules"]) == [shop, talk]
    assert taken(jobs=[str(catalog.job_id)]) == [shop, taught, talk]


def test_parts_repeats_and_stages(catalog: Catalog) -> None:
    listing = catalog.text()
    talk = catalog.text(said("Who?", "A man."), kind="conversation", tagged=False)
    recipe = recipe_of(
        {"name": "a", "texts": {"kinds": ["listing"]}, "repeat": 3},
        {"name": "b", "texts": {"kinds": ["conversation"]}},
        stages=[{"name": "both", "parts": ["a", "b"]}, {"name": "last", "parts": ["b"]}],
    )
    made = catalog.build(recipe)
    items = catalog.items(made)
    assert sorted((item.stage, item.part, item.text_id) for item in items) == sorted(
        [("both", "a", listing)] * 3 + [("both", "b", talk), ("last", "b", talk)]
    )
    assert [item.stage for item in items] == ["both"] * 4 + ["last"]
    assert made.statistics["stages"] == {"both": {"a": 3, "b": 1}, "last": {"b": 1}}
    only = catalog.build(recipe, parts=["b"])
    assert [item.part for item in catalog.items(only)] == ["b", "b"]


def write_llava(path: Path, count: int) -> None:
    records = [
        {"id": f"r{n}", "image": f"coco/{n}.jpg", "conversations": said("What?\n", f"Thing ☃ {n}.")}
        for n in range(count)
    ]
    records.append({"id": "alone", "conversations": said("Hi?", "Hi!", image=False)})
    records.append({"id": "broken", "image": "x.jpg", "conversations": said("What?", "No picture named.", image=False)})
    path.write_text(json.dumps(records), encoding="utf-8")


def test_a_llava_file_is_mixed_in(catalog: Catalog) -> None:
    write_llava(catalog.folder.root / "mix.json", 20)
    listing = catalog.text()
    made = catalog.build(recipe_of({"name": "mix", "file": "mix.json"}, {"name": "own", "texts": {}}))
    items = {item.sample_id: item for item in catalog.items(made)}
    assert len(items) == 22
    assert items["r7"].conversations == said("What?", "Thing ☃ 7.")
    assert (items["r7"].image, items["r7"].text_id, items["r7"].review) == ("coco/7.jpg", None, None)
    assert items["alone"].image is None
    assert items[str(listing)].part == "own"
    assert made.statistics["text_only"] == 1
    assert made.statistics["excluded"]["listed"][0]["id"] == "broken"
    assert made.statistics["parts"]["mix"] == {"read": 21, "taken": 21}


def test_a_file_is_taken_without_what_another_says(catalog: Catalog) -> None:
    mix = [
        {"id": "1", "image": "coco/train2017/1.jpg", "conversations": said("What  is this?", "A bus.")},
        {"id": "1", "image": "coco/train2017/1.jpg", "conversations": said("How many?", "2")},
        {"id": "3", "conversations": said("Hi?", "Hi!", image=False)},
    ]
    moved = [{"from": "human", "value": "What is this?\n<image>"}, {"from": "gpt", "value": "A bus."}]
    (catalog.folder.root / "mix.json").write_text(json.dumps(mix))
    (catalog.folder.root / "instruct.json").write_text(
        json.dumps([{"id": "1", "image": "1.jpg", "conversations": moved}])
    )
    part = {"name": "rest", "file": "mix.json", "without": "instruct.json"}
    made = catalog.build(recipe_of(part, shuffle=False))
    assert [item.conversations[1]["value"] for item in catalog.items(made)] == ["2", "Hi!"]
    assert made.statistics["excluded"]["reasons"] == {"it stands in instruct.json": 1}
    job = catalog.run(catalog.order(recipe_of(part | {"without": "mix.json"})))
    assert "the first because it stands in mix.json" in (job.error or {})["detail"]


def test_pictures_that_are_not_there_are_told_when_their_folder_is_named(catalog: Catalog) -> None:
    write_llava(catalog.folder.root / "mix.json", 3)
    (catalog.folder.root / "photos" / "coco").mkdir(parents=True)
    (catalog.folder.root / "photos" / "coco" / "1.jpg").write_bytes(b"jpeg")
    made = catalog.build(recipe_of({"name": "mix", "file": "mix.json", "images": "photos"}))
    assert {item.sample_id for item in catalog.items(made)} == {"r1", "alone"}
    assert made.statistics["excluded"]["reasons"]["its picture is not in the folder of pictures"] == 2


@pytest.mark.parametrize("name", ["../mix.json", "/etc/passwd", "missing.json"])
def test_only_the_folder_of_imports_is_read(catalog: Catalog, name: str) -> None:
    with pytest.raises(Exception, match="MARKWISE_IMPORTS"):
        catalog.order(recipe_of({"name": "mix", "file": name}))


def test_what_a_dead_build_left_is_taken_away_by_the_next(catalog: Catalog) -> None:
    catalog.text()
    dead = catalog.order()
    with transaction(catalog.engine, catalog.tenant) as session:
        session.execute(text("UPDATE jobs SET status = 'failed', finished_at = now() WHERE id = :id"), {"id": dead})
        row = DatasetRow(name="left", recipe={}, statistics={}, job_id=dead)
        session.add(row)
        session.flush()
        session.add(
            DatasetItemRow(
                dataset_id=row.id, position=0, sample_id="x", kind="listing", part="p", stage="all", conversations=[]
            )
        )
    catalog.build()
    with transaction(catalog.engine, catalog.tenant) as session:
        assert session.scalars(select(DatasetRow.name)).all() == ["d"]


def test_an_edit_during_a_build_does_not_reach_into_it(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    text_id = catalog.text(said("List.", "1. old"))
    from workers import mixing

    plain = mixing.arrange

    def edited(*given: object) -> object:
        with transaction(catalog.engine, catalog.tenant) as session:
            verdict = Verdict(review="edited", conversations=said("List.", "1. new"), reviewer="R")
            TextRepository(session).review(text_id, verdict)
        return plain(*given)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(mixing, "arrange", edited)
    first = catalog.items(catalog.build())[0]
    assert (first.revision, first.review, first.conversations[1]["value"]) == (0, "unreviewed", "1. old")
    monkeypatch.setattr(mixing, "arrange", plain)
    second = catalog.items(catalog.build())[0]
    assert (second.revision, second.review, second.conversations[1]["value"]) == (1, "edited", "1. new")
