"""How the clients send: what is tried again and what is not, keys that make it safe, pages, waiting, streams, errors."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from markwise import (
    AsyncClient,
    BadRequest,
    Client,
    Conflict,
    JobFailed,
    NotFound,
    Overloaded,
    ServiceUnreachable,
    StillRunning,
)
from markwise import protocol as protocol_module
from markwise.types import Event

JOB: dict[str, Any] = {
    "id": "j1",
    "object": "job",
    "kind": "mark_set.create",
    "status": "running",
    "progress": {"done": 0, "total": 1, "failed": 0, "percent": 0.0, "stage": None},
    "attempt": 1,
    "usage": None,
    "error": None,
    "result": None,
    "created_at": "t",
    "started_at": None,
    "finished_at": None,
}
IMAGE = {
    "id": "i1",
    "object": "image",
    "sha256": "0",
    "media_type": "image/png",
    "width": 1,
    "height": 1,
    "bytes": 1,
    "labels": [],
    "created_at": "t",
}
ANSWER: dict[str, Any] = {
    **dict.fromkeys(("object", "task", "query", "text", "finish_reason", "created_at"), "x"),
    **{name: [] for name in ("mentions", "marks", "selected", "unresolved", "labels", "phrases", "correspondences")},
    "ignored": [],
    "warnings": [],
    "none_of_these": False,
    "none_confidence": None,
    "action": None,
    "decided_by": "model",
    "mark_set_id": None,
    "model": {"name": "m", "version": None},
    "timing_ms": {},
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
}
NULLS = ("model_version_id", "dataset_id", "job_id")
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits; what would have been waited is kept."""
    kept: list[float] = []
    real = protocol_module.pause_s

    def noted(tried: int, asked_for_s: float | None) -> float:
        kept.append(real(tried, asked_for_s))
        return 0.0

    monkeypatch.setattr(protocol_module, "pause_s", noted)
    return kept


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest):
    """`run(handler, "image", "i1")` calls a method of either client against a handler."""

    def call(handler: Handler, method: str, *args: Any, tries: int = 5, **kwargs: Any) -> Any:
        seen = httpx.MockTransport(handler)
        if request.param == "sync":
            with Client("http://s", "k", tries=tries, transport=seen) as client:
                found = getattr(client, method)(*args, **kwargs)
                return list(found) if hasattr(found, "__next__") else found

        async def inside() -> Any:
            async with AsyncClient("http://s", "k", tries=tries, transport=seen) as client:
                found = getattr(client, method)(*args, **kwargs)
                return [each async for each in found] if hasattr(found, "__anext__") else await found

        return asyncio.run(inside())

    return call


def problem(status: int, code: str = "x", **more: Any) -> httpx.Response:
    headers = {name: more.pop(name) for name in ("retry_after",) if name in more}
    body = {"title": "No", "status": status, "code": code, "request_id": "r1", **more}
    return httpx.Response(status, json=body, headers={"Retry-After": str(headers["retry_after"])} if headers else {})


def test_what_may_pass_is_tried_again_under_the_same_key(run, pauses) -> None:
    keys: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        assert request.headers["Authorization"] == "Bearer k"
        if len(keys) == 1:
            raise httpx.ConnectError("down", request=request)
        if len(keys) == 2:
            return problem(503, retry_after=7)
        if len(keys) == 3:
            return problem(409, "idempotency.running")
        return httpx.Response(201, json=IMAGE)

    assert run(handler, "upload", b"png").id == "i1"
    assert (len(keys), len(set(keys))) == (4, 1)
    assert 7 <= pauses[1] <= 8


@pytest.mark.parametrize(("status", "kind"), [(400, BadRequest), (404, NotFound), (409, Conflict), (422, BadRequest)])
def test_what_will_not_pass_is_said_at_once(run, status: int, kind: type[Exception]) -> None:
    asked: list[int] = []

    def handler(_: httpx.Request) -> httpx.Response:
        asked.append(1)
        return problem(status, "image.unknown", detail="Why", errors=[{"pointer": "/a", "message": "bad"}])

    with pytest.raises(kind) as caught:
        run(handler, "image", "i1")
    assert len(asked) == 1
    assert str(caught.value) == f"No: Why\n  /a: bad [{status} image.unknown, request r1]"


def test_tries_end(run) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("down", request=request)

    with pytest.raises(ServiceUnreachable, match="http://s does not answer"):
        run(down, "image", "i1", tries=2)
    with pytest.raises(Overloaded) as caught:
        run(lambda _: problem(429, "key.rate", retry_after=3), "image", "i1", tries=2)
    assert (caught.value.retry_after_s, caught.value.code) == (3.0, "key.rate")


def test_an_answer_that_is_no_problem_document_is_an_error_too(run) -> None:
    with pytest.raises(BadRequest, match="HTTP 413"):
        run(lambda _: httpx.Response(413, text="<html>too large</html>"), "image", "i1")


def test_pages_follow_each_other(run) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("after")
        page = {None: (["a", "b"], "b"), "b": (["c"], None)}[after]
        rows = [{**IMAGE, "id": name} for name in page[0]]
        return httpx.Response(200, json={"data": rows, "has_more": page[1] is not None, "next_cursor": page[1]})

    assert [each.id for each in run(handler, "images", label="x")] == ["a", "b", "c"]


def test_what_takes_longer_is_waited_for_and_fetched(run) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        if request.method == "POST":
            return httpx.Response(202, json=JOB)
        if request.url.path == "/v1/jobs/j1":
            done = len(asked) > 3
            result = {"dataset_id": "d1"} if done else None
            return httpx.Response(200, json={**JOB, "status": "succeeded" if done else "running", "result": result})
        dataset = {"id": "d1", "object": "dataset", "name": "n", "version": 1, "content_sha256": "0"}
        return httpx.Response(200, json={**dataset, "recipe": {}, "statistics": {}, "created_at": "t"})

    assert run(handler, "build_dataset", "n").version == 1
    assert asked == ["POST /v1/datasets", *["GET /v1/jobs/j1"] * 3, "GET /v1/datasets/d1"]


def test_several_answers_that_take_longer_are_fetched_in_their_order(run) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json=JOB)
        if request.url.path == "/v1/jobs/j1":
            return httpx.Response(200, json={**JOB, "status": "succeeded", "result": {"answer_ids": ["b", "a"]}})
        return httpx.Response(200, json={**ANSWER, "id": request.url.path.rpartition("/")[2]})

    assert [each.id for each in run(handler, "ground_many", b"png", ["q", "r"])] == ["b", "a"]


@pytest.mark.parametrize(
    ("method", "asked", "kept"),
    [
        (
            "preview_dataset",
            ("mine",),
            {"preview": {"recipe": {}, "statistics": {"texts": 2}, "content_sha256": "0", "samples": []}},
        ),
        ("look", ("s1", "q"), {"look": {"mark_set_id": "s1", "model": "m", "words": ["q"], "weights": [[1.0]]}}),
    ],
)
def test_what_a_job_keeps_in_its_result_is_read_from_there(run, method: str, asked: tuple, kept: dict) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(202, json=JOB)
        assert request.url.path == "/v1/jobs/j1"
        return httpx.Response(200, json={**JOB, "status": "succeeded", "result": kept})

    found = run(handler, method, *asked)
    (told,) = kept.values()
    assert found.model_dump(exclude={"object"}) == told


def test_the_answers_of_an_evaluation_come_page_by_page(run) -> None:
    evaluation = {**dict.fromkeys(("id", "object", "benchmark", "created_at"), "x"), **dict.fromkeys(NULLS)}
    evaluation |= {"settings": {}, "metrics": {}, "report": {}}
    asked: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("after"))
        first, limit = int(asked[-1] or -1) + 1, int(request.url.params["limit"])
        items = [
            {"position": number, "question_id": str(number), "answer": None, "error": None, "grade": None}
            for number in range(first, min(first + limit, 700))
        ]
        return httpx.Response(200, json={**evaluation, "items": items})

    assert [each.position for each in run(handler, "evaluation_items", "e1")] == list(range(700))
    assert asked == [None, "499"]


def test_a_job_that_fails_says_why_and_one_that_lasts_says_where_it_is(run) -> None:
    error = {"title": "The model is down", "detail": "Start it."}
    failed = {**JOB, "status": "failed", "error": error}
    with pytest.raises(JobFailed, match=r"job j1 failed: The model is down \(Start it\.\)"):
        run(lambda _: httpx.Response(200, json=failed), "wait", "j1")
    with pytest.raises(StillRunning, match="job j1 still runs"):
        run(lambda _: httpx.Response(200, json=JOB), "wait", "j1", timeout_s=0)


def test_progress_is_told_when_it_changes(run) -> None:
    states = iter([0, 0, 1, 1, 2])

    def handler(_: httpx.Request) -> httpx.Response:
        done = next(states)
        status = "succeeded" if done == 2 else "running"
        return httpx.Response(200, json={**JOB, "status": status, "progress": {**JOB["progress"], "done": done}})

    seen: list[int] = []
    run(handler, "wait", "j1", on_progress=lambda job: seen.append(job.progress.done))
    assert seen == [0, 1, 2]


def events(*told: tuple[int, str, dict[str, Any]]) -> bytes:
    return b": hello\n\n" + b"".join(
        f"id: {n}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode() for n, name, data in told
    )


def test_a_broken_event_stream_goes_on_where_it_broke(run, pauses) -> None:
    started_after: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        started_after.append(request.headers.get("Last-Event-ID"))
        if len(started_after) == 1:
            return httpx.Response(200, content=events((5, "progress", {"done": 1}), (6, "log", {"text": "a"})))
        if len(started_after) == 2:
            raise httpx.ReadError("cut", request=request)
        if len(started_after) == 3:
            return problem(503, retry_after=7)
        return httpx.Response(200, content=events((7, "completed", {"status": "succeeded"})))

    found: list[Event] = run(handler, "job_events", "j1")
    assert [(each.name, each.id) for each in found] == [("progress", "5"), ("log", "6"), ("completed", "7")]
    assert started_after == [None, "6", "6", "6"]
    assert 7 <= pauses[-1] <= 8
    with pytest.raises(NotFound):
        run(lambda _: problem(404), "job_events", "j1")
    with pytest.raises(Overloaded):
        run(lambda _: problem(503), "job_events", "j1", tries=2)


def test_an_answer_is_streamed_and_its_error_raised(run) -> None:
    said = b'event: text\ndata: {"text":"Mark 1"}\n\nevent: answer\ndata: {"id":"a"}\n\n'
    found = run(lambda _: httpx.Response(200, content=said), "ground_stream", b"png", "q")
    assert [each.name for each in found] == ["text", "answer"]
    broken = b'event: error\ndata: {"status": 503, "title": "The model is down", "code": "x"}\n\n'
    with pytest.raises(Overloaded, match="The model is down"):
        run(lambda _: httpx.Response(200, content=broken), "ground_stream", b"png", "q")


def test_an_export_is_whole_or_not_there(run, tmp_path) -> None:
    target = tmp_path / "d.json"
    run(lambda _: httpx.Response(200, content=b"[1]"), "export_dataset", "d1", target)
    assert target.read_bytes() == b"[1]"
    with pytest.raises(NotFound):
        run(lambda _: problem(404), "export_dataset", "d1", tmp_path / "e.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.json"]


def test_images_come_in_any_form(run, tmp_path) -> None:
    from PIL import Image as Pictures

    from markwise.types import Image

    bodies: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content)["image"])
        return httpx.Response(201, json=IMAGE)

    (tmp_path / "a.png").write_bytes(b"png")
    known = Image.model_validate(IMAGE)
    for image in (b"png", tmp_path / "a.png", str(tmp_path / "a.png"), "https://a.example/x.png", known):
        run(handler, "upload", image)
    same = {"type": "base64", "data": "cG5n"}
    assert bodies == [same, same, same, {"type": "url", "url": "https://a.example/x.png"}, {"type": "id", "id": "i1"}]
    run(handler, "upload", Pictures.new("RGB", (2, 2)))
    assert bodies[-1]["data"].startswith("iVBORw0KGgo")
    with pytest.raises(FileNotFoundError):
        run(handler, "upload", "no-such-file.png")


def test_a_newer_service_is_read_all_the_same(run) -> None:
    found = run(lambda _: httpx.Response(200, json={**IMAGE, "colour_space": "p3"}), "image", "i1")
    assert found.colour_space == "p3"


def test_the_environment_says_where_and_as_whom(monkeypatch) -> None:
    monkeypatch.setenv("MARKWISE_SERVER", "http://there:1/")
    monkeypatch.setenv("MARKWISE_KEY", "mw_live_x")
    with Client() as client:
        assert (client.server.url, client.server.api_key) == ("http://there:1", "mw_live_x")
