"""COCO to a listing and QA dataset with one command: equal to the annotations, and readable by LLaVA's trainer."""

import json
import shutil
from pathlib import Path

import httpx
import pytest

from tests.acceptance.service import new_tenant
from tests.bench import factory_coco

IMAGES, TAUGHT = 6, 1


@pytest.fixture
def coco(shared_data: Path, tmp_path: Path) -> Path:
    """A dozen of the photos with their annotations; all of them are `python -m tests.bench.factory_coco`'s."""
    folder = tmp_path / "coco"
    (folder / "images").mkdir(parents=True)
    said = json.loads((shared_data / "coco" / "instances.json").read_text())
    said["images"] = said["images"][:IMAGES]
    kept = {image["id"] for image in said["images"]}
    said["annotations"] = [each for each in said["annotations"] if each["image_id"] in kept]
    captions = json.loads((shared_data / "coco" / "captions.json").read_text())
    (folder / "instances.json").write_text(json.dumps(said))
    (folder / "captions.json").write_text(json.dumps([each for each in captions if each["image_id"] in kept]))
    for image in said["images"]:
        shutil.copy(shared_data / "coco" / "images" / image["file_name"], folder / "images")
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_command_makes_a_dataset_that_trains(
    coco: Path, service_url: str, service_home: Path, tmp_path: Path, monkeypatch
) -> None:
    key = new_tenant(service_home, "factory_coco")
    monkeypatch.setenv("MARKWISE_HOME", str(service_home))
    monkeypatch.setenv("MARKWISE_KEY", key)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=service_url, timeout=60, headers=headers) as client:
        made = factory_coco.build(service_url, service_home, coco, tmp_path / "out", taught=TAUGHT)
        equal = factory_coco.compare(client, made["listing"]["id"], coco)
    assert equal["images"] == equal["equal"] == equal["annotated_images"] > 0
    assert made["qa"]["report"]["texts"][0]["texts"] == equal["images"]
    assert [job["report"]["texts"][0]["model"] for job in made["tiny"]] == ["som-llava-tiny"] * 2
    texts = made["dataset"]["statistics"]["texts"]
    assert texts >= 2 * equal["images"]
    assert factory_coco.load(tmp_path / "out") == texts
