"""Images and mark sets over HTTP, on the running service."""

import base64
import hashlib
import io

import httpx
import numpy as np
import pytest
from PIL import Image

from models.regions import Regions
from tests.acceptance.service import DEMO_PAGE, drawn, finished

BOXES = [
    {"id": "first", "bbox_xyxy_px": [30, 40, 110, 120], "text": "red box", "role": "button"},
    {"id": "second", "bbox_xyxy_px": [150.3, 50.7, 240.1, 140]},
    {"polygon_px": [[60, 220, 120, 150, 180, 220]]},
    {"point_xy_px": [300.5, 20.5]},
]


def test_an_image_is_stored_once_and_shown_again(service: httpx.Client) -> None:
    data = drawn(500)  # no other test's: this one is to be new
    first = service.post("/v1/images", files={"file": data}, data={"labels": '["a"]'})
    again = service.post(
        "/v1/images", json={"image": {"type": "base64", "data": base64.b64encode(data).decode()}, "labels": ["b"]}
    )
    assert (first.status_code, again.status_code) == (201, 200)
    body = again.json()
    assert body["id"] == first.json()["id"]
    assert body["sha256"] == hashlib.sha256(data).hexdigest()
    assert body["labels"] == ["a", "b"]
    assert (body["object"], body["width"], body["height"], body["bytes"]) == ("image", 320, 240, len(data))
    found = service.get("/v1/images", params={"label": "b"}).json()["data"]
    assert [image["id"] for image in found] == [body["id"]]
    content = service.get(f"/v1/images/{body['id']}/content")
    assert content.headers["x-content-type-options"] == "nosniff"
    original, shown = (np.asarray(Image.open(io.BytesIO(d)).convert("RGB")) for d in (data, content.content))
    assert np.array_equal(original, shown)
    part = service.get(f"/v1/images/{body['id']}/content", params={"cut": "300,200,400,240"})
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(part.content))), original[200:240, 300:320])
    for nowhere in ("320,0,400,10", "5,5,5,9", "a"):
        assert service.get(f"/v1/images/{body['id']}/content", params={"cut": nowhere}).status_code == 422


def test_lists_page_through_everything_once(service: httpx.Client) -> None:
    posted = {
        service.post("/v1/images", files={"file": drawn(s)}, data={"labels": '["paged"]'}).json()["id"]
        for s in range(10, 15)
    }
    seen, after = [], None
    while True:
        page = service.get(
            "/v1/images", params={"label": "paged", "limit": 2} | ({"after": after} if after else {})
        ).json()
        seen += [image["id"] for image in page["data"]]
        after = page["next_cursor"]
        assert page["has_more"] == (after is not None)
        if after is None:
            break
    assert sorted(seen) == sorted(posted)


def test_a_deleted_image_is_gone_with_its_marks(service: httpx.Client) -> None:
    made = service.post("/v1/marksets", files={"file": drawn(2)}, data={"segmenter": "regions"}).json()
    assert service.delete(f"/v1/images/{made['image']['id']}").status_code == 204
    assert service.get(f"/v1/images/{made['image']['id']}").status_code == 404
    assert service.get(f"/v1/marksets/{made['id']}").status_code == 404


def test_provided_regions_come_back_with_their_ids_and_exact_geometry(service: httpx.Client) -> None:
    image = service.post("/v1/images", files={"file": drawn(3)}).json()
    ask = {"image": {"type": "id", "id": image["id"]}, "regions": BOXES}
    response = service.post("/v1/marksets?include=masks", json=ask)
    assert response.status_code == 201
    body = response.json()
    assert body["segmenter"]["name"] == "provided"
    assert body["image"] == {k: image[k] for k in ("id", "sha256", "width", "height")}
    by_region = {mark["region_id"]: mark for mark in body["marks"]}
    assert set(by_region) == {"first", "second", "2", "3"}
    first = by_region["first"]
    assert first["bbox_xyxy_px"] == [30, 40, 110, 120]
    assert first["bbox_xyxy_norm"] == pytest.approx([30 / 320, 40 / 240, 110 / 320, 120 / 240])
    assert (first["text"], first["role"], first["area_px"]) == ("red box", "button", 6400)
    assert by_region["second"]["bbox_xyxy_px"] == [150.3, 50.7, 240.1, 140]
    assert by_region["3"]["point_xy_px"] == [300.5, 20.5]
    for mark in body["marks"]:
        mask = Regions.from_rles((240, 320), [mark["rle"]]).mask(0)
        x, y = mark["point_xy_px"]
        assert mask[int(y), int(x)], mark
        assert mask.sum() == mark["area_px"]
    again = service.post("/v1/marksets", json=ask)
    assert (again.status_code, again.json()["id"], again.json()["cached"]) == (200, body["id"], True)


def test_the_overlay_comes_in_three_formats_and_other_styles(service: httpx.Client) -> None:
    made = service.post("/v1/marksets", files={"file": drawn(4)}, data={"segmenter": "regions"}).json()
    png = service.get(made["overlay_url"])
    assert png.headers["content-type"] == "image/png"
    base = made["overlay_url"].removesuffix(".png")
    sizes = {}
    for extension, kind in (("png", "PNG"), ("webp", "WEBP"), ("jpg", "JPEG")):
        picture = Image.open(io.BytesIO(service.get(f"{base}.{extension}").content))
        sizes[extension] = (picture.format, picture.size)
        assert sizes[extension] == (kind, (320, 240))
    other = service.get(f"{base}.png", params={"style": "som"})
    assert other.status_code == 200
    assert other.content != png.content
    assert service.get(f"{base}.png", params={"style": "som"}).content == other.content
    assert service.get(f"{base}.png", params={"style": "nonsense"}).status_code == 422


@pytest.mark.parametrize("style", ["markwise", "som", "som-llava"])
def test_the_same_bytes_come_of_the_same_request(service: httpx.Client, style: str) -> None:
    overlays = []
    for seed in (50, 51):  # two images with the same pixels, so that no cache answers
        padded = drawn(5) + bytes([seed])
        made = service.post(
            "/v1/marksets", files={"file": padded}, data={"segmenter": "regions", "style": style}
        ).json()
        overlays.append(service.get(made["overlay_url"]).content)
    assert overlays[0] == overlays[1]


def test_auto_looks_at_the_picture_and_says_what_it_chose(service: httpx.Client) -> None:
    screenshot = service.post("/v1/marksets", files={"file": DEMO_PAGE.read_bytes()}).json()
    drawing = service.post("/v1/marksets", files={"file": drawn(6)}).json()
    assert screenshot["segmenter"]["name"] == "gui"
    assert {"Find trains", "Sign in"} <= {mark["text"] for mark in screenshot["marks"]}
    assert drawing["segmenter"]["name"] == "regions"
    assert len(drawing["marks"]) >= 3


def test_respond_async_answers_at_once_and_the_events_tell_the_rest(service: httpx.Client) -> None:
    response = service.post(
        "/v1/marksets", files={"file": drawn(7)}, data={"segmenter": "regions"}, headers={"Prefer": "respond-async"}
    )
    assert response.status_code == 202
    job = response.json()
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    assert "retry-after" in response.headers
    with service.stream("GET", f"/v1/jobs/{job['id']}/events") as events:
        lines = list(events.iter_lines())
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    ids = [int(line.removeprefix("id: ")) for line in lines if line.startswith("id: ")]
    assert names[-1] == "completed"
    assert ids == sorted(ids)
    with service.stream("GET", f"/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": str(ids[-2])}) as events:
        replayed = [line for line in events.iter_lines() if line.startswith("id: ")]
    assert replayed == [f"id: {ids[-1]}"]
    made = finished(service, job["id"])["result"]["mark_set_id"]
    assert service.get(f"/v1/marksets/{made}").status_code == 200


def test_exports_name_the_same_regions(service: httpx.Client) -> None:
    made = service.post("/v1/marksets", files={"file": drawn(8)}, data={"segmenter": "regions"}).json()
    coco = service.get(f"/v1/marksets/{made['id']}/export", params={"format": "coco"}).json()
    assert [a["mark"] for a in coco["annotations"]] == [mark["id"] for mark in made["marks"]]
    x0, y0, x1, y1 = made["marks"][0]["bbox_xyxy_px"]
    assert coco["annotations"][0]["bbox"] == [x0, y0, x1 - x0, y1 - y0]
    yolo = service.get(f"/v1/marksets/{made['id']}/export", params={"format": "yolo"}).text.splitlines()
    assert len(yolo) == len(made["marks"])
    assert all(len(row.split()) == 5 for row in yolo)
    labelme = service.get(f"/v1/marksets/{made['id']}/export", params={"format": "labelme"}).json()
    assert {shape["markwise"]["mark"] for shape in labelme["shapes"] if "markwise" in shape} == {
        mark["id"] for mark in made["marks"]
    }


@pytest.mark.parametrize("format", ["coco", "labelme"])
def test_an_exported_mark_set_posted_again_is_equal(service: httpx.Client, format: str) -> None:
    image = service.post("/v1/images", files={"file": drawn(3)}).json()
    ask = {"image": {"type": "id", "id": image["id"]}}
    made = service.post("/v1/marksets?include=masks", json=ask | {"regions": BOXES}).json()
    document = service.get(f"/v1/marksets/{made['id']}/export", params={"format": format}).json()
    again = service.post("/v1/marksets?include=masks", json=ask | {"regions": document}).json()
    assert again["segmenter"]["name"] == "provided"
    assert again["marks"] == made["marks"]


def test_yolo_rows_posted_again_are_the_same_boxes_or_masks(service: httpx.Client) -> None:
    image = service.post("/v1/images", files={"file": drawn(3)}).json()
    ask = {"image": {"type": "id", "id": image["id"]}}
    made = service.post("/v1/marksets?include=masks", json=ask | {"regions": BOXES}).json()
    for options, field in (({}, "bbox_xyxy_px"), ({"include": "masks"}, "rle")):
        reply = service.get(f"/v1/marksets/{made['id']}/export", params={"format": "yolo"} | options)
        assert reply.headers["x-class-names"] == '["red box", "region"]'
        again = service.post("/v1/marksets?include=masks", json=ask | {"regions": reply.text}).json()
        assert [mark[field] for mark in again["marks"]] == [mark[field] for mark in made["marks"]]


def test_a_document_about_another_image_is_refused(service: httpx.Client) -> None:
    made = service.post("/v1/marksets", files={"file": drawn(3)}, data={"segmenter": "regions"}).json()
    document = service.get(f"/v1/marksets/{made['id']}/export", params={"format": "coco"}).json()
    document["images"][0]["width"] = 999
    ask = {"image": {"type": "id", "id": made["image"]["id"]}, "regions": document}
    reply = service.post("/v1/marksets", json=ask)
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
    assert "999 x 240" in reply.json()["detail"]


def test_an_accessibility_tree_becomes_marks_and_a_bad_one_a_sentence(service: httpx.Client) -> None:
    image = service.post("/v1/images", files={"file": drawn(3)}).json()
    ask = {"image": {"type": "id", "id": image["id"]}, "segmenter": "provided", "device_pixel_ratio": 2}
    tree = '- main [ref=e1] [box=0,0,160,120]:\n  - button "Save" [ref=e2] [box=10,10,40,20]'
    made = service.post("/v1/marksets", json=ask | {"accessibility_tree": tree}).json()
    assert [(mark["region_id"], mark["text"], mark["role"], mark["bbox_xyxy_px"]) for mark in made["marks"]] == [
        ("e2", "Save", "button", [20, 20, 100, 60])
    ]
    reply = service.post("/v1/marksets", json=ask | {"accessibility_tree": "- button"})
    assert (reply.status_code, reply.json()["code"]) == (422, "regions.bad")
    assert "has no boxes" in reply.json()["detail"]


def test_a_previous_mark_set_keeps_the_ids_of_the_same_regions(service: httpx.Client) -> None:
    first = service.post(
        "/v1/marksets",
        files={"file": drawn(9)},
        data={"regions": '[{"id":"b","bbox_xyxy_px":[150,50,240,140]},{"id":"c","bbox_xyxy_px":[60,150,180,220]}]'},
    ).json()
    second = service.post(
        "/v1/marksets",
        json={
            "image": {"type": "id", "id": first["image"]["id"]},
            "previous_mark_set_id": first["id"],
            "regions": [
                {"id": "a", "bbox_xyxy_px": [30, 40, 110, 120]},
                {"id": "b", "bbox_xyxy_px": [151, 50, 241, 140]},
                {"id": "c", "bbox_xyxy_px": [60, 150, 180, 220]},
            ],
        },
    ).json()
    before = {mark["region_id"]: mark["id"] for mark in first["marks"]}
    after = {mark["region_id"]: mark["id"] for mark in second["marks"]}
    assert {name: after[name] for name in before} == before
    assert after["a"] not in before.values()


def test_a_correction_is_a_revision_and_the_first_set_stays(service: httpx.Client) -> None:
    image = service.post("/v1/images", files={"file": drawn(3)}).json()
    first = service.post("/v1/marksets", json={"image": {"type": "id", "id": image["id"]}, "regions": BOXES[:2]}).json()
    target = next(mark for mark in first["marks"] if mark["region_id"] == "second")
    path = f"/v1/marksets/{first['id']}/marks/{target['id']}"
    change = {"bbox_xyxy_px": [160, 60, 230, 130], "text": "disc"}
    second = service.patch(path, json=change).json()
    assert second["id"] != first["id"]
    fixed = next(mark for mark in second["marks"] if mark["region_id"] == "second")
    assert (fixed["id"], fixed["bbox_xyxy_px"], fixed["text"]) == (target["id"], [160, 60, 230, 130], "disc")
    same = [mark for mark in first["marks"] if mark["region_id"] == "first"]
    assert [m["id"] for m in second["marks"] if m["region_id"] == "first"] == [m["id"] for m in same]
    assert service.get(f"/v1/marksets/{first['id']}").json()["marks"] == first["marks"]
    assert service.patch(path, json=change).json()["id"] == second["id"]
    assert service.patch(f"/v1/marksets/{first['id']}/marks/99", json=change).status_code == 404
    assert service.patch(path, json={"bbox_xyxy_px": [900, 900, 950, 950]}).status_code == 422
