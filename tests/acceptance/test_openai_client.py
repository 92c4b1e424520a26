"""The unmodified `openai` client against the running service: a picture and a question in, text and resolved marks out."""

import base64
import json
from collections.abc import Iterator

import httpx
import openai
import pytest

from tests.acceptance.service import DEMO_PAGE, drawn

QUESTION = "Which mark is the search box?"


def data_url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def turn(text: str, png: bytes | None = None) -> dict:
    picture = [] if png is None else [{"type": "image_url", "image_url": {"url": data_url(png)}}]
    return {"role": "user", "content": [*picture, {"type": "text", "text": text}]}


@pytest.fixture(scope="module")
def client(service_url: str, service: httpx.Client) -> Iterator[openai.OpenAI]:
    """A client with a key of its own, sent as a Bearer."""
    key = service.post("/v1/keys", json={"name": "openai", "scopes": ["mark", "ground"]}).json()["key"]
    with openai.OpenAI(base_url=f"{service_url}/v1", api_key=key, max_retries=0, timeout=150) as made:
        yield made


def test_a_picture_and_a_question(client: openai.OpenAI, service: httpx.Client) -> None:
    reply = client.chat.completions.create(model="markwise", messages=[turn(QUESTION, DEMO_PAGE.read_bytes())])
    assert reply.object == "chat.completion"
    (choice,) = reply.choices
    assert (choice.message.role, choice.finish_reason) == ("assistant", "stop")
    answer = reply.model_extra["markwise"]
    assert choice.message.content == answer["text"]
    (mention,) = answer["mentions"]
    assert mention["mark"] in choice.message.content[mention["char_start"] : mention["char_end"]]
    assert [mark["id"] for mark in answer["marks"]] == [mention["mark"]]
    assert len(answer["marks"][0]["bbox_xyxy_px"]) == 4
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    kept = service.get(f"/v1/answers/{answer['id']}").json()
    assert kept["text"] == answer["text"]
    assert reply.id == f"chatcmpl-{answer['id']}"


def test_a_stream(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="som-llava-tiny",
            messages=[turn(QUESTION, DEMO_PAGE.read_bytes())],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    ended = [chunk for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason]
    assert [chunk.choices[0].finish_reason for chunk in ended] == ["stop"]
    answer = ended[0].model_extra["markwise"]
    assert answer["text"] == text
    mentions = [
        c.model_extra["markwise"]["mention"]["mark"]
        for c in chunks
        if "mention" in (c.model_extra.get("markwise") or {})
    ]
    assert mentions == [mention["mark"] for mention in answer["mentions"]]
    assert chunks[-1].usage.total_tokens == answer["usage"]["total_tokens"]
    assert len({chunk.id for chunk in chunks}) == 1


def test_our_own_fields_go_through_extra_body(client: openai.OpenAI, service: httpx.Client) -> None:
    made = service.post("/v1/marksets", files={"file": DEMO_PAGE.read_bytes()}).json()
    extra = {"markwise": {"mark_set_id": made["id"], "task": "act"}}
    reply = client.chat.completions.create(model="markwise", messages=[turn("Click Find trains")], extra_body=extra)
    button = next(mark for mark in made["marks"] if mark["text"] == "Find trains")
    answer = reply.model_extra["markwise"]
    assert answer["action"]["point_xy_px"] == button["point_xy_px"]
    assert answer["mark_set_id"] == made["id"]


def test_what_changes_nothing_is_said(client: openai.OpenAI) -> None:
    messages = [{"role": "system", "content": "Be brief."}, turn(QUESTION, DEMO_PAGE.read_bytes())]
    reply = client.chat.completions.create(model="markwise", messages=messages, temperature=0.7)
    assert reply.model_extra["markwise"]["ignored"] == ["temperature", "instructions"]


def test_a_conversation_is_refused_by_a_model_that_was_not_taught_any(client: openai.OpenAI) -> None:
    messages = [turn("What is [1]?", drawn(400)), {"role": "assistant", "content": "A box."}, turn("And the other?")]
    with pytest.raises(openai.BadRequestError, match="cannot follow a conversation"):
        client.chat.completions.create(model="markwise", messages=messages)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"messages": [turn("hello")]}, "image_url"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "last message"),
        ({"n": 3}, "`n`"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "`tools`"),
        ({"response_format": {"type": "json_object"}}, "`response_format`"),
        ({"extra_body": {"markwise": {"tasc": "act"}}}, "Extra inputs"),
    ],
)
def test_what_cannot_be_honoured_is_400_in_openais_shape(client: openai.OpenAI, change: dict, word: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"model": "markwise", "messages": [turn("x", drawn(401))], **change})
    error = refused.value.body
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert word in error["message"]


def test_errors_have_the_classes_that_clients_catch(client: openai.OpenAI, service_url: str) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-9", messages=[turn("x", drawn(402))])
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="markwise", messages=[turn("x", b"no picture")])
    stranger = openai.OpenAI(base_url=f"{service_url}/v1", api_key="mw_live_wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="markwise", messages=[turn("x", drawn(402))])
    # Where no key is needed, the one that the client insists on may be made up.
    assert openai.OpenAI(base_url=f"{service_url}/v1", api_key="none").models.list().data
    inside = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1:80/x.png"}}]}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="markwise", messages=[inside, turn("x")])
    assert "127.0.0.1" not in json.dumps(refused.value.body)


def test_a_deadline_is_504(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as late:
        client.chat.completions.create(
            model="markwise",
            messages=[turn("List all.", drawn(403))],
            extra_body={"markwise": {"task": "list", "deadline_ms": 1}},
        )
    assert (late.value.status_code, late.value.code) == (504, "deadline")


def test_models_are_listed_and_found(client: openai.OpenAI) -> None:
    listed = client.models.list()
    assert listed.object == "list"
    built_in = next(model for model in listed if model.id == "som-llava-tiny")
    assert (built_in.object, built_in.owned_by) == ("model", "markwise")
    assert client.models.retrieve("som-llava-tiny").model_extra["deployed"] is True
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")
