"""What every backend promises; the fake, the local one and the client of a server pass the same tests."""

import numpy as np
import pytest

from models.errors import BackendDown, BadImage, BadInput
from models.vlm.types import NONE, VlmBackend, VlmRequest

IDS = ("1", "2", "12", "21")


def asked(prompt: str = "Which mark is the red circle?", **fields: object) -> VlmRequest:
    picture = np.random.default_rng(3).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    return VlmRequest(**{"images": (picture,), "prompt": prompt, "max_tokens": 8} | fields)


def test_is_a_backend(backend: VlmBackend) -> None:
    assert isinstance(backend, VlmBackend)
    assert backend.name
    assert backend.dialect in ("tiny", "general")


def test_ready_returns_when_up(backend: VlmBackend) -> None:
    backend.ready()


def test_generate_is_deterministic(backend: VlmBackend) -> None:
    assert backend.generate(asked()) == backend.generate(asked())


def test_generate_counts_tokens(backend: VlmBackend) -> None:
    reply = backend.generate(asked())
    assert reply.prompt_tokens > 0
    assert 1 <= reply.completion_tokens <= 8


def test_max_tokens_cuts_and_says_so(backend: VlmBackend) -> None:
    reply = backend.generate(asked(max_tokens=1))
    assert (reply.completion_tokens, reply.finish_reason) == (1, "length")


def test_stream_joins_to_the_generated_text_and_returns_the_reply(backend: VlmBackend) -> None:
    pieces = []
    stream = backend.stream(asked())
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            reply = end.value
            break
    assert "".join(pieces).strip() == reply.text
    assert reply == backend.generate(asked())


def test_choices_and_none_share_all_the_mass(backend: VlmBackend) -> None:
    reply = backend.choose(asked(), IDS)
    assert tuple(reply.probabilities) == (*IDS, NONE)
    assert sum(reply.probabilities.values()) == pytest.approx(1.0)
    assert min(reply.probabilities.values()) >= 0.0
    assert reply.best in (*IDS, NONE)
    assert reply.estimated <= set(reply.probabilities)


WORDS = ("red circle", "red circle on a box", "blue square", "café")


def test_answers_share_all_the_mass_and_none_is_added(backend: VlmBackend) -> None:
    reply = backend.weigh(asked("What is mark 1?"), WORDS)
    assert tuple(reply.probabilities) == WORDS
    assert sum(reply.probabilities.values()) == pytest.approx(1.0)
    assert reply.best in WORDS
    assert reply == backend.weigh(asked("What is mark 1?"), WORDS)
    assert backend.weigh(asked("x"), ("one",)).probabilities == {"one": pytest.approx(1.0)}


@pytest.mark.parametrize("answers", [(), ("a", "a"), ("a b", "ab"), ("",), (" a",), ("a\nb",), ("a" * 201,)])
def test_answers_that_are_not_distinct_lines_are_refused(backend: VlmBackend, answers: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        backend.weigh(asked(), answers)


def test_choose_is_deterministic(backend: VlmBackend) -> None:
    assert backend.choose(asked(), IDS) == backend.choose(asked(), IDS)


def test_no_choices_leave_none(backend: VlmBackend) -> None:
    assert backend.choose(asked(), ()).probabilities == {NONE: pytest.approx(1.0)}


@pytest.mark.parametrize("choices", [("1", "1"), ("1", NONE), ("1", "2]; drop"), ("",), ("１",)])
def test_choices_that_are_not_distinct_plain_ids_are_refused(backend: VlmBackend, choices: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        backend.choose(asked(), choices)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(backend: VlmBackend, image: np.ndarray) -> None:
    with pytest.raises(BadImage):
        backend.generate(asked(images=(image,)))
    with pytest.raises(BadImage):
        backend.choose(asked(images=(image,)), IDS)


def test_a_passed_deadline_ends_the_call(backend: VlmBackend) -> None:
    with pytest.raises(BackendDown):
        backend.generate(asked(deadline_s=0.0))
    with pytest.raises(BackendDown):
        backend.choose(asked(deadline_s=-1.0), IDS)
