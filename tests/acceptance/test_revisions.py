"""A person edits a mark set: every edit is a revision, the set before stays, and marks nobody touched keep their ids."""

import httpx
import pytest

from tests.acceptance.service import drawn


@pytest.fixture(scope="module")
def first(service: httpx.Client) -> dict:
    """Three named boxes on a picture."""
    image = service.post("/v1/images", files={"file": drawn(70)}).json()
    boxes = {"left": [10, 10, 60, 60], "right": [100, 10, 160, 60], "below": [10, 120, 200, 200]}
    regions = [{"id": name, "text": name, "bbox_xyxy_px": box} for name, box in boxes.items()]
    ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
    made: dict = service.post("/v1/marksets", json=ask).json()
    return made


def revised(service: httpx.Client, mark_set: dict, **change: object) -> dict:
    response = service.post(f"/v1/marksets/{mark_set['id']}/revisions?include=masks", json=change)
    assert response.status_code == 201, response.text
    made: dict = response.json()
    return made


def ids_by_text(mark_set: dict) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for mark in mark_set["marks"]:
        found.setdefault(mark["text"], []).append(mark["id"])
    return found


def test_a_deleted_mark_is_gone_from_the_revision_only(service: httpx.Client, first: dict) -> None:
    ids = ids_by_text(first)
    made = revised(service, first, op="delete", marks=ids["right"])
    assert made["id"] != first["id"]
    assert ids_by_text(made) == {name: ids[name] for name in ("left", "below")}
    again = service.get(f"/v1/marksets/{first['id']}").json()
    assert ids_by_text(again) == ids
    assert revised(service, first, op="delete", marks=ids["right"])["id"] == made["id"], "the same edit twice is one"


def test_all_marks_may_be_deleted_and_others_be_added(service: httpx.Client, first: dict) -> None:
    none = revised(service, first, op="delete", marks=[mark["id"] for mark in first["marks"]])
    assert none["marks"] == []
    (mark,) = revised(service, none, op="add", region={"point_xy_px": [50, 50], "text": "here"})["marks"]
    assert mark["text"] == "here"


def test_marks_are_merged_and_split_again(service: httpx.Client, first: dict) -> None:
    ids = ids_by_text(first)
    one = revised(service, first, op="merge", marks=[ids["left"][0], ids["right"][0]])
    assert ids_by_text(one)["below"] == ids["below"]
    both = next(mark for mark in one["marks"] if mark["text"] == "left right")
    assert both["area_px"] == 50 * 50 + 60 * 50
    two = revised(service, one, op="split", mark=both["id"])
    assert len(two["marks"]) == 3
    cut = revised(service, first, op="split", mark=ids["below"][0], line_px=[[100, 100], [100, 230]])
    assert sorted(mark["area_px"] for mark in cut["marks"])[-2:] == pytest.approx([7200, 8000], abs=400)


def test_a_new_region_takes_over_the_name_of_what_it_replaces(service: httpx.Client, first: dict) -> None:
    ids = ids_by_text(first)
    polygon = [[10.0, 120.0, 200.0, 120.0, 10.0, 200.0]]
    made = revised(service, first, op="add", region={"polygon_px": polygon}, replaces=ids["below"])
    assert sorted(ids_by_text(made)) == ["below", "left", "right"]
    (new,) = [mark for mark in made["marks"] if mark["text"] == "below"]
    assert new["area_px"] < 8000
    added = revised(service, made, op="add", region={"bbox_xyxy_px": [220, 10, 260, 60], "text": "new"})
    assert len(added["marks"]) == 4


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"op": "delete", "marks": ["77"]}, 404, "no mark 77"),
        ({"op": "split", "mark": "1"}, 422, "no separate parts"),
        ({"op": "add", "region": {"bbox_xyxy_px": [900, 900, 950, 950]}}, 422, "lies in the image"),
        ({"op": "merge", "marks": ["1"]}, 422, "agreed shape"),
        ({"op": "paint"}, 422, "agreed shape"),
    ],
)
def test_an_edit_that_makes_nothing_says_why(
    service: httpx.Client, first: dict, change: dict, status: int, words: str
) -> None:
    answer = service.post(f"/v1/marksets/{first['id']}/revisions", json=change)
    assert answer.status_code == status
    assert words in answer.text
