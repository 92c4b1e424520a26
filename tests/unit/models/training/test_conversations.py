"""LLaVA's files are read, and conversations written as the template has it, with the places of the answers."""

import json

import pytest

from models.errors import BadInput
from models.training.conversations import Conversation, chat_and_answers, placed, read_conversations
from models.training.recipes import VICUNA_SYSTEM


def test_vicunas_template_to_the_character():
    text, spans = chat_and_answers([("<image>\nq", "a"), ("r", "b")], "</s>", VICUNA_SYSTEM)
    assert text == (
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
        "and polite answers to the user's questions. USER: <image>\nq ASSISTANT: a</s>USER: r ASSISTANT: b</s>"
    )
    assert [text[start:end] for start, end in spans] == [" a</s>", " b</s>"]


def test_the_picture_stands_first_wherever_the_file_has_it():
    assert placed("<image>\nWhat?") == placed("What?\n<image>") == placed("<image> What?") == "<image>\nWhat?"
    assert placed(" What? ") == "What?"


def test_the_template_and_its_answer_spans():
    text, spans = chat_and_answers([("q", "a"), ("r", "b")], "</s>")
    assert text == "USER: q ASSISTANT: a</s>USER: r ASSISTANT: b</s>"
    assert [text[start:end] for start, end in spans] == [" a</s>", " b</s>"]


def test_llava_records_are_read(tmp_path):
    turns = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    path = tmp_path / "d.json"
    path.write_text(json.dumps([{"id": 5, "image": "a.png", "conversations": turns}]))
    assert read_conversations(path) == [Conversation(id="5", image="a.png", turns=(("q", "a"),))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a readable JSON file"),
        ("[]", "at least one record"),
        ('[{"id": 1}]', "record 0"),
        ('[{"conversations": [{"from": "gpt", "value": "a"}, {"from": "human", "value": "q"}]}]', "record 0"),
        ('[{"conversations": [{"from": "human", "value": "q"}]}]', "record 0"),
    ],
)
def test_what_is_no_dataset_is_refused(tmp_path, content, message):
    (tmp_path / "d.json").write_text(content)
    with pytest.raises(BadInput, match=message):
        read_conversations(tmp_path / "d.json")
