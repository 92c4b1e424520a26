"""A LLaVA of a few thousand random weights with a processor and a small dataset: what trainer tests and proofs run on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)

from models.tiny.tokenizer import IMAGE, build_tokenizer
from models.training.packed import IGNORED

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
INPUT_PX = 32
PATCH_PX = 16


def stand_config(width: int = 32, layers: int = 2, heads: int = 4) -> LlavaConfig:
    tokenizer = build_tokenizer()
    special = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    text = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=heads // 2, max_position_embeddings=4096,
        tie_word_embeddings=False, **special,
    )  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, image_size=INPUT_PX,
        patch_size=PATCH_PX,
    )  # fmt: skip
    return LlavaConfig(
        text_config=text, vision_config=vision, image_token_id=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=(INPUT_PX // PATCH_PX) ** 2, tie_word_embeddings=False,
    )  # fmt: skip


def stand_model(seed: int = 0, **sizes: int) -> LlavaForConditionalGeneration:
    """Random float32 weights; the same seed gives the same."""
    torch.manual_seed(seed)
    return LlavaForConditionalGeneration(stand_config(**sizes)).train()


def stand_processor() -> LlavaProcessor:
    """As LLaVA-1.5's own: its picture half would cut the middle out."""
    pictures = CLIPImageProcessorPil(
        size={"shortest_edge": INPUT_PX}, crop_size={"height": INPUT_PX, "width": INPUT_PX}, do_center_crop=True,
        image_mean=MEAN, image_std=DEVIATION,
    )  # fmt: skip
    return LlavaProcessor(
        image_processor=pictures, tokenizer=build_tokenizer(), patch_size=PATCH_PX,
        vision_feature_select_strategy="default", num_additional_image_tokens=1,
    )  # fmt: skip


def stand_checkpoint(folder: Path, seed: int = 0) -> Path:
    stand_model(seed).save_pretrained(folder)
    stand_processor().save_pretrained(folder)
    return folder


def stand_dataset(folder: Path, count: int = 10) -> Path:
    """Records of many lengths, every third without a picture; returns the folder with data.json and the pictures."""
    generator = np.random.default_rng(0)
    records: list[dict[str, Any]] = []
    for number in range(count):
        answer = " ".join(["one", "two", "red", "circle"][k % 4] for k in range(1 + 5 * (number % 4)))
        record: dict[str, Any] = {"id": f"r{number}"}
        question = f"What is item {number}?"
        if number % 3:
            name = f"{number}.png"
            pixels = generator.integers(0, 255, (20 + number, 40, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name)
            record["image"], question = name, f"<image>\n{question}"
        turns = [{"from": "human", "value": question}, {"from": "gpt", "value": f"{answer}."}]
        records.append(record | {"conversations": turns})
    (folder / "data.json").write_text(json.dumps(records))
    return folder


def padded(rows: Sequence[dict[str, Tensor]], pad_id: int) -> dict[str, Tensor]:
    """The usual way: rows padded on the right to one batch with an attention mask."""
    shape = (len(rows), max(len(row["input_ids"]) for row in rows))
    batch = {
        "input_ids": torch.full(shape, pad_id),
        "labels": torch.full(shape, IGNORED),
        "attention_mask": torch.zeros(shape, dtype=torch.int64),
    }
    for r, row in enumerate(rows):
        size = len(row["input_ids"])
        for name in ("input_ids", "labels"):
            batch[name][r, :size] = row[name]
        batch["attention_mask"][r, :size] = 1
    pictures = [row["pixel_values"] for row in rows if "pixel_values" in row]
    return batch | ({"pixel_values": torch.stack(pictures)} if pictures else {})
