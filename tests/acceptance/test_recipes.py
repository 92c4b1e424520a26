"""Every recipe under docs/recipes, run as a user runs it: its own process, the running service, a folder of pictures."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pycocotools import mask
from pycocotools.coco import COCO

from markwise import Client
from tests.acceptance.service import DEMO_PAGE, ROOT, drawn

RECIPES = ROOT / "docs" / "recipes"
REGIONS = [{"bbox_xyxy_px": [30, 40, 110, 120], "text": "box"}, {"bbox_xyxy_px": [150, 50, 240, 140], "text": "ball"}]


def run(service_url: str, name: str, *argv: object, expected: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(RECIPES / f"{name}.py"), *map(str, argv)],
        env=os.environ | {"MARKWISE_SERVER": service_url},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == expected, (done.stdout, done.stderr)
    return done


def test_every_recipe_has_its_test() -> None:
    tested = {"folder_to_coco", "openai_client", "teach", "evaluate"} | {"agent"}  # tests/acceptance/agent
    assert {path.stem for path in RECIPES.glob("*.py")} == tested


@pytest.mark.timeout(600)
def test_a_folder_becomes_one_coco_file(service_url: str, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "more").mkdir(parents=True)
    (photos / "a.png").write_bytes(drawn(901))
    (photos / "more" / "b.png").write_bytes(drawn(902))
    (photos / "broken.jpg").write_bytes(b"no picture")
    out = tmp_path / "new" / "photos.json"
    done = run(service_url, "folder_to_coco", photos, "--out", out, "--segmenter", "regions", expected=1)
    assert "broken.jpg" in done.stderr
    coco = COCO(str(out))
    assert [image["file_name"] for image in coco.loadImgs(coco.getImgIds())] == ["a.png", "more/b.png"]
    for image_id in coco.getImgIds():
        found = coco.loadAnns(coco.getAnnIds(imgIds=image_id))
        assert found
        assert all(mask.area(one["segmentation"]) == one["area"] > 0 for one in found)
    names = {category["id"] for category in coco.loadCats(coco.getCatIds())}
    assert {one["category_id"] for one in coco.loadAnns(coco.getAnnIds())} == names


def test_openais_client_names_a_mark(service_url: str) -> None:
    done = run(service_url, "openai_client", DEMO_PAGE, "Which mark is the search box?")
    assert "mark " in done.stdout.splitlines()[-1]
    assert "point" in done.stdout


@pytest.mark.parametrize(
    ("expected", "argv", "told"),
    [
        (2, ["folder_to_coco", "nowhere", "--out", "a.json"], "nowhere holds no pictures"),
        (2, ["teach", "nowhere", "--name", "a"], "nowhere holds no pictures"),
        (2, ["openai_client", "nothing.png", "Where?"], "nothing.png is no file"),
        (1, ["openai_client", DEMO_PAGE, "Where?", "--model", "nobody"], "There is no model with this name"),
        (1, ["evaluate", "nobody"], "There is no model with this name"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(service_url: str, expected: int, argv: list, told: str) -> None:
    done = run(service_url, *argv, expected=expected)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_folder_teaches_a_model(service: httpx.Client, service_url: str, tmp_path: Path) -> None:
    for seed in (911, 912):
        (tmp_path / f"{seed}.png").write_bytes(drawn(seed))
        (tmp_path / f"{seed}.json").write_text(json.dumps(REGIONS))
    (tmp_path / "nameless.png").write_bytes(drawn(913))
    done = run(service_url, "teach", tmp_path, "--name", "recipe", "--steps", 1)
    assert re.fullmatch(r".*nameless\.png: .* needs a name .*\n", done.stderr)
    assert re.search(r"recipe version \d+: 2 listings", done.stdout)
    name = re.search(r"^(recipe@\d+): ", done.stdout, re.MULTILINE)
    assert name is not None
    assert service.get(f"/v1/models/{name[1]}").json()["deployed"] is False


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_model_is_measured_with_marks_and_without(service_url: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = run(service_url, "evaluate", "som-llava-tiny", "--benchmark", "refer", "--n", 2, "--out", page)
    told = [line.split()[:3] for line in done.stdout.splitlines()]
    assert told == [["refer", "som-llava-tiny", "tags"], ["refer", "som-llava-tiny", "plain"]]
    assert "<h2>refer</h2>" in page.read_text()
    with Client(service_url) as client:
        plain = next(each for each in client.evaluations() if each.settings["tags"] is None)
        items = list(client.evaluation_items(plain))
        assert [(item.position, item.grade) for item in items] == [(0, 0.0), (1, 0.0)], (
            "without marks it cannot say which"
        )
        assert client.evaluation_picture(plain, 0).startswith(b"RIFF")
