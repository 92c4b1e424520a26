"""Writes the tiny LLaVA as a checkpoint folder that transformers and vLLM both load.

transformers 5.19 names the vision tensors `vision_tower.embeddings...` where vLLM expects
`vision_tower.vision_model.embeddings...`; transformers maps the longer name back by itself, so the file carries it.
The picture processor is the PIL one: it needs no torchvision, and vLLM finds its own by the same name.
"""

import json
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessorPil, LlavaForConditionalGeneration, LlavaProcessor
from transformers import PreTrainedTokenizerFast as Tokenizer

from models.tiny.config import INPUT_PX, PATCH_PX, PIXEL_MEAN, PIXEL_STD

CHAT_TEMPLATE: Final = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ ' ASSISTANT: ' }}{% else %}{{ 'USER: ' }}{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% elif part['type'] in ('image', 'image_url') %}{{ '<image>\n' }}{% endif %}{% endfor %}{% endif %}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ ' ASSISTANT:' }}{% endif %}"
)


def build_processor(tokenizer: Tokenizer) -> LlavaProcessor:
    """The processor of the tiny model; a picture of another size is squashed to the input square."""
    square = {"height": INPUT_PX, "width": INPUT_PX}
    pictures = CLIPImageProcessorPil(
        size=square, crop_size=square, do_center_crop=False, image_mean=[PIXEL_MEAN] * 3, image_std=[PIXEL_STD] * 3
    )
    return LlavaProcessor(
        image_processor=pictures,
        tokenizer=tokenizer,
        patch_size=PATCH_PX,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )


def save(model: LlavaForConditionalGeneration, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the tiny model: bfloat16 weights, configuration, tokenizer and processor."""
    copy = LlavaForConditionalGeneration(model.config)
    copy.load_state_dict(model.state_dict())
    write_checkpoint(copy.to(torch.bfloat16), build_processor(tokenizer), folder)
    _name_processor_for_both(folder)


def write_checkpoint(model: LlavaForConditionalGeneration, processor: LlavaProcessor, folder: Path) -> None:
    """Write any LLaVA so that transformers and vLLM load it; a checkpoint already there is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.safetensors*"):
        old.unlink()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    for weights in sorted(folder.glob("*.safetensors")):
        rename_vision_tensors(weights)
    index = folder / "model.safetensors.index.json"
    if index.exists():
        content = json.loads(index.read_text())
        content["weight_map"] = {_long_name(name): shard for name, shard in content["weight_map"].items()}
        index.write_text(json.dumps(content, indent=2) + "\n")


def rename_vision_tensors(weights: Path) -> None:
    """Give the vision tensors of one safetensors file the names that vLLM looks for."""
    tensors = {_long_name(name): tensor.contiguous() for name, tensor in load_file(weights).items()}
    save_file(tensors, weights, metadata={"format": "pt"})
    weights.chmod(0o644)


def _long_name(name: str) -> str:
    short, long = "vision_tower.", "vision_tower.vision_model."
    return name if long in name else name.replace(short, long, 1)


def _name_processor_for_both(folder: Path) -> None:
    """Write the picture processor's library-neutral name, and the older separate file that some loaders still read."""
    path = folder / "processor_config.json"
    settings = json.loads(path.read_text())
    settings["image_processor"]["image_processor_type"] = "CLIPImageProcessor"
    path.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    pictures = {**settings["image_processor"], "processor_class": "LlavaProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(pictures, indent=2, sort_keys=True) + "\n")
