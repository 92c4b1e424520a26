import base64
import json
import time

import cv2
import numpy as np
import pytest

from models.errors import BackendDown, BadInput, BadOutput, ModelError
from models.vlm.fake import FakeBackend
from models.vlm.logprobs import TokenStep, weigh
from models.vlm.openai import OpenAiBackend
from models.vlm.transport import Transport
from models.vlm.types import NONE, VlmRequest
from tests.unit.models.vlm.vllm_double import PIXEL, Script, vllm_double

IDS = ("1", "2", "12", "21", "7")
PICTURE = np.random.default_rng(1).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def asked(prompt: str = "Which?", **fields: object) -> VlmRequest:
    return VlmRequest(**{"images": (PICTURE,), "prompt": prompt} | fields)


def truth(prompt: str, ids: tuple[str, ...] = IDS) -> dict[str, float]:
    return dict(FakeBackend().choose(VlmRequest(images=(PIXEL,), prompt=prompt), ids).probabilities)


def test_the_picture_travels_as_bytes(served: OpenAiBackend, script: Script) -> None:
    served.generate(asked("Hi"))
    image, text = script.bodies[0]["messages"][0]["content"]
    assert text == {"type": "text", "text": "Hi"}
    head, data = image["image_url"]["url"].split(",")
    assert head == "data:image/png;base64"
    decoded = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(decoded, PICTURE)


def test_the_body_is_greedy_and_clamped(served: OpenAiBackend, script: Script) -> None:
    served.generate(asked(max_tokens=1_000_000))
    body = script.bodies[0]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0.0, 1_024)
    assert script.headers[0]["Authorization"] == "Bearer k-123"


def test_choose_constrains_by_structured_outputs(served: OpenAiBackend, script: Script) -> None:
    served.choose(asked(), ("1", "2"))
    (body,) = script.bodies
    assert body["structured_outputs"] == {"choice": ["[1]", "[2]", "[none]", " [1]", " [2]", " [none]"]}
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)
    assert not [key for key in body if key.startswith("guided")]


@pytest.mark.parametrize("dialect", ["tiny", "general"])
@pytest.mark.parametrize("prompt", ["a", "b", "c", "d", "e", "f"])
def test_each_mark_gets_its_own_probability_where_it_is_known(prompt: str, dialect: str) -> None:
    script = Script(dialect=dialect)
    with vllm_double(script) as url:
        transport = Transport(url + "/v1/")
        reply = OpenAiBackend(transport, "m", dialect=dialect).choose(asked(prompt), IDS)
        transport.close()
    expected = dict(FakeBackend(dialect=dialect).choose(VlmRequest(images=(PIXEL,), prompt=prompt), IDS).probabilities)
    assert reply.best == max(expected, key=expected.__getitem__)
    assert reply.best not in reply.estimated
    for choice, share in reply.probabilities.items():
        if choice not in reply.estimated:
            assert share == pytest.approx(expected[choice], rel=1e-6)
    # 1 and 12 share a first digit, as do 2 and 21; what is not known alone is known as a group. After "None." all marks
    # are one group in the tiny dialect.
    groups = [IDS] if reply.best == NONE and dialect == "tiny" else [("1", "12"), ("2", "21")]
    for group in groups:
        assert sum(map(reply.probabilities.get, group)) == pytest.approx(sum(map(expected.get, group)), rel=1e-6)
    assert reply.estimated <= {choice for group in groups for choice in group}


@pytest.mark.parametrize("kind", ["plain", "ignores"])
def test_a_server_without_structured_outputs_gets_a_json_schema(
    served: OpenAiBackend, script: Script, kind: str
) -> None:
    script.kind = kind
    first = served.choose(asked("a"), IDS)
    assert first.best == max(truth("a"), key=truth("a").__getitem__)
    assert [("structured_outputs" in body, "response_format" in body) for body in script.bodies] == [
        (True, False),
        (False, True),
    ]
    served.choose(asked("b"), IDS)
    assert len(script.bodies) == 3  # it remembers what the server understands


def test_without_logprobs_all_confidence_is_estimated(served: OpenAiBackend, script: Script) -> None:
    script.logprobs = False
    reply = served.choose(asked("a"), IDS)
    assert reply.probabilities[reply.best] == 1.0
    assert reply.estimated == {*IDS, NONE}


@pytest.mark.parametrize(
    "text", ["[99]", "I would click the second one", "", '{"mark": "99"}', "[1] [2]", "null", "[]"]
)
def test_an_answer_outside_of_the_choices_never_comes_back(served: OpenAiBackend, script: Script, text: str) -> None:
    script.kind, script.free_text = "stubborn", text
    with pytest.raises(BadOutput):
        served.choose(asked(), IDS)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadInput),
        (413, BadInput),
        (401, BackendDown),
        (404, BackendDown),
        (429, BackendDown),
        (500, BackendDown),
        (503, BackendDown),
        (302, BackendDown),
    ],
)
def test_refusals_have_safe_messages(
    served: OpenAiBackend, script: Script, status: int, error: type[ModelError]
) -> None:
    script.status = status
    for call in (
        lambda: served.generate(asked()),
        lambda: served.choose(asked(), IDS),
        lambda: list(served.stream(asked())),
    ):
        with pytest.raises(error) as caught:
            call()
        assert "0x7f" not in str(caught.value)
    if status != 400 and status != 413:
        with pytest.raises(BackendDown):
            served.ready()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":[{"message":{}}]}',
        b'{"choices":[{"finish_reason":"stop","message":{"content":null}}]}',
        b'{"choices":[{"finish_reason":"content_filter","message":{"content":"x"}}]}',
        b"\xff\xfe",
        b'{"choices":{"0":1}}',
    ],
)
def test_a_malformed_answer_is_bad_output(served: OpenAiBackend, script: Script, raw: bytes) -> None:
    script.raw = raw
    with pytest.raises(BadOutput):
        served.generate(asked())


def test_strange_logprobs_do_not_break_a_choice(served: OpenAiBackend, script: Script) -> None:
    for logprobs in (
        {},
        {"content": [1]},
        {"content": [{"token": "[", "logprob": None}]},
        {"content": [{"token": "[1]", "logprob": 1e308, "top_logprobs": "x"}]},
    ):
        choice = {"finish_reason": "stop", "message": {"content": "[1]"}, "logprobs": logprobs}
        script.raw = json.dumps({"choices": [choice]}).encode()
        reply = served.choose(asked(), IDS)
        assert reply.best == "1"
        assert sum(reply.probabilities.values()) == pytest.approx(1.0)


def test_a_slow_server_is_down(served: OpenAiBackend, script: Script) -> None:
    script.delay_s = 2.0
    start = time.monotonic()
    with pytest.raises(BackendDown, match="in time"):
        served.generate(asked(deadline_s=0.2))
    assert time.monotonic() - start < 1.5


def test_an_absent_server_is_down() -> None:
    transport = Transport("http://127.0.0.1:1", pause=lambda _: None)
    backend = OpenAiBackend(transport, "m")
    with pytest.raises(BackendDown):
        backend.ready()
    with pytest.raises(BackendDown):
        backend.generate(asked())
    transport.close()


def test_a_broken_stream_is_not_an_end(served: OpenAiBackend, script: Script) -> None:
    script.break_stream = True
    with pytest.raises(BackendDown):
        list(served.stream(asked()))


def test_the_environment_cannot_reroute_requests(served: OpenAiBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    served.ready()


def test_tokens_of_any_cut_are_understood() -> None:
    answers = {"[1]": "1", "[12]": "12", "[none]": NONE}
    steps = [
        TokenStep(token="▁[", logprob=0.0, alternatives=()),
        TokenStep(
            token="12",
            logprob=np.log(0.5),
            alternatives=(("12", np.log(0.5)), ("1]", np.log(0.25)), ("none", np.log(0.125)), ("The", np.log(0.1))),
        ),
        TokenStep(token="]", logprob=0.0, alternatives=()),
    ]
    weights = weigh(steps, answers, "12")
    assert weights.probabilities == pytest.approx({"1": 0.25 / 0.875, "12": 0.5 / 0.875, NONE: 0.125 / 0.875})
    assert weights.estimated == frozenset()


def test_spellings_that_leave_the_same_choices_open_are_one_branch() -> None:
    answers = {"Mark 1.": "1", "Mark 2.": "2", "None.": NONE}
    first = {"M": 0.3, "Mark": 0.2, " Mark": 0.1, "N": 0.2, "None": 0.1, "Z": 0.1}
    steps = [
        TokenStep(token="M", logprob=np.log(0.3), alternatives=tuple((t, np.log(p)) for t, p in first.items())),
        TokenStep(token="ark", logprob=0.0, alternatives=()),
        TokenStep(token=" ", logprob=0.0, alternatives=(("!", -9999.0),)),
        TokenStep(token="2", logprob=np.log(0.75), alternatives=(("1", np.log(0.25)), ("2", np.log(0.75)))),
    ]
    weights = weigh(steps, answers, "2")
    assert weights.probabilities == pytest.approx({"1": 0.15 / 0.9, "2": 0.45 / 0.9, NONE: 0.3 / 0.9})
    assert weights.estimated == frozenset()
