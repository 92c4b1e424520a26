"""SAM 2, SAM-HQ, Mask2Former and OneFormer of transformers, tiny and random, saved to a folder and loaded by path."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from models import registry
from models.errors import WeightsMissing
from models.protocols import ProvidedRegion, SegmentRequest
from models.segmenters.installed import Installed
from models.segmenters.panoptic.segments import merged
from models.segmenters.sam.everything import Everything, find_everything
from tests.sam_reference import pictures

PICTURE = pictures(1)[0]
REQUEST = SegmentRequest(
    provided=(ProvidedRegion(point_xy_px=(60, 50)), ProvidedRegion(bbox_xyxy_px=(20, 30, 150, 160)))
)
SMALL_DECODER = {"hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 32}


def sam2() -> transformers.PreTrainedModel:
    backbone = {
        "hidden_size": 16,
        "image_size": [128, 128],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [16, 32, 64, 128],
        "num_attention_heads_per_stage": [1, 2, 4, 8],
        "global_attention_blocks": [3],
        "window_size_per_stage": [4, 4, 4, 4],
        "window_positional_embedding_background_size": [4, 4],
    }
    vision = {
        "backbone_config": backbone | {"model_type": "sam2_hiera_det_model"},
        "backbone_channel_list": [128, 64, 32, 16],
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        "fpn_hidden_size": 32,
    }
    config = transformers.Sam2Config(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 32, "image_size": 128, "patch_size": 16, "mask_input_channels": 8},
        mask_decoder_config=SMALL_DECODER,
    )
    return transformers.Sam2Model(config)


def sam_hq() -> transformers.PreTrainedModel:
    config = transformers.SamHQConfig(
        vision_config={
            "hidden_size": 32,
            "output_channels": 32,
            "num_pos_feats": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 128,
            "patch_size": 16,
            "window_size": 4,
            "global_attn_indexes": [1],
            "mlp_dim": 64,
        },
        prompt_encoder_config={"hidden_size": 32, "image_size": 128, "patch_size": 16, "mask_input_channels": 8},
        mask_decoder_config=SMALL_DECODER | {"vit_dim": 32},
    )
    return transformers.SamHQModel(config)


SWIN = {"image_size": 64, "embed_dim": 16, "depths": [1, 1, 1, 1], "num_heads": [1, 2, 4, 8], "window_size": 4}
STAGES = {"out_features": ["stage1", "stage2", "stage3", "stage4"]}


def mask2former() -> transformers.PreTrainedModel:
    config = transformers.Mask2FormerConfig(
        backbone_config=transformers.SwinConfig(**SWIN, **STAGES),
        feature_size=32,
        mask_feature_size=32,
        hidden_dim=32,
        encoder_feedforward_dim=32,
        dim_feedforward=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        num_queries=10,
        num_labels=4,
    )
    return transformers.Mask2FormerForUniversalSegmentation(config)


def oneformer() -> transformers.PreTrainedModel:
    config = transformers.OneFormerConfig(
        backbone_config=transformers.SwinConfig(**SWIN, **STAGES),
        num_queries=10,
        hidden_dim=32,
        conv_dim=32,
        mask_dim=32,
        encoder_feedforward_dim=32,
        dim_feedforward=32,
        encoder_layers=1,
        decoder_layers=2,
        num_attention_heads=2,
        text_encoder_width=32,
        text_encoder_num_layers=1,
        text_encoder_vocab_size=600,
        query_dec_layers=1,
        num_labels=4,
        is_training=False,
    )
    return transformers.OneFormerForUniversalSegmentation(config)


MAKERS = {"sam2": sam2, "sam-hq": sam_hq, "mask2former": mask2former, "oneformer": oneformer}


def tokenizer(folder: Path) -> None:
    """The least that OneFormer's task words need."""
    words = [
        "<|startoftext|>",
        "<|endoftext|>",
        *(f"{letter}{end}" for letter in "acdehikmnoprst" for end in ("", "</w>")),
    ]
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    made = {}
    for name, make in MAKERS.items():
        folder = tmp_path_factory.mktemp(name)
        torch.manual_seed(0)
        make().save_pretrained(folder)
        if name == "oneformer":
            tokenizer(folder)
        made[name] = str(folder)
    return made


@pytest.fixture(autouse=True)
def _installed(folders):
    registry.install(Installed(weights=folders))
    yield
    registry.install(Installed())


@pytest.mark.parametrize("name", ["sam2", "sam-hq"])
def test_prompts_get_a_mask_each_twice_the_same(name):
    segmenter = registry.segmenter(name)
    one, two = (segmenter.segment(PICTURE, REQUEST) for _ in range(2))
    assert len(one) == 2
    assert one.size_hw == PICTURE.shape[:2]
    assert one.rles == two.rles
    assert segmenter.version.startswith("1+")


@pytest.mark.parametrize("name", ["sam2", "sam-hq"])
def test_everything_mode_runs_on_them(name):
    network = registry.segmenter(name).load(Installed(weights=registry._installed.weights))
    settings = Everything(points_per_side=3, score_min=-1.0, stability_min=0.0, most_iou=1.0)
    found = find_everything(network, PICTURE, settings)
    assert len(found.runs) == 27
    assert all(int(runs.sum()) == PICTURE.shape[0] * PICTURE.shape[1] for runs in found.runs)


def test_sam2_masks_are_those_of_the_model_itself():
    """Scale, normalise, prompt and enlarge by hand, with transformers' own model."""
    segmenter = registry.segmenter("sam2")
    network = segmenter.load(Installed(weights=registry._installed.weights))
    found = segmenter.segment(PICTURE, REQUEST)
    embedding = network.encode([PICTURE])[0]
    scale = np.array([128 / PICTURE.shape[1], 128 / PICTURE.shape[0]])
    point = torch.tensor(np.array([60, 50]) * scale, dtype=torch.float32).view(1, 1, 1, 2)
    out = network.model(image_embeddings=[item[None] for item in embedding.features], input_points=point)
    best = int(out.iou_scores[0, 0].argmax())
    large = torch.nn.functional.interpolate(out.pred_masks[0, :, best : best + 1], (128, 128), mode="bilinear")
    mask = torch.nn.functional.interpolate(large, PICTURE.shape[:2], mode="bilinear")[0, 0] > 0
    if mask.any():
        assert (found.mask(0) == mask.numpy()).mean() > 0.999


@pytest.mark.parametrize("name", ["mask2former", "oneformer"])
def test_panoptic_models_run_and_are_deterministic(name):
    segmenter = registry.segmenter(name)
    one, two = (segmenter.segment(PICTURE, SegmentRequest()) for _ in range(2))
    assert one.size_hw == PICTURE.shape[:2]
    assert one.rles == two.rles


def test_merged_regions_are_disjoint_sure_and_named():
    classes = torch.full((4, 3), -9.0)  # two classes and "nothing"
    classes[0, 0], classes[1, 1], classes[2, 2], classes[3, 0] = 9.0, 8.0, 9.0, 7.0
    masks = torch.full((4, 8, 8), -9.0)
    masks[0, :, :5] = 9.0
    masks[1, :, 4:] = 9.0
    masks[2] = 9.0
    masks[3, :, :4] = 8.0  # the same thing again, less sure
    found = merged(classes, masks, (80, 80), {0: "tree", 1: "sky"})
    assert found.roles == ("tree", "sky")
    one, two = found.mask(0), found.mask(1)
    assert not (one & two).any()
    assert (one | two).mean() > 0.95
    nothing = torch.zeros(2, 3)
    assert len(merged(nothing, masks[:2], (80, 80), {})) == 0


def test_a_folder_without_a_model_names_the_setting(tmp_path):
    registry.install(Installed(weights={"sam2": str(tmp_path)}))
    with pytest.raises(WeightsMissing, match="set MARKWISE_SAM2_WEIGHTS to a folder"):
        registry.segmenter("sam2").segment(PICTURE, REQUEST)
    (tmp_path / "config.json").write_text('{"model_type": "sam2"}')
    registry.install(Installed(weights={"sam2": str(tmp_path)}))
    with pytest.raises(WeightsMissing, match="no Sam2Model that loads"):
        registry.segmenter("sam2").segment(PICTURE, REQUEST)
