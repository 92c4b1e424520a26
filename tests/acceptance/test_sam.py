"""Segment Anything through the running service: prompts, everything-mode, and what is said where weights are absent."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import torch

from tests.acceptance.service import drawn, serving
from tests.sam_reference import random_sam

PROMPTS = [
    {"id": "point", "point_xy_px": [70.5, 80.5], "text": "the box"},
    {"id": "box", "bbox_xyxy_px": [140, 40, 250, 150]},
    {"id": "stroke", "stroke_px": [[70, 210], [120, 170], [170, 210]]},
]


@pytest.fixture(scope="module")
def with_sam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service whose weights are a small random network that thinks well of all its masks."""
    sam = random_sam(0)
    with torch.no_grad():
        sam.mask_decoder.iou_prediction_head.layers[-1].bias.fill_(5.0)
        for head in sam.mask_decoder.output_hypernetworks_mlps:  # far from the level: every mask is stable
            head.layers[-1].weight.mul_(100)
            head.layers[-1].bias.mul_(100)
    file: Path = tmp_path_factory.mktemp("weights") / "small_sam.pth"
    torch.save(sam.state_dict(), file)
    file.parent.chmod(0o755)
    with (
        serving(MARKWISE_SAM_WEIGHTS=str(file), MARKWISE_SEMANTIC_SAM_WEIGHTS="random-small") as url,
        httpx.Client(base_url=url, timeout=150, headers={"Prefer": "wait=120"}) as client,
    ):
        yield client


def test_prompts_and_everything_become_mark_sets(with_sam: httpx.Client) -> None:
    image = with_sam.post("/v1/images", files={"file": drawn(900)}).json()
    ask = {"image": {"type": "id", "id": image["id"]}, "segmenter": "sam"}
    prompted = with_sam.post("/v1/marksets?include=masks", json=ask | {"regions": PROMPTS})
    assert prompted.status_code == 201, prompted.text
    body = prompted.json()
    assert (body["segmenter"]["name"], body["segmenter"]["granularity"]) == ("sam", None)
    assert re.fullmatch("1[+]small_sam-[0-9a-f]{12}", body["segmenter"]["version"])
    assert {mark["region_id"] for mark in body["marks"]} == {"point", "box", "stroke"}
    assert {mark["text"] for mark in body["marks"]} == {"the box", None}
    assert all(mark["rle"]["size"] == [240, 320] and mark["area_px"] > 0 for mark in body["marks"])
    everything = with_sam.post("/v1/marksets", json=ask | {"granularity": 1})
    assert everything.status_code == 201, everything.text
    found = everything.json()
    assert found["segmenter"]["granularity"] == 1
    assert len(found["marks"]) >= 1
    again = with_sam.post("/v1/marksets", json=ask | {"granularity": 1})
    assert (again.status_code, again.json()["id"]) == (200, found["id"])


def test_semantic_sam_answers_a_click_at_the_level_that_is_asked_for(with_sam: httpx.Client) -> None:
    image = with_sam.post("/v1/images", files={"file": drawn(903)}).json()
    ask = {"image": {"type": "id", "id": image["id"]}, "segmenter": "semantic-sam", "regions": PROMPTS[:1]}
    by_level = {}
    for level in (2, 6):
        answer = with_sam.post("/v1/marksets?include=masks", json=ask | {"granularity": level})
        assert answer.status_code == 201, answer.text
        by_level[level] = answer.json()
    assert [body["segmenter"]["granularity"] for body in by_level.values()] == [2, 6]
    assert by_level[2]["segmenter"]["name"] == "semantic-sam"
    assert by_level[2]["segmenter"]["version"].startswith("1+random-small-")
    assert by_level[2]["marks"][0]["rle"]["size"] == [240, 320]
    assert by_level[2]["marks"][0]["rle"] != by_level[6]["marks"][0]["rle"]


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("sam", "MARKWISE_SAM_WEIGHTS"),
        ("semantic-sam", "MARKWISE_SEMANTIC_SAM_WEIGHTS"),
        ("oneformer", "MARKWISE_ONEFORMER_WEIGHTS"),
    ],
)
def test_absent_weights_name_the_setting_and_harm_nobody(service: httpx.Client, name: str, setting: str) -> None:
    answer = service.post("/v1/marksets", files={"file": drawn(901)}, data={"segmenter": name})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "model.weights_missing"
    assert setting in answer.json()["detail"]
    assert service.post("/v1/marksets", files={"file": drawn(901)}, data={"segmenter": "regions"}).is_success


@pytest.mark.parametrize("name", ["seem", "maskdino"])
def test_what_is_not_here_yet_names_the_closest(service: httpx.Client, name: str) -> None:
    answer = service.post("/v1/marksets", files={"file": drawn(902)}, data={"segmenter": name})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert f"`{name}` is not available yet" in answer.json()["detail"]
    assert "closest" in answer.json()["detail"]
