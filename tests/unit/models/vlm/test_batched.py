"""Questions that are answered in one pass get what each of them gets alone."""

import time

import numpy as np
import pytest

from models import drawings
from models.errors import BackendDown, BadInput
from models.marks import paint_for_model, place
from models.vlm.prompts import LIST_TEMPLATES
from models.vlm.types import BatchedBackend, VlmRequest
from tests.unit.models.vlm.random_llava import INPUT_PX
from workers.shelf import BUILT_IN_FOLDER

pytest.importorskip("torch")

from models.vlm.local import LocalBackend  # after the skip

PICTURES = np.random.default_rng(5).integers(0, 256, (3, INPUT_PX, INPUT_PX, 3), dtype=np.uint8)
REQUESTS = [
    VlmRequest(images=tuple(PICTURES[:count]), prompt=prompt, max_tokens=tokens)
    for count, prompt, tokens in ((1, "What is it?", 12), (2, "Which of both is red, and where?", 3), (0, "Why?", 7))
]
CHOICES = [("1", "2", "12"), (), tuple(str(number) for number in range(1, 31))]
ANSWERS = [("Yes", "No"), ("a red circle", "a red square", "grey"), ("3",)]


def test_pictures_prompts_and_limits_of_all_kinds_mix(local_backend: LocalBackend) -> None:
    assert isinstance(local_backend, BatchedBackend)
    assert local_backend.generate_many(REQUESTS) == [local_backend.generate(one) for one in REQUESTS]


def test_weights_are_those_of_each_alone(local_backend: LocalBackend) -> None:
    for many, one, offered in (
        (local_backend.choose_many, local_backend.choose, CHOICES),
        (local_backend.weigh_many, local_backend.weigh, ANSWERS),
    ):
        replies = many(list(zip(REQUESTS, offered, strict=True)))
        for reply, request, options in zip(replies, REQUESTS, offered, strict=True):
            alone = one(request, options)
            assert reply.probabilities == pytest.approx(alone.probabilities, abs=1e-5)
            assert (reply.prompt_tokens, reply.completion_tokens) == (alone.prompt_tokens, alone.completion_tokens)


def test_one_bad_request_and_one_late_one_end_the_call(local_backend: LocalBackend) -> None:
    with pytest.raises(BadInput, match="reads at most"):
        local_backend.generate_many([*REQUESTS, VlmRequest(images=(), prompt="why " * 4_000)])
    with pytest.raises(BackendDown):
        local_backend.generate_many([*REQUESTS, VlmRequest(images=(), prompt="Why?", deadline_s=0.0)])


def test_the_shipped_model_says_and_chooses_the_same_and_sooner() -> None:
    backend = LocalBackend(BUILT_IN_FOLDER)
    requests = []
    for seed in drawings.HELD_OUT_SEEDS[:8]:
        drawing = drawings.scene(seed)
        marks = place(drawing.regions).marks
        taken = drawing.regions.take([one.region_index for one in marks])
        shown = paint_for_model(drawing.image, taken, [one.id for one in marks], "markwise", backend.input_px)
        prompt = LIST_TEMPLATES[0] if seed % 2 else f"What is mark {marks[-1].id}?"
        requests.append(VlmRequest(images=(shown,), prompt=prompt))
    began = time.process_time()
    alone = [backend.generate(one) for one in requests]
    between = time.process_time()
    assert backend.generate_many(requests) == alone
    assert time.process_time() - between < between - began
    asked = [(request, ("1", "2", "3")[: 1 + number % 3]) for number, request in enumerate(requests)]
    assert [one.best for one in backend.choose_many(asked)] == [backend.choose(*one).best for one in asked]
