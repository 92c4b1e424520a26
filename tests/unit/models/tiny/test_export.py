"""A saved tiny model has the names vLLM wants, loads in transformers, and sees what the trainer saw."""

import numpy as np
import pytest
import torch
from safetensors import safe_open
from transformers import AutoProcessor, LlavaForConditionalGeneration

from models.tiny.config import build_model
from models.tiny.export import save
from models.tiny.tokenizer import build_tokenizer
from models.training.forward import pixels


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    model = build_model(build_tokenizer(), seed=3)
    save(model, build_tokenizer(), folder)
    return model, folder


def test_vision_tensors_carry_the_longer_name(saved):
    _, folder = saved
    with safe_open(folder / "model.safetensors", "pt") as weights:
        names = [name for name in weights.offset_keys() if "vision_tower" in name]
    assert names
    assert all("vision_tower.vision_model." in name for name in names)


def test_transformers_loads_every_tensor(saved):
    model, folder = saved
    loaded, report = LlavaForConditionalGeneration.from_pretrained(
        folder, output_loading_info=True, dtype=torch.float32
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.to(torch.bfloat16).float()), name


def test_the_folder_is_small(saved):
    _, folder = saved
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 16 * 2**20


def test_the_processor_gives_the_pixels_of_the_trainer(saved):
    _, folder = saved
    processor = AutoProcessor.from_pretrained(folder)
    image = np.random.default_rng(0).integers(0, 255, (224, 224, 3), dtype=np.uint8)
    inputs = processor(images=image, text="USER: <image>\nhi ASSISTANT:", return_tensors="pt")
    expected = pixels(torch.from_numpy(image)[None], torch.float32)
    assert torch.allclose(inputs["pixel_values"], expected, atol=1e-5)
    assert int((inputs["input_ids"] == 3).sum()) == 196


def test_the_chat_template_words_a_turn_as_training_does(saved):
    _, folder = saved
    processor = AutoProcessor.from_pretrained(folder)
    turn = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "hi"}]}]
    assert processor.apply_chat_template(turn, add_generation_prompt=True) == "<s>USER: <image>\nhi ASSISTANT:"
