"""Abuse at short: spoilt and exploding images, hostile bodies, JSON that means harm. `tests.chaos` takes them at length."""

import json
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.service import drawn
from tests.acceptance.test_bad_input import problem
from tests.chaos import bodies, bombs, spoilt_images


def test_300_spoilt_images_over_http(service_url: str) -> None:
    found = spoilt_images.over_http(service_url, 300)
    assert found.faults == []
    assert found.counts.total() == 300


def test_bombs_are_refused_and_memory_stays(service_url: str) -> None:
    count, growth_mb, slowest_s, faults = bombs.thrown(service_url, 1)
    assert faults == []
    assert count == len(bombs.bombs())
    assert growth_mb <= bombs.GROWTH_MB
    print(f"slowest refusal {1000 * slowest_s:.0f} ms, memory {growth_mb:+.0f} MB")


@pytest.mark.parametrize("name", bodies.ATTACKS)
def test_hostile_bodies_are_refused(service_url: str, name: str) -> None:
    where = urlsplit(service_url)
    assert bodies.ATTACKS[name](where.hostname or "", where.port or 0) == ""


JSONS = {
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "not a number": b'{"image": {"type": "id", "id": NaN}}',
    "endless number": b'{"image": Infinity}',
    "a million digits": b'{"image": ' + b"9" * 1_000_000 + b"}",
    "a large exponent": b'{"max_marks": 1e999999, "image": null}',
    "a null character": json.dumps({"image": {"type": "id", "id": "\0"}}).encode(),
    "half a character": b'{"image": {"type": "url", "url": "http://\\ud800"}}',
    "bad UTF-8": b'{"image": "\xff\xfe"}',
    "UTF-16": '{"image": null}'.encode("utf-16"),
    "doubled keys": b'{"image": 1, "image": 2, "labels": 3, "labels": []}',
    "a hundred thousand keys": b"{" + b",".join(b'"%d":0' % i for i in range(100_000)) + b"}",
    "hidden signs": json.dumps({"image": {"type": "url", "url": "http://a\u202e\u200bexample/"}}).encode(),
    "only blanks": b" " * 1_000_000,
    "two documents": b"{}{}",
    "nothing": b"",
}
ROUTES = ("/v1/images", "/v1/marksets", "/v1/ground", "/v1/annotations", "/v1/evaluations", "/v1/chat/completions")


@pytest.mark.parametrize("name", JSONS)
def test_hostile_json_is_refused_quickly(service: httpx.Client, name: str) -> None:
    for route in ROUTES:
        started = time.monotonic()
        response = service.post(route, content=JSONS[name], headers={"Content-Type": "application/json"})
        assert response.status_code in {400, 413, 422}, (route, response.status_code, response.text[:200])
        assert time.monotonic() - started < 2
        assert not spoilt_images.LEAK.search(response.text), response.text[:300]


@pytest.mark.parametrize("words", ["\0", "\u202e1\u202c", "\u200b", "a" * 3_000])
def test_hostile_words_are_answered_or_refused(service: httpx.Client, words: str) -> None:
    response = service.post("/ground", files={"file": drawn(731)}, data={"query": f"Which is {words}?"})
    assert response.status_code in {200, 422}, response.text[:300]
    labels = service.post("/v1/images", files={"file": drawn(732)}, data={"labels": json.dumps([words])})
    assert labels.status_code in {200, 201, 422}, labels.text[:300]


def test_pictures_are_never_served_as_anything_else(service: httpx.Client) -> None:
    for name, data in {
        "x.html": drawn(733),
        "x.svg": drawn(734),
    }.items():
        made = service.post("/v1/images", files={"file": (name, data, "application/octet-stream")}).json()
        content = service.get(f"/v1/images/{made['id']}/content")
        assert content.headers["content-type"] == "image/png"
        assert content.headers["x-content-type-options"] == "nosniff"
    for data, status in (
        (b"GIF89a/*<script>*/=1;", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"%!PS-Adobe-3.0\n", 415),
    ):
        problem(service.post("/v1/images", files={"file": ("x.png", data, "image/png")}), status)
