"""Checkpoints are read by their own names, strictly: what is off is listed, what is not used is left alone."""

import pytest
import torch

from models.errors import WeightsMissing
from models.segmenters.semantic_sam.checkpoint import build
from models.segmenters.semantic_sam.network import SemanticSam
from models.segmenters.semantic_sam.shape import PUBLISHED_SHAPES
from models.weights import state_of
from tests.unit.models.segmenters.semantic_sam import frozen


def test_what_is_missing_or_has_another_shape_is_listed_by_the_files_own_name():
    state = dict(frozen.state())
    del state["model.sem_seg_head.predictor.label_enc.weight"]
    state["model.backbone.norm2.bias"] = torch.zeros(3)
    with pytest.raises(WeightsMissing) as caught:
        build(state)
    assert "model.sem_seg_head.predictor.label_enc.weight is missing" in str(caught.value)
    assert "model.backbone.norm2.bias has shape [3] instead of [64]" in str(caught.value)


def test_a_long_list_is_cut_and_counted():
    state = {name: value for name, value in frozen.state().items() if ".bias" not in name}
    with pytest.raises(WeightsMissing, match=r"is missing; and \d+ more"):
        build(state)


@pytest.mark.parametrize(
    "name", ["backbone.norm0.weight", "module.backbone.norm0.weight", "model.image_encoder.pos_embed"]
)
def test_other_weights_are_named_as_such(name):
    with pytest.raises(WeightsMissing, match="other weights than Semantic-SAM's"):
        build({name: torch.zeros(2)})


def test_copies_text_heads_and_index_tables_change_nothing():
    state = dict(frozen.state())
    more = {
        "model.sem_seg_head.predictor._bbox_embed.layers.0.weight": torch.zeros(1),
        "model.sem_seg_head.predictor.lang_mapper": torch.zeros(512, 64),
        "model.backbone.layers.0.blocks.0.attn.relative_position_index": torch.zeros(49, 49, dtype=torch.int64),
        "criterion.empty_weight": torch.zeros(3),
    }
    assert frozen.faults(frozen.measured(build(state | more))) == []


def test_a_published_file_is_read_without_running_it_and_kept_as_safetensors(tmp_path):
    file = tmp_path / "swint.pth"
    torch.save({"model": frozen.state()}, file)
    assert build(state_of(file)).shape == frozen.network().shape
    kept = list(tmp_path.glob("*.safetensors"))
    assert len(kept) == 1
    torch.save({"model": frozen.state(), "trainer": pytest.raises}, file)
    with pytest.raises(WeightsMissing, match="no PyTorch file of plain tensors"):
        state_of(file)


@pytest.mark.parametrize(("name", "parameters"), [("swin-t", 52_980_543), ("swin-l", 222_799_161)])
def test_the_published_sizes_have_the_published_number_of_parameters(name, parameters):
    with torch.device("meta"):
        network = SemanticSam(PUBLISHED_SHAPES[name])
    boxes = network.sem_seg_head.predictor.decoder.bbox_embed
    copies = sum(item.numel() for head in list(boxes)[1:] for item in head.parameters())
    text_heads = 3 * 256 * 512
    assert sum(item.numel() for item in network.parameters()) - copies + text_heads == parameters
