"""The same key twice is the same request once, also when both arrive at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.acceptance.service import drawn

COPIES = 12


def test_a_race_of_equal_requests_makes_one_job(service: httpx.Client) -> None:
    data = drawn(400)
    before = {
        job["id"] for job in service.get("/v1/jobs", params={"kind": "mark_set.create", "limit": 500}).json()["data"]
    }

    def post(_: int) -> httpx.Response:
        return service.post(
            "/v1/marksets", files={"file": data}, data={"segmenter": "regions"}, headers={"Idempotency-Key": "race"}
        )

    with ThreadPoolExecutor(COPIES) as pool:
        responses = list(pool.map(post, range(COPIES)))
    codes = {response.status_code for response in responses}
    assert codes <= {201, 409}, codes
    made = {response.content for response in responses if response.status_code == 201}
    assert len(made) == 1
    after = {
        job["id"] for job in service.get("/v1/jobs", params={"kind": "mark_set.create", "limit": 500}).json()["data"]
    }
    assert len(after - before) == 1
    again = post(0)
    assert again.content in made
    assert again.headers["idempotent-replayed"] == "true"


def test_what_failed_may_be_sent_again(service: httpx.Client) -> None:
    headers = {"Idempotency-Key": "fails-first"}
    assert service.post("/v1/images", files={"file": b"nothing"}, headers=headers).status_code == 422
    assert service.post("/v1/images", files={"file": drawn(401)}, headers=headers).status_code == 201
    assert service.post("/v1/images", files={"file": drawn(402)}, headers=headers).status_code == 422


def test_a_key_must_be_printable_and_short(service: httpx.Client) -> None:
    for key in ("k" * 256, ""):
        response = service.post("/v1/images", files={"file": drawn(403)}, headers={"Idempotency-Key": key})
        assert response.status_code == 400
