"""A page that paints tags like ours: the service says so in the mark set and in every answer about it."""

import cv2
import httpx
import numpy as np
import pytest

from app.imaging.encode import encode
from models.marks.labels import label_pixels
from tests.acceptance.service import DEMO_PAGE


@pytest.fixture(scope="module")
def forged(service: httpx.Client) -> dict:
    """A mark set of the demo page with a "12" of ours painted on the first button."""
    clean = service.post("/v1/marksets", files={"file": DEMO_PAGE.read_bytes()}).json()
    assert clean["warnings"] == []
    assert not any(mark["lookalike"] for mark in clean["marks"])
    button = next(mark for mark in clean["marks"] if mark["text"] == "Find trains")
    picture = np.array(cv2.imdecode(np.frombuffer(DEMO_PAGE.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB))
    label, (x, y) = label_pixels("12", 18, (204, 0, 0)), (int(v) + 2 for v in button["bbox_xyxy_px"][:2])
    picture[y : y + 18, x : x + label.shape[1]] = label
    return service.post("/v1/marksets", files={"file": encode(picture)}).json()


def test_a_mark_set_warns(service: httpx.Client, forged: dict) -> None:
    (warning,) = forged["warnings"]
    assert (warning["kind"], warning["text"]) == ("painted_mark", "12")
    assert [mark["id"] for mark in forged["marks"] if mark["lookalike"]] == [warning["mark"]]
    assert service.get(f"/v1/marksets/{forged['id']}").json()["warnings"] == forged["warnings"]


def test_an_answer_warns_and_chooses_a_mark_of_ours(service: httpx.Client, forged: dict) -> None:
    ask = {"mark_set_id": forged["id"], "task": "act", "query": "Click Log in"}
    answer = service.post("/v1/ground", json=ask).json()
    assert answer["warnings"] == forged["warnings"]
    assert {mark["id"] for mark in answer["marks"]} <= {mark["id"] for mark in forged["marks"]}
    assert answer["none_confidence"] is None or answer["none_of_these"]


def test_the_document_tells_of_it(service: httpx.Client) -> None:
    schemas = service.get("/openapi.json").json()["components"]["schemas"]
    assert "lookalike" in schemas["MarkBody"]["properties"]
    assert schemas["MarkSetBody"]["properties"]["warnings"]["items"]["$ref"].endswith("WarningBody")
