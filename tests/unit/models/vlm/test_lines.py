"""A listing has the lines that were asked for, whatever the model would rather say, and its names are the model's own."""

from dataclasses import replace

import numpy as np
import pytest

from models import drawings
from models.marks import paint_for_model, place
from models.vlm.lines import MOST_NAME_TOKENS, HeldLines
from models.vlm.prompts import LIST_TEMPLATES, list_answer
from models.vlm.types import VlmReply, VlmRequest
from tests.unit.models.vlm.random_llava import INPUT_PX
from workers.shelf import BUILT_IN_FOLDER

pytest.importorskip("torch")

from models.vlm.local import LocalBackend  # after the skip

NEWLINE, END = 10, 2
HEADS = [[1, 46], [NEWLINE, 7, 46], [NEWLINE, 9, 46]]


def said(*likeliest: int) -> list[int]:
    """What is said where the model's likeliest tokens are these, one after the other."""
    says = HeldLines(HEADS, NEWLINE, frozenset({END}))
    return [says(token) for token in likeliest]


def test_heads_are_given_and_names_are_free() -> None:
    assert said(0, 0, 50, 51, NEWLINE, 0, 0, 52, NEWLINE, 0, 0, 53, END) == [
        1, 46, 50, 51, NEWLINE, 7, 46, 52, NEWLINE, 9, 46, 53, END,
    ]  # fmt: skip


def test_a_model_that_ends_early_is_asked_on_and_one_that_goes_on_is_ended() -> None:
    assert said(0, 0, END, 0, 0, END, 0, 0, 53, NEWLINE) == [1, 46, NEWLINE, 7, 46, NEWLINE, 9, 46, 53, END]


def test_a_name_without_end_is_cut() -> None:
    tokens = said(*[50] * (2 + MOST_NAME_TOKENS + 1))
    assert tokens == [1, 46, *[50] * MOST_NAME_TOKENS, NEWLINE]


def test_any_weights_list_exactly_what_they_are_asked_for(local_backend: LocalBackend) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (INPUT_PX, INPUT_PX, 3), dtype=np.uint8)
    held = VlmRequest(images=(picture,), prompt=LIST_TEMPLATES[0], max_tokens=150, lines=("4", "17", "C"))
    reply = local_backend.generate(held)
    assert [line.split(".")[0] for line in reply.text.split("\n")] == ["4", "17", "C"]
    assert reply.finish_reason == "stop"
    free = replace(held, lines=(), max_tokens=20)
    assert local_backend.generate_many([held, free, held]) == [reply, local_backend.generate(free), reply]
    assert streamed(local_backend, held) == (reply.text, reply)
    assert local_backend.generate(replace(held, max_tokens=3)).finish_reason == "length"


def test_the_shipped_model_hears_its_lines_as_it_learnt_them() -> None:
    backend = LocalBackend(BUILT_IN_FOLDER)
    items = [("1", "red circle"), ("2", "blue star"), ("17", "white textfield")]
    learnt = backend._cut(f" {list_answer(items)}")
    heads = [backend._cut(f" {items[0][0]}."), *(backend._cut(f"\n{mark_id}.") for mark_id, _ in items[1:])]
    names = [backend._cut(f" {name}") for _, name in items]
    assert [token for head, name in zip(heads, names, strict=True) for token in head + name] == learnt

    drawing = drawings.scene(drawings.HELD_OUT_SEEDS[0])
    ids = [one.id for one in place(drawing.regions).marks]
    taken = drawing.regions.take([one.region_index for one in place(drawing.regions).marks])
    shown = paint_for_model(drawing.image, taken, ids, "markwise", backend.input_px or 0)
    free = VlmRequest(images=(shown,), prompt=LIST_TEMPLATES[0])
    text = backend.generate(free).text
    assert [line.split(".")[0] for line in text.splitlines()] == ids  # it lists this scene well by itself
    assert backend.generate(replace(free, lines=tuple(ids))).text == text


def streamed(backend: LocalBackend, request: VlmRequest) -> tuple[str, VlmReply]:
    pieces, text = backend.stream(request), ""
    while True:
        try:
            text += next(pieces)
        except StopIteration as end:
            return text.strip(), end.value
