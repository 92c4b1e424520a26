"""An import in this process: what it brings, what it says of each record, and that nothing comes twice."""

import json

import pytest
from sqlalchemy import func, select

from app.catalog.image_facts import ImageFactsRepository
from app.catalog.session import transaction
from app.catalog.tables import ImageFactsRow, ImageRow
from app.errors import Unprocessable
from app.queue.control import retry
from app.services import learning
from models.sources.regions import regions_of
from tests.integration.importing.conftest import write_coco
from workers.runner import Outcome


def counts(engine, tenant) -> tuple[int, int]:
    with transaction(engine, tenant) as session:
        images = session.scalar(select(func.count()).select_from(ImageRow))
        facts = session.scalar(select(func.count()).select_from(ImageFactsRow))
    return images, facts


def test_images_facts_and_labels_come_once_and_a_second_import_adds_nothing(
    order, runner, job, engine, tenant, imports_folder
) -> None:
    write_coco(imports_folder, 70)
    first, second = (order(files=["instances.json"], images="pictures", labels=["mine"]) for _ in range(2))
    assert [runner.run(first), runner.run(second)] == [Outcome.SUCCEEDED] * 2
    assert job(first).result == {"records": 70, "added": 70, "known": 0, "skipped": 0, "failed": 0}
    assert job(second).result == {"records": 70, "added": 0, "known": 70, "skipped": 0, "failed": 0}
    assert counts(engine, tenant) == (70, 70)
    assert (job(first).progress_done, job(first).progress_total, job(first).progress_failed) == (70, 70, 0)
    with transaction(engine, tenant) as session:
        by_label, by_import, by_second = (
            learning.select_images(session, selector)
            for selector in ({"label": "coco"}, {"import_": str(first)}, {"import_": str(second)})
        )
        assert set(by_label) == set(by_import) == set(by_second)
        assert len(by_import) == 70
        image = session.get(ImageRow, by_import[0])
        assert (image.labels, image.source) == (["coco", "mine"], "import")
        facts = ImageFactsRepository(session).of_image(by_import[0])
    assert regions_of(facts).texts == ("shape",)


def test_every_error_names_its_record_and_only_those_are_retried(
    order, runner, job, items, engine, tenant, imports_folder
) -> None:
    document = write_coco(imports_folder, 6)
    document["annotations"][1]["category_id"] = 99
    document["annotations"].append({"id": 50, "image_id": 77, "category_id": 1, "bbox": [0, 0, 1, 1]})
    document["images"][2]["width"] = 63
    (imports_folder / "instances.json").write_text(json.dumps(document))
    (imports_folder / "pictures" / "4.png").rename(imports_folder / "away.png")
    (imports_folder / "pictures" / "5.png").write_bytes(b"no picture")
    job_id = order(files=["instances.json"], images="pictures")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    failed = {item.payload["record"]: item.error["detail"] for item in items(job_id) if item.status == "failed"}
    assert {name: detail.partition(": ")[2] for name, detail in failed.items()} == {
        "2": "annotation 2: there is no category 99",
        "3": "its source says 63 x 48 pixels, the picture has 64 x 48",
        "4": "the picture 4.png cannot be found: it is not in the folder of images, and the record has no URL",
        "5": "The bytes are not an image that can be decoded.",
        "77": "annotation 50 is about an image that no file lists",
    }
    assert all(detail.startswith(f"{name}: ") for name, detail in failed.items())
    assert job(job_id).result == {"records": 7, "added": 2, "known": 0, "skipped": 0, "failed": 5}
    with transaction(engine, tenant) as session:
        assert len(learning.select_images(session, {"label": "coco"})) == 2, "what failed does not carry the label"

    (imports_folder / "away.png").rename(imports_folder / "pictures" / "4.png")
    with transaction(engine, tenant) as session:
        retry(session, job_id)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert job(job_id).result == {"records": 7, "added": 3, "known": 0, "skipped": 0, "failed": 4}
    attempts = {item.payload["record"]: item.attempt for item in items(job_id)}
    assert attempts == dict.fromkeys(["1", "2", "3", "4", "5", "6", "77"], 1)
    assert (job(job_id).progress_done, job(job_id).progress_failed) == (7, 4)


def test_signs_that_cannot_be_kept_cost_their_record_and_nothing_else(
    order, runner, job, items, imports_folder
) -> None:
    document = write_coco(imports_folder, 6)
    images = document["images"]
    (imports_folder / "captions.json").write_text(
        '{"annotations": ['
        r'{"id": 1, "image_id": 1, "caption": "a\u0000b"},'
        r'{"id": 3, "image_id": 3, "caption": "a backslash \\u0000 is fine"}]}'
    )
    images[4]["file_name"] = "5\0.png"
    images[5]["file_name"] = 6
    images.append({"id": "x\0" + "y" * 600, "file_name": "1.png", "width": 64, "height": 48})
    (imports_folder / "instances.json").write_text(json.dumps(document))
    job_id = order(files=["instances.json", "captions.json"], images="pictures")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    found = [
        (item.payload["record"][:3], item.status, (item.error or {"detail": ""})["detail"]) for item in items(job_id)
    ]
    assert [(name, status) for name, status, _ in found] == [
        ("1", "failed"),
        ("2", "succeeded"),
        ("3", "succeeded"),
        ("4", "succeeded"),
        ("5", "failed"),
        ("6", "failed"),
        ("x\ufffdy", "failed"),
    ]
    said = [detail.partition(": ")[2] for _, _, detail in found]
    assert "U+0000" in said[0]
    assert said[5] == "the record names no picture"
    assert "longer than 500" in said[6]


def test_a_file_that_breaks_off_fails_the_job_before_anything_is_taken(
    order, runner, job, engine, tenant, imports_folder
) -> None:
    write_coco(imports_folder, 3)
    whole = (imports_folder / "instances.json").read_text()
    (imports_folder / "instances.json").write_text(whole[: len(whole) // 2])
    job_id = order(files=["instances.json"], images="pictures")
    assert runner.run(job_id) is Outcome.FAILED
    assert "instances.json is not whole JSON" in job(job_id).error["detail"]
    assert counts(engine, tenant) == (0, 0)


def test_an_import_of_which_nothing_can_be_used_has_failed(order, runner, job, imports_folder) -> None:
    write_coco(imports_folder, 2, pictures=False)
    job_id = order(files=["instances.json"], images="pictures")
    assert runner.run(job_id) is Outcome.FAILED
    assert job(job_id).error["code"] == "items.all_failed"


@pytest.mark.parametrize(
    "name", ["../secret.json", "/etc/passwd", "missing.json", "inside/../../x", "a\0b", "out/secret.json"]
)
def test_nothing_outside_the_folder_of_imports_is_read(order, imports_folder, name) -> None:
    (imports_folder.parent / "secret.json").write_text("{}")
    (imports_folder / "inside").mkdir()
    (imports_folder / "out").mkdir()
    (imports_folder / "out" / "secret.json").symlink_to(imports_folder.parent / "secret.json")
    with pytest.raises(Unprocessable, match="MARKWISE_IMPORTS"):
        order(files=[name])


def test_a_folder_that_the_operator_linked_is_read(order, runner, job, imports_folder, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_coco(elsewhere, 2)
    (imports_folder / "linked").symlink_to(elsewhere)
    job_id = order(files=["linked/instances.json"], images="linked/pictures")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert job(job_id).result["added"] == 2


def test_another_source_with_the_same_numbers_must_be_named(order, runner, job, items, imports_folder) -> None:
    write_coco(imports_folder, 1)
    assert runner.run(order(files=["instances.json"], images="pictures")) is Outcome.SUCCEEDED
    (imports_folder / "pictures" / "1.png").write_bytes(
        (write_coco(imports_folder, 1, first=9, name="b.json") and imports_folder / "pictures" / "9.png").read_bytes()
    )
    clash = order(files=["instances.json"], images="pictures")
    assert runner.run(clash) is Outcome.FAILED
    assert "name a source of its own" in items(clash)[0].error["detail"]
    named = order(files=["instances.json"], images="pictures", source="other")
    assert runner.run(named) is Outcome.SUCCEEDED
    assert job(named).result["added"] == 1


def test_the_shared_photos_equal_their_ground_truth(
    order, runner, job, engine, tenant, imports_folder, shared_data
) -> None:
    (imports_folder / "coco").symlink_to(shared_data / "coco")
    job_id = order(files=["coco/instances.json", "coco/captions.json"], images="coco/images")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    truth = json.loads((shared_data / "coco" / "instances.json").read_text())
    captions = json.loads((shared_data / "coco" / "captions.json").read_text())
    names = {category["id"]: category["name"] for category in truth["categories"]}
    assert job(job_id).result["added"] == len(truth["images"]) == 95
    with transaction(engine, tenant) as session:
        for row in session.scalars(select(ImageFactsRow)):
            facts = ImageFactsRepository(session).of_image(row.image_id)
            stated = [a for a in truth["annotations"] if str(a["image_id"]) == row.external_id]
            regions = regions_of(facts)
            assert [item.label for item in facts.objects] == [names[a["category_id"]] for a in stated]
            assert regions.ids == tuple(str(a["id"]) for a in stated)
            assert set(facts.captions) == {
                c["caption"].strip() for c in captions if str(c["image_id"]) == row.external_id
            }
