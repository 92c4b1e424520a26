"""OpenAI messages as one question: which picture, which words, what was said before, and what is refused."""

import pytest
from pydantic import ValidationError

from app.errors import BadRequest
from app.http.conversation import NOT_SHOWN, SHOWN, ground_body, said_before
from app.http.schemas.chat import ChatIn
from app.http.schemas.ground import GroundIn

PNG = "data:image/png;base64,AAAA"
OTHER = "https://example.com/x.png"


def user(text: str, *urls: str) -> dict:
    return {
        "role": "user",
        "content": [*({"type": "image_url", "image_url": {"url": u}} for u in urls), {"type": "text", "text": text}],
    }


def chat(*messages: dict, **fields: object) -> ChatIn:
    return ChatIn.model_validate({"model": "markwise", "messages": list(messages), **fields})


def test_a_data_url_and_a_web_url_become_our_references() -> None:
    assert ground_body(chat(user("What?", PNG)))["image"] == {"type": "base64", "data": "AAAA"}
    body = ground_body(chat(user("What?", OTHER), stream=True))
    assert (body["image"], body["query"], body["stream"], body["model"]) == (
        {"type": "url", "url": OTHER},
        "What?",
        True,
        None,
    )
    assert GroundIn.model_validate(body).task == "ask"


def test_the_newest_picture_is_asked_about_and_older_ones_are_named_as_such() -> None:
    messages = (
        {"role": "system", "content": "Be brief."},
        user("First?", OTHER),
        {"role": "assistant", "content": "[1]."},
        user("Second?", PNG),
        {"role": "assistant", "content": [{"type": "text", "text": "[2]."}]},
        {"role": "developer", "content": "Be exact."},
        user("Third?"),
    )
    assert ground_body(chat(*messages))["image"] == {"type": "base64", "data": "AAAA"}
    before = said_before(chat(*messages))
    assert before["instructions"] == "Be brief.\nBe exact."
    assert before["earlier"] == [
        {"role": "user", "text": f"{NOT_SHOWN}\nFirst?"},
        {"role": "assistant", "text": "[1]."},
        {"role": "user", "text": f"{SHOWN}\nSecond?"},
        {"role": "assistant", "text": "[2]."},
    ]


def test_the_room_for_the_answer_is_bounded() -> None:
    assert said_before(chat(user("x", PNG)))["max_tokens"] is None
    assert said_before(chat(user("x", PNG), max_tokens=7))["max_tokens"] == 7
    assert said_before(chat(user("x", PNG), max_tokens=7, max_completion_tokens=99_999))["max_tokens"] == 1_024


def test_our_own_fields_are_passed_on() -> None:
    options = {"task": "classify", "choices": ["a"], "marks": {"segmenter": "regions"}, "deadline_ms": 9}
    body = GroundIn.model_validate(ground_body(chat(user("", PNG), markwise=options)))
    assert (body.task, body.choices, body.deadline_ms) == ("classify", ["a"], 9)
    assert body.marks is not None
    assert body.marks.segmenter == "regions"


@pytest.mark.parametrize(
    ("messages", "options"),
    [
        ((user("no picture"),), {}),
        ((user("two", PNG, OTHER),), {}),
        ((user("both", PNG),), {"mark_set_id": "00000000-0000-0000-0000-000000000000"}),
        ((user("not base64", "data:image/png,AAAA"),), {}),
    ],
)
def test_not_exactly_one_picture_is_refused(messages: tuple[dict, ...], options: dict) -> None:
    with pytest.raises(BadRequest):
        ground_body(chat(*messages, markwise=options))


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 2}, {"stop": ["x"]}, {"tools": [{}]}, {"functions": [{}]}, {"logprobs": True},
        {"response_format": {"type": "json_schema"}}, {"messages": []}, {"temperature": 3},
        {"messages": [{"role": "tool", "content": "x"}]}, {"messages": [{"role": "assistant", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}, user("x")]},
    ],
)  # fmt: skip
def test_what_cannot_be_honoured_is_refused(fields: dict) -> None:
    with pytest.raises(ValidationError):
        chat(user("x", PNG), **fields)


def test_what_clients_send_by_habit_is_let_through_and_owned_up_to() -> None:
    made = chat(
        user("x", PNG), n=1, seed=1, user="me", temperature=0.2, top_p=0.9, presence_penalty=0, tools=None, stop=None
    )
    assert made.ignored() == ["temperature", "top_p"]
    assert chat(user("x", PNG), temperature=0).ignored() == []
