"""COCO to a listing and QA dataset with one command: equal to the annotations, and readable by LLaVA's trainer."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.service import serving
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


@pytest.fixture
def home() -> Iterator[Path]:
    made = factory_coco.new_home()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_command_makes_a_dataset_that_trains(coco: Path, home: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MARKWISE_HOME", str(home))
    with serving(MARKWISE_HOME=str(home)) as url, httpx.Client(base_url=url, timeout=60) as client:
        made = factory_coco.build(url, home, coco, tmp_path / "out", taught=TAUGHT)
        equal = factory_coco.compare(client, made["listing"]["id"], coco)
    assert equal["images"] == equal["equal"] == equal["annotated_images"] > 0
    assert made["qa"]["report"]["texts"][0]["texts"] == equal["images"]
    assert [job["report"]["texts"][0]["model"] for job in made["tiny"]] == ["som-llava-tiny"] * 2
    texts = made["dataset"]["statistics"]["texts"]
    assert texts >= 2 * equal["images"]
    assert factory_coco.load(tmp_path / "out") == texts
