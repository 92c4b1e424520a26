"""What other formats and the cleaning rules bring into the catalog."""

import json

from sqlalchemy import select

from app.catalog.image_facts import ImageFactsRepository
from app.catalog.session import transaction
from app.catalog.tables import ImageFactsRow, ImageRow, TextRow
from tests.acceptance.service import drawn
from tests.integration.importing.conftest import write_coco
from workers.runner import Outcome


def facts_of(engine, tenant) -> dict:
    with transaction(engine, tenant) as session:
        rows = session.scalars(select(ImageFactsRow)).all()
        return {row.external_id: ImageFactsRepository(session).of_image(row.image_id) for row in rows}


def test_a_cleaned_import_leaves_out_what_the_rules_say_and_counts_it(
    order, runner, job, items, engine, tenant, imports_folder
) -> None:
    document = write_coco(imports_folder, 4)
    document["annotations"][0]["bbox"] = [60, 2, 30, 20]
    outside = {**document["annotations"][2], "id": 9, "bbox": [70, 0, 9, 9]}
    document["annotations"] = [*document["annotations"][:3], outside]
    (imports_folder / "instances.json").write_text(json.dumps(document))
    clean = {"rules": "mmgic", "min_short_edge_px": 48, "left_out_records": ["2"]}
    job_id = order(files=["instances.json"], images="pictures", clean=clean)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert job(job_id).result == {"records": 4, "added": 1, "known": 0, "skipped": 3, "failed": 0}
    assert {item.payload["record"]: item.result.get("reason") for item in items(job_id)} == {
        "1": "fewer than 1 objects are left",
        "2": "it is left out by name",
        "3": None,
        "4": "fewer than 1 objects are left",
    }
    assert [item.id for item in facts_of(engine, tenant)["3"].objects] == ["3"]
    strict = order(files=["instances.json"], images="pictures", source="strict", clean={"rules": "mmgic"})
    assert runner.run(strict) is Outcome.SUCCEEDED
    assert job(strict).result["skipped"] == 4, "48 pixels are under 224"


def test_a_picture_that_is_tested_on_elsewhere_is_left_out_under_its_number_there(
    order, runner, job, items, imports_folder
) -> None:
    document = write_coco(imports_folder, 3)
    for image, flickr in zip(document["images"], ("30_4e.jpg", "31_4e.jpg", None), strict=True):
        image |= {"flickr_url": flickr and f"http://farm1.staticflickr.com/22/{flickr}"}
        coco_name = f"COCO_train2014_{image['id']:012d}.png"
        (imports_folder / "pictures" / image["file_name"]).rename(imports_folder / "pictures" / coco_name)
        image["file_name"] = coco_name
    (imports_folder / "instances.json").write_text(json.dumps(document))
    clean = {"left_out_records": ["coco:3", "flickr:31", "coco:1000"]}
    job_id = order(files=["instances.json"], images="pictures", clean=clean)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert [item.result["outcome"] for item in items(job_id)] == ["added", "skipped", "skipped"]


def test_rare_labels_are_counted_over_the_whole_source(order, runner, engine, tenant, imports_folder) -> None:
    document = write_coco(imports_folder, 3)
    document["categories"].append({"id": 2, "name": "rare"})
    document["annotations"].append({**document["annotations"][0], "id": 8, "category_id": 2})
    (imports_folder / "instances.json").write_text(json.dumps(document))
    job_id = order(files=["instances.json"], images="pictures", clean={"min_label_count": 3})
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert [[item.label for item in facts.objects] for facts in facts_of(engine, tenant).values()] == [["shape"]] * 3


def test_conversations_become_texts_once(order, runner, job, engine, tenant, imports_folder) -> None:
    (imports_folder / "coco" / "som_train").mkdir(parents=True)
    (imports_folder / "coco" / "som_train" / "1.png").write_bytes(drawn(1, (64, 48)))
    turns = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "Shapes."}]
    more = [*turns, {"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Drawn."}]
    samples = [{"id": 1, "image": "coco/som_train/1.png", "conversations": one} for one in (turns, more, turns)]
    halved = [turns[0], {"from": "gpt", "value": "half \ud800"}]
    broken = [{"id": 2, "conversations": turns}, {**samples[0], "conversations": halved}]
    (imports_folder / "mix.json").write_text(json.dumps([*samples, *broken]))
    first, second = (order(format="llava", files=["mix.json"], images="coco") for _ in range(2))
    assert [runner.run(first), runner.run(second)] == [Outcome.SUCCEEDED] * 2
    assert job(first).result == {"records": 5, "added": 2, "known": 1, "skipped": 0, "failed": 2}
    assert job(second).result == {"records": 5, "added": 0, "known": 3, "skipped": 0, "failed": 2}
    with transaction(engine, tenant) as session:
        texts = session.scalars(select(TextRow).order_by(TextRow.job_item)).all()
        assert session.scalars(select(ImageRow)).one().labels == ["llava"]
    assert [text.conversations for text in texts] == [turns, more]
    assert {(text.kind, text.tagged, text.job_id) for text in texts} == {("conversation", True, first)}
    assert texts[0].provenance["source"] == "llava"


def test_shares_of_a_picture_become_its_pixels(order, runner, engine, tenant, imports_folder) -> None:
    (imports_folder / "oi").mkdir()
    (imports_folder / "oi" / "classes.csv").write_text("/m/1,Man\n")
    header = "ImageID,LabelName,XMin,XMax,YMin,YMax\n"
    (imports_folder / "oi" / "boxes.csv").write_text(f"{header}a1,/m/1,0.25,0.5,0.5,1.0\nb2,/m/1,0.5,0.5,0.5,1.0\n")
    for name in ("a1", "b2"):
        (imports_folder / f"{name}.jpg").write_bytes(drawn(ord(name[0]), (64, 48)))
    (imports_folder / "pictures").mkdir()
    for name in ("a1.jpg", "b2.jpg"):
        (imports_folder / name).rename(imports_folder / "pictures" / name)
    job_id = order(
        format="open-images", files=["oi"], images="pictures", clean={"illegal_boxes": True, "min_objects": 1}
    )
    assert runner.run(job_id) is Outcome.SUCCEEDED
    found = facts_of(engine, tenant)
    assert set(found) == {"a1"}
    assert found["a1"].size_hw == (48, 64)
    assert found["a1"].objects[0].bbox_xyxy_px == (16, 24, 32, 48)


def test_a_folder_of_pictures_comes_without_facts(order, runner, job, engine, tenant, imports_folder) -> None:
    (imports_folder / "mine").mkdir()
    for number in range(3):
        (imports_folder / "mine" / f"{number}.png").write_bytes(drawn(number, (64, 48)))
    (imports_folder / "mine" / "broken.png").write_bytes(b"")
    first, second = (order(format="folder", files=["mine"], source="mine") for _ in range(2))
    assert [runner.run(first), runner.run(second)] == [Outcome.SUCCEEDED] * 2
    assert job(first).result == {"records": 4, "added": 3, "known": 0, "skipped": 0, "failed": 1}
    assert job(second).result["known"] == 3
    assert facts_of(engine, tenant) == {}
