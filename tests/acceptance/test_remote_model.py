"""Questions to a remote OpenAI-compatible model: straight from the API for an existing mark set, else through a worker."""

import base64
import json
import time
from collections.abc import Iterator

import httpx
import openai
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


def test_a_model_writes_listings_and_an_unfaithful_one_is_kept_for_review(client: httpx.Client, script: Script) -> None:
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
    text = client.get("/v1/texts", params={"job_id": job["id"]}).json()["data"][0]
    assert text["review"] == "unreviewed"
    assert text["provenance"]["checks_failed"]
    built = client.post("/v1/datasets", json={"name": "unfaithful", "job_ids": [job["id"]]})
    assert built.status_code == 422, built.text


@pytest.fixture(scope="module")
def shapes(client: httpx.Client) -> dict:
    """A mark set that the direct path answers about."""
    return client.post("/v1/marksets", files={"file": drawn(303)}, data={"segmenter": "regions"}).json()


def slow(script: Script, text: str, piece_s: float) -> None:
    script.free_text, script.piece_s, script.left = text, piece_s, 0


def told(client: httpx.Client, ask: dict) -> list[tuple[float, str, dict]]:
    """(seconds since the start, name, data) of every event of a stream."""
    events, name, started = [], "", time.monotonic()
    with client.stream("POST", "/v1/ground", json=ask | {"stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((time.monotonic() - started, name, json.loads(line.removeprefix("data: "))))
    return events


def in_worker(made: dict) -> dict:
    return {"image": {"type": "id", "id": made["image"]["id"]}, "marks": {"segmenter": "regions"}}


@pytest.mark.parametrize("path", ["direct", "worker"])
def test_text_and_mentions_come_while_the_model_writes(
    client: httpx.Client, script: Script, shapes: dict, path: str
) -> None:
    slow(script, "It is [1] and then some more words follow, also [77], in the end [2].", 0.12)
    where = {"mark_set_id": shapes["id"]} if path == "direct" else in_worker(shapes)
    events = told(client, {"query": "What is there?", **where})
    script.piece_s = 0.0
    *pieces, (ended_at, last, answer) = events
    assert last == "answer"
    texts = [(at, data["text"]) for at, name, data in pieces if name == "text"]
    mentions = [(at, data) for at, name, data in pieces if name == "mention"]
    assert "".join(text for _, text in texts) == answer["text"] == script.free_text
    assert [data["mark"] for _, data in mentions] == ["1", "2"]
    assert answer["unresolved"] == ["77"]
    assert len(texts) >= 4
    assert ended_at - texts[0][0] > 0.5
    assert ended_at - mentions[0][0] > 0.5
    assert answer["usage"]["completion_tokens"] > 0
    assert client.get(f"/v1/answers/{answer['id']}").json() == answer


def test_who_leaves_a_stream_stops_the_model_and_nothing_is_kept(
    client: httpx.Client, script: Script, shapes: dict
) -> None:
    slow(script, "word " * 200, 0.05)
    before = client.get("/v1/answers").json()["data"][0]["id"]
    ask = {"mark_set_id": shapes["id"], "query": "Tell me all?", "stream": True}
    with client.stream("POST", "/v1/ground", json=ask) as response:
        next(line for line in response.iter_lines() if line.startswith("data: "))
    deadline = time.monotonic() + 8
    while not script.left and time.monotonic() < deadline:
        time.sleep(0.05)
    script.piece_s = 0.0
    assert script.left == 1
    assert client.get("/v1/answers").json()["data"][0]["id"] == before


def test_a_stream_that_breaks_ends_in_an_error(client: httpx.Client, script: Script, shapes: dict) -> None:
    slow(script, "It is [1]", 0.0)
    script.break_stream = True
    try:
        events = told(client, {"mark_set_id": shapes["id"], "query": "What is broken?"})
    finally:
        script.break_stream = False
    assert [name for _, name, _ in events][-1] == "error"
    assert events[-1][2]["code"] == "model.unavailable"
    assert "answer" not in [name for _, name, _ in events]


def test_a_deadline_ends_the_direct_path_in_time_and_keeps_nothing(
    client: httpx.Client, script: Script, shapes: dict
) -> None:
    before = client.get("/v1/answers").json()["data"][0]["id"]
    script.delay_s = 3.0
    try:
        started = time.monotonic()
        late = client.post("/v1/ground", json={"mark_set_id": shapes["id"], "query": "Slow?", "deadline_ms": 400})
        took_s = time.monotonic() - started
    finally:
        script.delay_s = 0.0
    assert (late.status_code, late.json()["code"]) == (504, "deadline")
    assert took_s < 2.5
    time.sleep(0.5)
    assert client.get("/v1/answers").json()["data"][0]["id"] == before


def test_a_large_model_is_told_the_conversation_and_weighs_the_pool(
    client: httpx.Client, script: Script, shapes: dict
) -> None:
    slow(script, "The other is [2].", 0.0)
    png = base64.b64encode(drawn(303)).decode()
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}}
    with openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="x", max_retries=0) as chat:
        reply = chat.chat.completions.create(
            model="double",
            messages=[
                {"role": "system", "content": "Answer in English."},
                {"role": "user", "content": [picture, {"type": "text", "text": "What is [1]?"}]},
                {"role": "assistant", "content": "[1] is a box."},
                {"role": "user", "content": "And the other one?"},
            ],
            extra_body={"markwise": {"marks": {"segmenter": "regions"}}},
        )
    assert reply.choices[0].message.content == "The other is [2]."
    asked = script.bodies[-1]["messages"][0]["content"][-1]["text"]
    assert asked.index("Answer in English.") < asked.index("[1] is a box.") < asked.index("And the other one?")
    pool = ["box", "ball", "tent"]
    answer = client.post("/v1/ground", json={"mark_set_id": shapes["id"], "task": "classify", "choices": pool}).json()
    assert [label["mark"] for label in answer["labels"]] == [mark["id"] for mark in shapes["marks"]]
    assert {label["label"] for label in answer["labels"]} <= set(pool)
    assert all(0 < label["confidence"] <= 1 for label in answer["labels"])
    assert script.bodies[-1]["structured_outputs"]["choice"][:3] == ["[box]", "[ball]", "[tent]"]


def test_a_failing_server_is_503_with_retry_after_then_left_alone_and_then_back(
    client: httpx.Client, script: Script
) -> None:
    made = client.post("/v1/marksets", files={"file": drawn(303)}, data={"segmenter": "regions"}).json()
    ask = {"mark_set_id": made["id"], "query": "What is [1]?"}
    kept = len(client.get("/v1/answers").json()["data"])
    script.status, asked = 500, len(script.bodies)
    for _ in range(12):
        response = client.post("/v1/ground", json=ask)
        assert response.status_code == 503
        assert 1 <= int(response.headers["Retry-After"]) <= 5
        body = response.json()
        assert body["code"] == "model.unavailable"
        assert "0x7f" not in response.text
    assert len(script.bodies) - asked == 5, "after five failures in a row the server is left alone"
    assert len(client.get("/v1/answers").json()["data"]) == kept
    script.status = 200
    time.sleep(5.1)
    assert client.post("/v1/ground", json=ask).status_code == 200


def test_an_answer_that_is_none_is_502_and_a_refusal_is_the_callers(client: httpx.Client, script: Script) -> None:
    made = client.post("/v1/marksets", files={"file": drawn(304)}, data={"segmenter": "regions"}).json()
    ask = {"mark_set_id": made["id"], "query": "What is [1]?"}
    script.raw = b"<html>gateway of 10.0.0.7</html>"
    response = client.post("/v1/ground", json=ask)
    assert (response.status_code, response.json()["code"]) == (502, "model.bad_output")
    assert "10.0.0.7" not in response.text
    script.raw, script.status = None, 400
    response = client.post("/v1/ground", json=ask)
    assert response.status_code == 422
    assert "0x7f" not in response.text
    script.status = 200
    assert client.post("/v1/ground", json=ask).status_code == 200


def test_the_first_question_sends_the_stored_picture_as_it_is(client: httpx.Client, script: Script) -> None:
    made = client.post("/v1/marksets", files={"file": drawn(399)}, data={"segmenter": "regions"}).json()
    stored = client.get(made["overlay_url"]).content
    client.post("/v1/ground", json={"mark_set_id": made["id"], "query": "What is [1]?"}).raise_for_status()
    url = script.bodies[-1]["messages"][0]["content"][0]["image_url"]["url"]
    assert base64.b64decode(url.partition(",")[2]) == stored
