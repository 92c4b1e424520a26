"""Questions to a remote OpenAI-compatible model: straight from the API for an existing mark set, else through a worker."""

from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.service import drawn, finished, serving
from tests.unit.models.vlm.vllm_double import Script, vllm_double


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


@pytest.fixture(scope="module")
def client(script: Script) -> Iterator[httpx.Client]:
    with (
        vllm_double(script) as url,
        serving(MARKWISE_VLM_URL=url, MARKWISE_VLM_MODEL="double") as service,
        httpx.Client(base_url=service, timeout=60) as made,
    ):
        yield made


def test_both_paths_give_the_same_answer_and_keep_it(client: httpx.Client) -> None:
    made = client.post("/v1/marksets", files={"file": drawn(300)}, data={"segmenter": "regions"}).json()
    ask = {"query": "What is [1]?"}
    direct = client.post("/v1/ground", json=ask | {"mark_set_id": made["id"]})
    assert direct.status_code == 200, direct.text
    worked = client.post(
        "/v1/ground", json=ask | {"image": {"type": "id", "id": made["image"]["id"]}, "marks": {"segmenter": "regions"}}
    )
    assert worked.status_code == 200, worked.text
    ours = {"id", "timing_ms", "created_at"}
    assert {k: v for k, v in direct.json().items() if k not in ours} == {
        k: v for k, v in worked.json().items() if k not in ours
    }
    kinds = [job["kind"] for job in client.get("/v1/jobs").json()["data"]]
    assert kinds.count("answer.create") == 1  # the direct question made no job
    assert client.get(f"/v1/answers/{direct.json()['id']}").json() == direct.json()
    assert direct.json()["model"]["name"] == "double"


def test_a_selection_is_confined_to_the_marks(client: httpx.Client) -> None:
    made = client.post("/v1/marksets", files={"file": drawn(301)}, data={"segmenter": "regions"}).json()
    ask = {"mark_set_id": made["id"], "task": "refer", "query": "the thing that is not there"}
    answer = client.post("/v1/ground", json=ask).json()
    assert {choice["mark"] for choice in answer["selected"]} <= {mark["id"] for mark in made["marks"]}
    assert bool(answer["selected"]) != answer["none_of_these"]


def test_a_model_writes_listings_and_an_unfaithful_one_is_kept_out(client: httpx.Client, script: Script) -> None:
    made = client.post("/v1/marksets", files={"file": drawn(302)}, data={"segmenter": "regions"}).json()
    order = {"writer": "vlm", "images": {"ids": [made["image"]["id"]]}, "mark_set_ids": [made["id"]]}
    script.free_text = "\n".join(f"[{mark['id']}] a coloured shape" for mark in made["marks"])
    job = finished(client, client.post("/v1/annotations", json=order).json()["id"])
    assert job["result"] == {"texts": 1}, job
    text = client.get("/v1/texts", params={"job_id": job["id"]}).json()["data"][0]
    assert text["conversations"][1]["value"] == "\n".join(f"{m['id']}. a coloured shape" for m in made["marks"])
    assert text["provenance"]["model"]["name"] == "double"

    script.free_text = "[1] a shape\n[99] a ghost"
    job = finished(client, client.post("/v1/annotations", json=order).json()["id"])
    assert job["status"] == "failed"
    item = client.get(f"/v1/jobs/{job['id']}/items").json()["data"][0]
    assert item["error"]["code"] == "annotation.unfaithful"
