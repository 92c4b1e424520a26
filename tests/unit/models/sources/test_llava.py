"""LLaVA JSON: conversations as they are, refused by the rules of the loader that would train on them."""

import json

import pytest

from models.errors import BadInput

ASK, SAY = {"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "A cat."}
GOOD = {"id": "1", "image": "coco/train2017/1.jpg", "conversations": [ASK, SAY]}


def test_samples_keep_their_turns_and_repeated_ids_stay_apart(opened) -> None:
    other = {**GOOD, "conversations": [ASK, {**SAY, "value": "A dog."}]}
    records, faults = opened("llava", a__json=[GOOD, other])
    assert faults == {}
    assert len(records) == 2
    assert all(name.startswith("1@") for name in records)
    assert [record.conversations for record in records.values()] == [
        (ASK, SAY),
        (ASK, {"from": "gpt", "value": "A dog."}),
    ]
    assert {record.image.file_name for record in records.values()} == {"coco/train2017/1.jpg"}


def test_one_object_per_line_says_the_same(opened) -> None:
    lines, _ = opened("llava", a__jsonl="\n".join([json.dumps(GOOD), "", json.dumps({**GOOD, "id": "2"})]))
    listed, _ = opened("llava", b__json=[GOOD, {**GOOD, "id": "2"}])
    assert lines == listed
    with pytest.raises(BadInput, match=r"c\.jsonl: record 1 is not JSON"):
        opened("llava", c__jsonl=f"{json.dumps(GOOD)}\n{{")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({**GOOD, "conversations": [SAY, ASK]}, "the first turn must be the human's"),
        ({**GOOD, "conversations": [ASK, SAY, SAY]}, "human and gpt must take turns"),
        ({**GOOD, "conversations": [ASK, SAY, {"from": "human", "value": "And?"}]}, "the last turn must be gpt's"),
        ({**GOOD, "conversations": [ASK, {"from": "gpt", "value": " "}]}, "turn 2 is empty"),
        ({**GOOD, "conversations": [{"from": "human", "value": "What?"}, SAY]}, "it stands nowhere"),
        ({**GOOD, "conversations": [ASK, {"from": "gpt", "value": "<image>"}]}, "it stands in the turns 1, 2"),
        ({**GOOD, "conversations": None}, "conversations must be a list of turns"),
        ({**GOOD, "image": ["a", "b"]}, "it has several images"),
        ({"id": "1", "conversations": [ASK, SAY]}, "it has no image"),
        ("words", "the sample is not an object"),
    ],
)
def test_a_broken_sample_is_named_and_the_rest_is_taken(opened, broken, said) -> None:
    records, faults = opened("llava", a__json=[broken, {**GOOD, "id": "2"}])
    assert len(records) == 1
    ((name, detail),) = faults.items()
    assert name.startswith("a.json sample 0 (id ")
    assert said in detail
