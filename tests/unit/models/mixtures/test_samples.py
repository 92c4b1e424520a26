"""What LLaVA's loader would stumble over is named; what it would move is moved."""

import hashlib
import json
from typing import Any

import pytest

from models.mixtures.samples import ContentHash, fault, placed, without_pairs


def turns(*values: str) -> list[dict[str, str]]:
    return [{"from": ("human", "gpt")[n % 2], "value": value} for n, value in enumerate(values)]


GOOD = turns("<image>\nWhat?", "A dog.", "And?", "A cat.")


@pytest.mark.parametrize(
    ("conversations", "image"),
    [
        (GOOD, "a.png"),
        (turns("What?\n<image>", "A dog."), "coco/train2017/1.jpg"),
        (turns("Hello", "Hi"), None),
        (turns("<image>", "A caption."), "a.png"),
    ],
)
def test_what_can_be_trained_on_has_no_fault(conversations: Any, image: str | None) -> None:
    assert fault(conversations, image) is None


@pytest.mark.parametrize(
    ("conversations", "image", "reason"),
    [
        ("text", None, "list of turns"),
        ([{"from": "human"}], None, "list of turns"),
        ([{"from": "human", "value": 3}], None, "list of turns"),
        ([], None, "first turn must be the human's"),
        (turns("a", "b")[::-1], None, "first turn must be the human's"),
        ([*turns("a", "b"), *turns("c", "d")[1:]], None, "take turns"),
        (turns("a", "b", "c"), None, "last turn must be gpt's"),
        ([{"from": "system", "value": "x"}, *turns("a", "b")], None, "role 'system'"),
        (turns("a", " \n"), None, "turn 2 is empty"),
        (turns("a", "b</s>c"), None, "'</s>' inside turn 2"),
        (turns("USER ASSISTANT: x", "b"), None, "'ASSISTANT:' inside turn 1"),
        (turns("<image>\na", "b"), None, "without a picture"),
        (turns("a", "b"), "a.png", "stands nowhere"),
        (turns("a", "b", "<image>c", "d"), "a.png", "in the turns 3"),
        (turns("a", "b <image>"), "a.png", "in the turns 2"),
        (turns("<image><image>a", "b"), "a.png", "in the turns 1, 1"),
        (GOOD, "/etc/passwd", "inside the folder"),
        (GOOD, "../a.png", "inside the folder"),
        (GOOD, ["a.png"], "path of one picture"),
        (GOOD, "", "path of one picture"),
    ],
)
def test_each_rule_of_the_loader_is_held(conversations: Any, image: Any, reason: str) -> None:
    assert reason in (fault(conversations, image) or "")


def test_the_picture_is_put_before_the_first_question() -> None:
    assert placed(turns("What is <image> this?", "x"))[0]["value"] == "<image>\nWhat is  this?"
    assert placed(turns("What?\n<image>", "x"))[0]["value"] == "<image>\nWhat?"
    assert placed(turns("<image>", "x"))[0]["value"] == "<image>"
    assert placed(turns("Hello", "x"))[0]["value"] == "Hello"


def test_dropping_the_first_round_keeps_the_picture() -> None:
    assert without_pairs(GOOD, [0]) == turns("<image>\nAnd?", "A cat.")
    assert without_pairs(GOOD, [1]) == turns("<image>\nWhat?", "A dog.")
    assert fault(without_pairs(GOOD, [0]), "a.png") is None


def test_the_hash_is_of_compact_sorted_lines_in_order() -> None:
    samples = [{"id": "2", "image": "ä.png", "conversations": GOOD}, {"id": "1", "conversations": turns("a", "b")}]
    content = ContentHash()
    for sample in samples:
        content.add(sample)
    lines = [json.dumps(s, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n" for s in samples]
    assert content.hex() == hashlib.sha256("".join(lines).encode()).hexdigest()
