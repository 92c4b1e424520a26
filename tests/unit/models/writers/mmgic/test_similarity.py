"""A CLIP in a folder measures captions on pictures as transformers does itself; a folder without one is told."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    CLIPTextConfig,
    CLIPTokenizer,
    CLIPVisionConfig,
)

from models.errors import WeightsMissing
from models.writers.mmgic.similarity import ClipSimilarity

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of random weights whose words are letters."""
    made = tmp_path_factory.mktemp("clip")
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[], model_max_length=16)
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=len(words) - 2,
        eos_token_id=len(words) - 1,
        pad_token_id=len(words) - 1,
    )
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=16, patch_size=8
    )
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=8)).save_pretrained(
        made
    )
    settings = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}
    CLIPProcessor(CLIPImageProcessor(**settings), tokenizer).save_pretrained(made)
    return made


def test_captions_are_measured_as_transformers_measures_them(folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    captions = ["a dog", "cats", "word " * 40]
    found = ClipSimilarity(folder)(pixels, captions)
    model, processor = CLIPModel.from_pretrained(folder).eval(), CLIPProcessor.from_pretrained(folder)
    given = processor(text=captions, images=pixels, return_tensors="pt", padding=True, truncation=True)
    with torch.inference_mode():
        logits = model(**given).logits_per_image[0] / model.logit_scale.exp()
    assert found == pytest.approx(logits.tolist(), abs=1e-5)
    assert len(set(found)) == 3
    assert all(-1 <= value <= 1 for value in found)


def test_a_folder_without_a_clip_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="holds no CLIP") as caught:
        ClipSimilarity(tmp_path)
    assert caught.value.setting == "MARKWISE_CAPTION_SCORER"
