"""What of plain text is kept is measured as transformers would measure it, and on text alone."""

import json
import math

import pytest
import torch

from models.errors import BadInput
from models.training.encoder import Encoder
from models.training.packed import IGNORED, use_packed_attention
from models.training.retention import BUILT_IN, held_out_texts, perplexity
from tests.llava_stand import padded, stand_model, stand_processor


@pytest.fixture
def encoder(tmp_path):
    return Encoder(stand_processor(), tmp_path, max_tokens=2048, broken_allowed=0)


def test_the_built_in_texts_are_questions_with_answers():
    records = held_out_texts(None)
    assert len(records) == len(json.loads(BUILT_IN.read_text())) >= 8
    assert all(record.image is None and all(all(turn) for turn in record.turns) for record in records)


@pytest.mark.parametrize("row_tokens", [16, 4096])
def test_perplexity_is_that_of_plain_transformers_however_texts_are_packed(encoder, row_tokens):
    records = held_out_texts(None)
    batch = padded([encoder.encode(record) for record in records], 0)
    plain = stand_model().eval()
    with torch.no_grad():
        wanted = float(plain(**batch).loss)
    assert int((batch["labels"] != IGNORED).sum()) > len(records)
    ours = stand_model().train()
    use_packed_attention(ours)
    found = perplexity(ours, encoder, records, row_tokens=row_tokens)
    assert found == pytest.approx(math.exp(wanted), rel=1e-4)
    assert ours.training
    assert all(parameter.grad is None for parameter in ours.parameters())


def test_a_file_with_pictures_is_no_text(tmp_path):
    turns = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": "red."}]
    (tmp_path / "mixed.json").write_text(json.dumps([{"id": "1", "image": "p.png", "conversations": turns}]))
    with pytest.raises(BadInput, match="text only"):
        held_out_texts(tmp_path / "mixed.json")


def test_texts_that_no_window_holds_are_not_a_perplexity_of_nothing(tmp_path):
    narrow = Encoder(stand_processor(), tmp_path, max_tokens=2, broken_allowed=0)
    with pytest.raises(BadInput, match="no record of the retention set"):
        perplexity(stand_model(), narrow, held_out_texts(None), row_tokens=64)
