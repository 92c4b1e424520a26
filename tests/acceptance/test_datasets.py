"""Texts become datasets through HTTP and the command line: recipes, reviews, exports that a LLaVA trainer loads."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from app.imaging.encode import encode
from models import drawings
from tests.acceptance.service import finished
from tests.acceptance.test_cli import markwise

SCENES = range(drawings.TRAIN_SEEDS.start + 100, drawings.TRAIN_SEEDS.start + 104)
LABEL = "datasets"


@pytest.fixture(scope="module")
def texts(service: httpx.Client) -> list[dict[str, Any]]:
    """Listings of four drawings, by rules."""
    mark_set_ids = []
    for seed in SCENES:
        scene = drawings.scene(seed)
        image = service.post("/v1/images", files={"file": encode(scene.image)}, data={"labels": f'["{LABEL}"]'}).json()
        regions = [
            {"id": name, "bbox_xyxy_px": [float(v) for v in box], "text": name}
            for name, box in zip(scene.names, scene.regions.boxes_xyxy_px, strict=True)
        ]
        ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
        mark_set_ids.append(service.post("/v1/marksets", json=ask).json()["id"])
    order = {"images": {"label": LABEL}, "mark_set_ids": mark_set_ids}
    job = finished(service, service.post("/v1/annotations", json=order).json()["id"])
    assert job["status"] == "succeeded", job
    found: list[dict[str, Any]] = service.get("/v1/texts", params={"job_id": job["id"]}).json()["data"]
    assert len(found) == len(SCENES)
    return found


def mine(texts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"job_ids": [texts[0]["job_id"]]}


def test_a_recipe_by_name_is_built_sealed_and_listed(service: httpx.Client, texts: list[dict[str, Any]]) -> None:
    order = {"name": "named", "recipe": "markwise-listing-qa", **mine(texts)}
    response = service.post("/v1/datasets", json=order)
    assert response.status_code == 201, response.text
    made = response.json()
    again = service.post("/v1/datasets", json=order).json()
    assert (made["version"], again["version"]) == (1, 2)
    assert made["content_sha256"] == again["content_sha256"]
    assert made["statistics"]["parts"]["listing"] == {"read": 4, "taken": 4}
    listed = service.get("/v1/datasets", params={"name": "named"}).json()["data"]
    assert [body["version"] for body in listed] == [2, 1]
    page = service.get(f"/v1/datasets/{made['id']}/texts", params={"limit": 3}).json()
    rest = service.get(f"/v1/datasets/{made['id']}/texts", params={"after": page["next_cursor"]}).json()
    held = [item["text_id"] for item in (*page["data"], *rest["data"])]
    assert sorted(held) == sorted(text["id"] for text in texts)
    assert rest["has_more"] is False
    reposted = service.post("/v1/datasets", json={"name": "reposted", "recipe": made["recipe"]}).json()
    assert reposted["content_sha256"] == made["content_sha256"]


def test_respond_async_gives_the_job_and_the_job_gives_the_dataset(
    service: httpx.Client, texts: list[dict[str, Any]]
) -> None:
    response = service.post("/v1/datasets", json={"name": "later", **mine(texts)}, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    assert response.headers["Location"] == f"/v1/jobs/{response.json()['id']}"
    job = finished(service, response.json()["id"])
    assert service.get(f"/v1/datasets/{job['result']['dataset_id']}").json()["version"] == 1


@pytest.mark.parametrize(
    ("order", "status", "said"),
    [
        ({"recipe": "no-such"}, 422, "known are markwise-listing-qa"),
        ({"recipe": {"name": "r", "purpose": "p", "parts": [{"name": "a"}]}}, 422, "either `texts` or `file`"),
        ({"recipe": {"name": "r", "purpose": "p", "parts": [], "x": 1}}, 422, "Extra inputs"),
        ({"recipe": "som-llava-695k"}, 422, "MARKWISE_IMPORTS"),
        ({"recipe": "markwise-listing-qa", "parts": ["x"]}, 422, "parts are listing, som-qa"),
        ({"recipe": "svit-core", "kinds": ["listing"]}, 422, "exclude each other"),
        ({"kinds": ["poem"]}, 422, "listing"),
        ({"kinds": ["concept_document"]}, 422, "would be empty"),
    ],
)
def test_a_wrong_order_says_what_would_be_right(
    service: httpx.Client, order: dict[str, Any], status: int, said: str
) -> None:
    response = service.post("/v1/datasets", json={"name": "wrong", **order})
    assert response.status_code == status, response.text
    assert said in response.text


def test_exports_leave_in_four_formats(service: httpx.Client, texts: list[dict[str, Any]]) -> None:
    made = service.post("/v1/datasets", json={"name": "formats", **mine(texts)}).json()
    path = f"/v1/datasets/{made['id']}/export"
    samples = service.get(path).json()
    lines = service.get(path, params={"format": "jsonl", "shard": 1, "shards": 2}).text.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [sample["id"] for sample in samples[2:]]
    archive = service.get(path, params={"format": "webdataset"})
    assert archive.headers["content-disposition"] == 'attachment; filename="formats-v1.tar"'
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as tar:
        assert len(tar.getnames()) == 8
    coco = service.get(path, params={"format": "coco"}).json()
    assert len(coco["images"]) == 4
    names = {category["id"]: category["name"] for category in coco["categories"]}
    listed = "\n".join(text["conversations"][1]["value"] for text in texts)
    assert all(names[one["category_id"]] in listed for one in coco["annotations"])
    assert service.get(path, params={"format": "parquet"}).status_code == 422
    assert service.get(path, params={"format": "coco", "shards": 2}).status_code == 422


def test_a_review_is_kept_counted_and_flows_into_the_next_version(
    service: httpx.Client, texts: list[dict[str, Any]]
) -> None:
    edited, rejected = texts[0], texts[1]
    words = [edited["conversations"][0], {"from": "gpt", "value": "1. a corrected thing"}]
    body = {"review": "edited", "conversations": words, "reviewer": "Ada", "revision": 0}
    assert service.patch(f"/v1/texts/{edited['id']}", json=body).json()["revision"] == 1
    assert service.patch(f"/v1/texts/{edited['id']}", json=body).status_code == 409
    gone = {"review": "rejected", "reason": "wrong"}
    assert service.patch(f"/v1/texts/{rejected['id']}", json=gone).json()["review"] == "rejected"
    history = service.get(f"/v1/texts/{edited['id']}/revisions").json()["data"]
    assert [(one["revision"], one["review"], one["reviewer"]) for one in history] == [
        (0, "unreviewed", None),
        (1, "edited", "Ada"),
    ]
    assert history[0]["conversations"] == edited["conversations"]
    statistics = service.get("/v1/texts/statistics", params={"job_id": texts[0]["job_id"]}).json()["data"]
    assert len(statistics) == 1
    counted = {name: statistics[0][name] for name in ("texts", "reviewed", "edited", "rejected", "edit_rate")}
    assert counted == {"texts": 4, "reviewed": 2, "edited": 1, "rejected": 1, "edit_rate": 0.5}
    assert statistics[0]["reasons"]["wrong"] == 1
    made = service.post("/v1/datasets", json={"name": "reviewed", **mine(texts)}).json()
    held = service.get(f"/v1/datasets/{made['id']}/texts").json()["data"]
    assert {item["text_id"]: item["conversations"] for item in held}[edited["id"]] == words
    assert rejected["id"] not in {item["text_id"] for item in held}


def test_corrected_marks_are_told_with_their_texts(service: httpx.Client, texts: list[dict[str, Any]]) -> None:
    text = texts[2]
    assert text["outdated"] is None
    marks = service.get(f"/v1/marksets/{text['mark_set_id']}").json()["marks"]
    change = {"text": "something else altogether"}
    revision = service.patch(f"/v1/marksets/{text['mark_set_id']}/marks/{marks[0]['id']}", json=change).json()
    told = service.get(f"/v1/texts/{text['id']}").json()["outdated"]
    assert told == {"newest_mark_set_id": revision["id"], "fits": False}
    made = service.post("/v1/datasets", json={"name": "fresh", **mine(texts)}).json()
    assert text["id"] in {fault["id"] for fault in made["statistics"]["excluded"]["listed"]}


def test_the_command_line_builds_and_exports_what_transformers_loads(
    service_url: str, texts: list[dict[str, Any]], tmp_path: Path
) -> None:
    server = ("--server", service_url)
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("name: mine\npurpose: Mine.\nparts:\n  - {name: all, texts: {outdated: keep}, repeat: 2}\n")
    built = markwise("dataset", "build", "cli", "--recipe", str(recipe), "--job", texts[0]["job_id"], "--json", *server)
    assert built.returncode == 0, built.stderr
    count = json.loads(built.stdout)["statistics"]["texts"]
    data, pictures = tmp_path / "d.json", tmp_path / "pictures"
    done = markwise("dataset", "export", "cli@1", "--out", str(data), "--images", str(pictures), *server)
    assert done.returncode == 0, done.stderr
    assert f"{count} samples written" in done.stdout
    shards = markwise(
        "dataset", "export", "cli", "--format", "webdataset", "--shards", "2", "--out", str(tmp_path / "d.tar"), *server
    )
    assert shards.returncode == 0, shards.stderr
    assert (tmp_path / "d-00001-of-00002.tar").is_file()
    shown = markwise("dataset", "show", "cli", "--json", *server)
    assert json.loads(shown.stdout)["statistics"]["texts"] == count

    from models.tiny.export import build_processor
    from models.tiny.tokenizer import build_tokenizer
    from models.training.conversations import read_conversations
    from models.training.encoder import Encoder

    processor = build_processor(build_tokenizer())
    encoder = Encoder(processor, pictures, max_tokens=2048, broken_allowed=0)
    records = read_conversations(data)
    rows = [encoder.encode(record) for record in records]
    assert len(rows) == count
    assert all(row is not None and int((row["labels"] != -100).sum()) > 0 for row in rows), "no sample is zeroed"
    # A plain loader: one turn after another through the processor's own chat form.
    for sample in json.loads(data.read_text()):
        first, second = sample["conversations"][:2]
        text = f"USER: {first['value']} ASSISTANT: {second['value']}</s>"
        inputs = processor(text=text, images=Image.open(pictures / sample["image"]), return_tensors="pt")
        assert inputs["pixel_values"].shape[0] == 1


def test_a_wrong_recipe_file_names_its_line(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("name: mine\npurpose: Mine.\nparts:\n  - {name: all, texts: {}, repeats: 2}\n")
    done = markwise("dataset", "build", "cli", "--recipe", str(recipe))
    assert done.returncode == 1
    assert "mine.yaml, line 4: `parts[0].repeats` is no key here; known are name, texts," in done.stderr


def test_recipes_are_listed_without_a_service() -> None:
    done = markwise("dataset", "recipes")
    assert done.returncode == 0
    one = markwise("dataset", "recipes", "svit-core")
    assert "take: 157712" in one.stdout
    assert markwise("dataset", "recipes", "no-such").returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "markwise-listing-qa",
        "mmgic-sft",
        "mmgic-then-ic",
        "som-llava-695k",
        "svit-core",
        "svit-mix-665k",
    ]
