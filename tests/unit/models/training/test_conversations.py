"""Only answers are trained on, broken pictures are counted, and odd token cuts stop the run."""

import json

import numpy as np
import pytest
from PIL import Image

from models.errors import BadInput
from models.tiny.export import build_processor
from models.tiny.tokenizer import build_tokenizer
from models.training.conversations import (
    IGNORED,
    Conversation,
    Encoder,
    TooManyBroken,
    chat_and_answers,
    collate,
    read_conversations,
)
from models.training.packing import TokenisationMismatch

TURNS = (("<image>\nWhat is mark 1?", "red circle."), ("And mark 2?", "blue square."))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(folder / "a.png")
    for number in range(3):
        (folder / f"broken{number}.png").write_bytes(b"\x89PNG no picture")
    return folder


@pytest.fixture(scope="module")
def processor():
    return build_processor(build_tokenizer())


def encoder(processor, images, **changes):
    return Encoder(processor, images, **({"max_tokens": 1024, "broken_allowed": 2} | changes))


def record(image="a.png", turns=TURNS):
    return Conversation(id="r", image=image, turns=turns)


def test_labels_cover_the_answers_and_their_end_tokens_only(processor, images):
    row = encoder(processor, images).encode(record())
    taught = row["labels"][row["labels"] != IGNORED]
    assert processor.tokenizer.decode(taught) == " red circle.</s> blue square.</s>"
    assert (row["input_ids"][row["labels"] != IGNORED] == taught).all()
    assert row["pixel_values"].shape == (3, 224, 224)


def test_a_record_without_a_picture_has_no_pixels(processor, images):
    row = encoder(processor, images).encode(record(image=None, turns=(("hi", "None."),)))
    assert "pixel_values" not in row


def test_broken_pictures_are_skipped_up_to_the_limit(processor, images):
    reader = encoder(processor, images)
    assert [reader.encode(record(image=f"broken{k}.png")) for k in (0, 0, 1)] == [None] * 3
    with pytest.raises(TooManyBroken, match="3 pictures cannot be decoded; 2 are allowed"):
        reader.encode(record(image="broken2.png"))


def test_a_picture_outside_the_folder_is_refused(processor, images):
    with pytest.raises(BadInput, match="outside"):
        encoder(processor, images).encode(record(image="../a.png"))


def test_a_picture_must_be_named_in_the_text(processor, images):
    with pytest.raises(BadInput, match="name its picture once"):
        encoder(processor, images).encode(record(turns=(("no placeholder", "x"),)))


def test_a_token_across_the_border_of_an_answer_stops_the_run(processor, images, monkeypatch):
    monkeypatch.setattr(
        "models.training.conversations.chat_and_answers",
        lambda turns, end: (f"USER: <image>\nhi ASSISTANT: red circle{end}", [(27, 41)]),
    )
    with pytest.raises(TokenisationMismatch, match="from a question into its answer"):
        encoder(processor, images).encode(record())


def test_long_records_are_cut_and_an_answerless_batch_is_refused(processor, images):
    row = encoder(processor, images, max_tokens=50).encode(record())
    assert len(row["input_ids"]) == 50
    with pytest.raises(BadInput, match="no answer is left"):
        collate([row], pad_id=0)


def test_rows_of_a_batch_are_padded_on_the_right(processor, images):
    reader = encoder(processor, images)
    batch = collate([reader.encode(record()), reader.encode(record(turns=TURNS[:1]))], pad_id=0)
    short = int(batch["attention_mask"][1].sum())
    assert batch["input_ids"].shape == batch["labels"].shape
    assert (batch["input_ids"][1, short:] == 0).all()
    assert (batch["labels"][1, short:] == IGNORED).all()


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
