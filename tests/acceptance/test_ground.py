"""Questions over HTTP, on the running service with the model that ships with it."""

import httpx
import pytest

from tests.acceptance.service import DEMO_PAGE, drawn, finished

FIELDS = {
    "id", "object", "task", "text", "mentions", "marks", "selected", "none_of_these", "unresolved", "labels", "phrases",
    "correspondences", "action", "decided_by", "model", "mark_set_id", "usage", "timing_ms",
}  # fmt: skip


@pytest.fixture(scope="module")
def page(service: httpx.Client) -> dict:
    return service.post("/v1/marksets", files={"file": DEMO_PAGE.read_bytes()}).json()


def check(answer: dict, mark_set: dict) -> None:
    """What holds for every answer."""
    assert set(answer) >= FIELDS
    known = {mark["id"]: mark for mark in mark_set["marks"]}
    for mention in answer["mentions"]:
        assert mention["mark"] in known
        assert mention["mark"] in answer["text"][mention["char_start"] : mention["char_end"]]
    for mark in answer["marks"]:
        assert mark == known[mark["id"]]
    for choice in answer["selected"]:
        assert choice["mark"] in known
        assert 0 <= choice["confidence"] <= 1
    assert not set(answer["unresolved"]) & set(known)
    assert answer["timing_ms"]["total"] > 0


def test_act_clicks_the_named_button(service: httpx.Client, page: dict) -> None:
    ask = {"mark_set_id": page["id"], "task": "act", "query": "Click Find trains"}
    response = service.post("/v1/ground", json=ask)
    assert response.status_code == 200
    answer = response.json()
    check(answer, page)
    button = next(mark for mark in page["marks"] if mark["text"] == "Find trains")
    action = answer["action"]
    assert (action["type"], action["mark"]) == ("click", button["id"])
    assert action["point_xy_px"] == button["point_xy_px"]
    x, y = action["point_xy_px"]
    assert action["point_xy_norm"] == pytest.approx([x / 1200, y / 620])
    assert action["openai"]["type"] == "click"
    assert (action["openai"]["x"], action["openai"]["y"]) == (int(x), int(y))
    assert service.get(f"/v1/answers/{answer['id']}").json() == answer


def test_refer_selects_only_marks_that_exist(service: httpx.Client, page: dict) -> None:
    for query in ("the search box", "a purple giraffe on a bicycle", "mark 977"):
        answer = service.post("/v1/ground", json={"mark_set_id": page["id"], "task": "refer", "query": query}).json()
        check(answer, page)
        assert bool(answer["selected"]) != answer["none_of_these"]


def test_list_names_marks_that_exist_and_owns_up_to_others(service: httpx.Client) -> None:
    made = service.post("/v1/marksets", files={"file": drawn(200)}, data={"segmenter": "regions"}).json()
    answer = service.post("/ground", json={"mark_set_id": made["id"], "task": "list"}).json()
    check(answer, made)
    assert answer["task"] == "list"
    assert {label["mark"] for label in answer["labels"]} <= {mark["id"] for mark in made["marks"]}


def test_a_picture_and_a_question_in_one_form(service: httpx.Client) -> None:
    """The call of the README: the picture is marked on the way, and marked once."""
    form = {"query": "Which mark is the search box?"}
    answer = service.post("/ground", files={"file": DEMO_PAGE.read_bytes()}, data=form).json()
    page = service.get(f"/v1/marksets/{answer['mark_set_id']}").json()
    check(answer, page)
    again = service.post("/ground", files={"file": DEMO_PAGE.read_bytes()}, data=form).json()
    assert again["mark_set_id"] == answer["mark_set_id"]
    assert (again["text"], again["mentions"]) == (answer["text"], answer["mentions"])


def test_without_tags_nothing_is_marked(service: httpx.Client) -> None:
    image = service.post("/v1/images", files={"file": drawn(201)}).json()
    ask = {"image": {"type": "id", "id": image["id"]}, "query": "What is this?", "tags": False}
    answer = service.post("/v1/ground", json=ask).json()
    assert answer["mark_set_id"] is None
    assert answer["marks"] == []
    assert service.get("/v1/marksets", params={"image_id": image["id"]}).json()["data"] == []


def test_many_questions_about_one_mark_set(service: httpx.Client, page: dict) -> None:
    queries = ["Click Sign in", "Click Search"]
    body = service.post("/v1/ground", json={"mark_set_id": page["id"], "task": "act", "queries": queries}).json()
    assert [answer["query"] for answer in body["data"]] == queries
    texts = {mark["id"]: mark["text"] for mark in page["marks"]}
    assert [texts[answer["action"]["mark"]] for answer in body["data"]] == ["Sign in", "Search"]


def test_the_stream_says_text_then_mentions_then_the_answer(service: httpx.Client, page: dict) -> None:
    ask = {"mark_set_id": page["id"], "task": "act", "query": "Click Sign in", "stream": True}
    with service.stream("POST", "/v1/ground", json=ask) as response:
        names = [line.removeprefix("event: ") for line in response.iter_lines() if line.startswith("event: ")]
    assert names[0] == "text"
    assert names[-1] == "answer"
    assert set(names) <= {"text", "mention", "answer"}


def test_respond_async_leaves_the_answer_in_the_catalog(service: httpx.Client, page: dict) -> None:
    ask = {"mark_set_id": page["id"], "task": "act", "query": "Click Timetable"}
    response = service.post("/v1/ground", json=ask, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    job = finished(service, response.json()["id"])
    answer = service.get(f"/v1/answers/{job['result']['answer_id']}").json()
    check(answer, page)


def test_a_key_replays_the_first_answer_byte_for_byte(service: httpx.Client, page: dict) -> None:
    ask = {"mark_set_id": page["id"], "task": "act", "query": "Click Help"}
    headers = {"Idempotency-Key": "replay-1"}
    first = service.post("/v1/ground", json=ask, headers=headers)
    again = service.post("/v1/ground", json=ask, headers=headers)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    other = service.post("/v1/ground", json=ask | {"query": "Click Search"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.mismatch")
