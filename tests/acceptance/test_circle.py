"""The whole circle through HTTP: images -> marks -> texts -> dataset -> training -> evaluation -> deployment -> answers."""

import time

import httpx
import pytest

from app.imaging.encode import encode
from models import drawings
from tests.acceptance.service import finished
from workers.revision import code

SCENES = range(drawings.TRAIN_SEEDS.start, drawings.TRAIN_SEEDS.start + 4)


@pytest.fixture(scope="module")
def taught(service: httpx.Client) -> list[dict]:
    """Mark sets of four drawings whose regions carry their true names."""
    mark_sets = []
    for seed in SCENES:
        scene = drawings.scene(seed)
        image = service.post("/v1/images", files={"file": encode(scene.image)}, data={"labels": '["circle"]'}).json()
        regions = [
            {"id": name, "bbox_xyxy_px": [float(v) for v in box], "text": name}
            for name, box in zip(scene.names, scene.regions.boxes_xyxy_px, strict=True)
        ]
        ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
        mark_sets.append(service.post("/v1/marksets", json=ask).json())
    return mark_sets


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_what_was_annotated_is_trained_measured_and_served(service: httpx.Client, taught: list[dict]) -> None:
    order = {"images": {"label": "circle"}, "mark_set_ids": [mark_set["id"] for mark_set in taught]}
    response = service.post("/v1/annotations", json=order)
    assert response.status_code == 202
    annotation = finished(service, response.json()["id"])
    assert annotation["result"] == {"texts": len(SCENES)}
    assert annotation["progress"] == {"done": 4, "total": 4, "failed": 0, "percent": 100.0, "stage": None}
    items = service.get(f"/v1/jobs/{annotation['id']}/items").json()["data"]
    assert [item["status"] for item in items] == ["succeeded"] * 4

    texts = service.get("/v1/texts", params={"job_id": annotation["id"]}).json()["data"]
    assert len(texts) == 4
    by_mark_set = {mark_set["id"]: mark_set for mark_set in taught}
    for text in texts:
        marks = by_mark_set[text["mark_set_id"]]["marks"]
        assert text["conversations"][1]["value"] == "\n".join(f"{m['id']}. {m['text']}" for m in marks)
        assert text["provenance"]["writer"] == "rules"
    rejected = texts[0]["id"]
    assert service.patch(f"/v1/texts/{rejected}", json={"review": "rejected"}).json()["review"] == "rejected"

    dataset = service.post("/v1/datasets", json={"name": "circle", "job_ids": [annotation["id"]]}).json()
    assert dataset["statistics"]["texts"] == 3
    exported = service.get(f"/v1/datasets/{dataset['id']}/export", params={"format": "llava"}).json()
    assert rejected not in {sample["id"] for sample in exported}
    assert all(sample["conversations"][0]["value"].startswith("<image>\n") for sample in exported)

    order = {"name": "taught", "dataset_id": dataset["id"], "steps": 3, "batch_size": 2, "learning_rate": 1e-4}
    order |= {"max_tokens": 512, "precision": "fp32", "gradient_checkpointing": False}
    training = finished(service, service.post("/v1/trainings", json=order).json()["id"], 240)
    assert training["status"] == "succeeded", training
    model_id = training["result"]["model_version_id"]
    model = service.get(f"/v1/models/{model_id}").json()
    assert (model["name"], model["version"], model["deployed"]) == ("taught", 1, False)
    assert model["metrics"]["retention_perplexity"]["after"] > 1
    assert model["metrics"]["left_out"]["broken_pictures"] == 0
    made_of = model["origin"]
    known = {"id": dataset["id"], "name": "circle", "version": dataset["version"], "sha256": dataset["content_sha256"]}
    assert (made_of["dataset"], made_of["base"]) == (known, "som-llava-tiny")
    assert made_of["code"] == code()
    assert set(made_of["libraries"]) == {"torch", "transformers", "peft"}
    assert "circle@1" in made_of["licence"]
    assert (model["recipe"]["steps"], model["recipe"]["learning_rate"]) == (3, 1e-4)
    assert (model["recipe"]["max_tokens"], model["recipe"]["precision"]) == (512, "fp32")
    with service.stream("GET", f"/v1/jobs/{training['id']}/events") as events:
        names = {line.removeprefix("event: ") for line in events.iter_lines() if line.startswith("event: ")}
    assert {"progress", "metric", "completed"} <= names

    order = {"benchmark": "listing", "dataset_id": dataset["id"], "model": "taught@1"}
    evaluation_job = finished(service, service.post("/v1/evaluations", json=order).json()["id"])
    evaluation = service.get(f"/v1/evaluations/{evaluation_job['result']['evaluation_id']}").json()
    assert evaluation["model_version_id"] == model_id
    assert evaluation["metrics"]["n"] == 3
    assert 0 <= evaluation["metrics"]["item_accuracy"] <= 100

    ask = {"mark_set_id": taught[0]["id"], "task": "list"}
    before = service.post("/v1/ground", json=ask).json()["model"]
    assert service.post("/v1/models/deploy", json={"model_version_id": model_id}).json()["name"] == "taught@1"
    assert service.post("/v1/ground", json=ask).json()["model"]["name"] == "taught@1"
    assert service.post("/v1/models/rollback").json()["model_version"] is None
    assert service.post("/v1/ground", json=ask).json()["model"] == before


@pytest.mark.timeout(120)
def test_a_training_is_cancelled_within_ten_seconds(service: httpx.Client) -> None:
    job = service.post("/v1/trainings", json={"name": "never", "recipe": "tiny-scratch", "budget_s": 600}).json()
    deadline = time.monotonic() + 60
    while service.get(f"/v1/jobs/{job['id']}").json()["status"] == "queued":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(3)
    asked_at = time.monotonic()
    assert service.post(f"/v1/jobs/{job['id']}/cancel").json()["status"] == "cancelling"
    ended = finished(service, job["id"], 30)
    assert ended["status"] == "cancelled"
    # 10 are promised: 3 s until a heartbeat tells, .5 s of silence, 6 s to save. The rest is for a busy machine.
    assert time.monotonic() - asked_at < 15
    again = service.post(f"/v1/jobs/{job['id']}/cancel")
    assert again.status_code == 202


def test_the_rules_cannot_write_without_names(service: httpx.Client) -> None:
    scene = drawings.scene(drawings.TRAIN_SEEDS.start + 50)
    image = service.post("/v1/images", files={"file": encode(scene.image)}).json()
    job = service.post("/v1/annotations", json={"images": {"ids": [image["id"]]}, "marks": {"segmenter": "regions"}})
    ended = finished(service, job.json()["id"])
    assert ended["status"] == "failed"
    item = service.get(f"/v1/jobs/{ended['id']}/items").json()["data"][0]
    assert item["error"]["code"] == "annotation.no_names"
    assert service.post(f"/v1/jobs/{ended['id']}/retry").status_code == 202
    assert finished(service, ended["id"])["status"] == "failed"
