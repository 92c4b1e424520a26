"""Bad input gets a clear problem document and nothing is lost; the service goes on."""

import http.server
import socket
import threading
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.service import drawn, serving
from tests.unit.app.imaging.pictures import png_of

PRIVATE = [
    "http://127.0.0.1:1/x.png",
    "http://localhost/x.png",
    "http://169.254.169.254/latest",
    "http://[::1]/x.png",
    "http://10.1.2.3/x.png",
]


def problem(response: httpx.Response, status: int) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert {"type", "title", "status", "code", "request_id"} <= set(body)
    assert body["status"] == status
    assert response.headers["x-request-id"] == body["request_id"]
    for leak in ("Traceback", "/home", "/tmp", "0x", "PIL", "psycopg"):
        assert leak not in response.text
    return body


def test_what_is_no_image_is_422(service: httpx.Client) -> None:
    before = service.get("/v1/images?limit=1").json()
    for data in (b"", b"hello", b"\x89PNG\r\n\x1a\n", drawn(100)[:500], drawn(100)[: len(drawn(100)) // 2]):
        problem(service.post("/v1/images", files={"file": data}), 422)
    assert service.get("/v1/images?limit=1").json() == before


def test_a_bomb_is_refused(service: httpx.Client) -> None:
    assert (
        problem(service.post("/v1/images", files={"file": png_of(30_000, 30_000)}), 422)["code"]
        == "image.too_many_pixels"
    )


def test_a_body_over_the_cap_is_413(service: httpx.Client) -> None:
    problem(service.post("/v1/images", files={"file": b"\0" * 21_000_000}), 413)
    problem(service.post("/v1/images", content=b"\0" * 31_000_000, headers={"Content-Type": "application/json"}), 413)


@pytest.mark.parametrize("url", PRIVATE)
def test_a_private_address_is_refused_with_one_message(service: httpx.Client, url: str) -> None:
    body = problem(service.post("/v1/images", json={"image": {"type": "url", "url": url}}), 422)
    other = problem(service.post("/v1/images", json={"image": {"type": "url", "url": "http://192.168.1.1/y.png"}}), 422)
    assert body["code"] == "url.refused"
    assert body["detail"] == other["detail"]


def test_shapes_are_checked_and_named(service: httpx.Client) -> None:
    body = problem(service.post("/v1/marksets", json={"image": {"type": "id"}}), 422)
    assert body["errors"][0]["pointer"] == "/image/id/id"
    body = problem(service.post("/v1/images", json={"image": None, "labls": []}), 422)
    assert body["errors"][0]["pointer"] == "/labls"
    problem(service.post("/v1/images", content=b"{", headers={"Content-Type": "application/json"}), 400)
    problem(service.post("/v1/images", content=b"[" * 100_000, headers={"Content-Type": "application/json"}), 400)
    problem(service.post("/v1/images", content=b"x", headers={"Content-Type": "text/plain"}), 415)
    problem(service.post("/v1/images", json={}), 422)
    deep = {"role": "button"}
    for _ in range(300):
        deep = {"children": [deep]}
    body = problem(service.post("/v1/marksets", json={"accessibility_tree": deep}), 422)
    assert body["errors"][0]["pointer"] == "/accessibility_tree"


def test_unknown_ids_are_404_and_all_alike(service: httpx.Client) -> None:
    missing = str(uuid.uuid4())
    for noun in ("images", "marksets", "answers", "jobs", "texts", "datasets", "models", "evaluations"):
        problem(service.get(f"/v1/{noun}/{missing}"), 404)
    problem(service.post("/v1/ground", json={"mark_set_id": missing, "query": "?"}), 404)
    problem(service.post("/v1/marksets", json={"image": {"type": "id", "id": missing}}), 404)
    problem(service.post("/v1/annotations", json={"images": {"ids": [missing]}}), 404)
    problem(service.post("/v1/evaluations", json={"model": "nobody"}), 404)
    problem(service.get("/v1/nothing"), 404)
    problem(service.get("/v1/images/not-an-id"), 422)


def test_bad_regions_name_the_region(service: httpx.Client) -> None:
    for region in (
        {"bbox_xyxy_px": [10, 10, 5, 20]},
        {"polygon_px": [[1, 2, 3, 4, 5]]},
        {"rle": {"size": [5, 5], "counts": "!!"}},
        {"bbox_xyxy_px": [1, 2, 3, 4], "point_xy_px": [1, 1]},
    ):
        problem(
            service.post(
                "/v1/marksets", files={"file": drawn(101)}, data={"regions": __import__("json").dumps([region])}
            ),
            422,
        )


def test_ground_refuses_what_it_cannot_do(service: httpx.Client) -> None:
    made = service.post("/v1/marksets", files={"file": drawn(102)}, data={"segmenter": "regions"}).json()
    problem(service.post("/ground", json={"mark_set_id": made["id"]}), 422)
    problem(service.post("/ground", json={"mark_set_id": made["id"], "query": "x", "task": "correspond"}), 422)
    blank = problem(service.post("/ground", json={"mark_set_id": made["id"], "queries": ["x", " ", "y"]}), 422)
    assert "place 1" in blank["errors"][0]["message"]
    problem(service.post("/ground", json={"mark_set_id": made["id"], "query": "x", "task": "dance"}), 422)
    stale = {"mark_set_id": made["id"], "query": "x", "expect_image_sha256": "0" * 64}
    assert problem(service.post("/ground", json=stale), 409)["code"] == "image.stale"
    problem(service.post("/ground", json={"mark_set_id": made["id"], "query": "x", "model": "nobody"}), 404)


def test_a_key_that_is_not_ours_is_401(service: httpx.Client) -> None:
    for value in ("Bearer mw_live_nonsense", "Basic abc", "Bearer x"):
        problem(service.get("/v1/images", headers={"Authorization": value}), 401)


class _Pictures(http.server.BaseHTTPRequestHandler):
    """A web server of the operator's own: one picture, one page, one redirect out of its network, and 404."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://10.0.0.1/x.png")
            self.end_headers()
            return
        body = {"/picture.png": drawn(104), "/page": b"<html>"}.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def pictures() -> Iterator[str]:
    """Address of that web server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pictures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def elsewhere(pictures: str) -> Iterator[httpx.Client]:
    """A service that may fetch from that web server, and whose model is a server that is not there."""
    settings = {
        "MARKWISE_FETCH_NETWORKS": "127.0.0.0/8",
        "MARKWISE_FETCH_PORTS": f"80,{httpx.URL(pictures).port}",
        "MARKWISE_VLM_URL": f"http://127.0.0.1:{free_port()}/v1",
        "MARKWISE_VLM_MODEL": "remote",
    }
    with serving(**settings) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_a_url_is_fetched_where_the_operator_allows_it_and_every_failure_is_named(
    elsewhere: httpx.Client, pictures: str
) -> None:
    def post(path: str) -> httpx.Response:
        return elsewhere.post("/v1/images", json={"image": {"type": "url", "url": f"{pictures}{path}"}})

    before = len(elsewhere.get("/v1/images").json()["data"])
    assert post("/picture.png").status_code == 201
    assert problem(post("/missing"), 422)["code"] == "url.error_status"
    assert problem(post("/page"), 422)["code"] == "image.not_an_image"
    assert problem(post("/away"), 422)["code"] == "url.refused"
    assert len(elsewhere.get("/v1/images").json()["data"]) == before + 1


def test_a_dead_model_is_503_for_who_waits_and_patience_for_who_does_not(elsewhere: httpx.Client) -> None:
    """Nothing is left behind of the synchronous call; the asynchronous one is queued until the model is back."""
    client = elsewhere
    made = client.post("/v1/marksets", files={"file": drawn(103)}, data={"segmenter": "regions"}).json()
    jobs_before = client.get("/v1/jobs").json()["data"]
    ask = {"mark_set_id": made["id"], "query": "What is left?"}
    response = client.post("/v1/ground", json=ask)
    assert problem(response, 503)["code"] == "model.unavailable"
    assert int(response.headers["retry-after"]) > 0
    assert client.get("/v1/jobs").json()["data"] == jobs_before
    assert client.get("/v1/answers").json()["data"] == []
    waiting = client.post("/v1/ground", json=ask, headers={"Prefer": "respond-async"})
    assert waiting.status_code == 202
    assert client.get("/readyz").status_code == 503
    assert "model" in client.get("/readyz").json()["checks"]
    job = client.get(f"/v1/jobs/{waiting.json()['id']}").json()
    assert job["status"] in {"queued", "running"}
    assert client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 202
