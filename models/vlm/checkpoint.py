"""Opens a LLaVA checkpoint directory for `local`: model, tokenizer and picture settings. Needs torch; reads safetensors only.

Nothing is fetched and no code from the directory runs. A checkpoint with a missing tensor is refused instead of being filled with
random numbers.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.errors import BadInput, WeightsMissing
from models.vlm.squares import normalised, to_square

# Above this, hashing at start costs seconds; sizes and headers then have to do as the version.
_HASHED_BYTES = 1 << 30
_HEADER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A loaded model with all that is needed to talk to it. `image_mean` and `image_std` are for values of 0 to 1."""

    model: Any
    tokenizer: Tokenizer
    image_token_id: int
    image_tokens: int
    end_token_ids: frozenset[int]
    end_text: str
    input_px: int
    max_positions: int
    image_mean: tuple[float, float, float]
    image_std: tuple[float, float, float]
    version: str

    def pixels(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return (N, 3, S, S): padded to squares with the mean colour, scaled, normalised, as the trainer does it."""
        squares = np.stack([to_square(image, self.input_px, self.image_mean) for image in images])
        return normalised(squares, self.image_mean, self.image_std)

    def encode(self, text: str, images: int) -> list[int]:
        """Return the tokens of `text` with every picture placeholder repeated to the picture's length; raises BadInput."""
        encoding = self.tokenizer.encode(text)
        if encoding.ids.count(self.image_token_id) != images:
            found = encoding.ids.count(self.image_token_id)
            raise BadInput(f"the prompt holds {found} picture placeholders for {images} pictures")
        if "<unk>" in encoding.tokens:
            raise BadInput("the prompt holds a character that this model's tokenizer cannot spell")
        return [copy for id in encoding.ids for copy in [id] * (self.image_tokens if id == self.image_token_id else 1)]


def open_checkpoint(directory: Path, *, device: str = "cpu") -> Checkpoint:
    """Load `directory` onto `device`: float32 on a CPU, the stored type elsewhere. Raises WeightsMissing."""
    weights = sorted(directory.glob("*.safetensors"))
    needed = [directory / name for name in ("config.json", "tokenizer.json")]
    if not weights or not all(path.is_file() for path in needed):
        raise WeightsMissing(f"no LLaVA checkpoint (config.json, tokenizer.json, *.safetensors) in {directory}")
    picture = _picture_settings(directory)
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    model = _load_model(directory, device)
    config = model.config
    ends = config.eos_token_id if config.eos_token_id is not None else config.text_config.eos_token_id
    end_ids = [ends] if isinstance(ends, int) else list(ends)
    return Checkpoint(
        model=model,
        tokenizer=tokenizer,
        image_token_id=int(config.image_token_id),
        image_tokens=int(config.image_seq_length),
        end_token_ids=frozenset(end_ids),
        end_text=tokenizer.id_to_token(end_ids[0]) or "",
        input_px=int(config.vision_config.image_size),
        max_positions=int(config.text_config.max_position_embeddings),
        image_mean=_triple(picture["image_mean"]),
        image_std=_triple(picture["image_std"]),
        version=_version([directory / "config.json", *weights]),
    )


def _load_model(directory: Path, device: str) -> Any:
    import torch
    from transformers import LlavaForConditionalGeneration
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model, info = LlavaForConditionalGeneration.from_pretrained(
            directory,
            dtype=torch.float32 if device == "cpu" else "auto",
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
    except Exception as error:
        raise WeightsMissing(f"the checkpoint in {directory} cannot be loaded ({type(error).__name__})") from error
    absent = sorted(info["missing_keys"]) + sorted(str(key) for key in info["mismatched_keys"])
    if absent:
        raise WeightsMissing(f"the checkpoint in {directory} lacks {len(absent)} tensors, the first is {absent[0]}")
    model.eval()
    model.requires_grad_(requires_grad=False)
    return model.to(device)


def _picture_settings(directory: Path) -> dict[str, Any]:
    """Return the processor's picture settings, from whichever of the two files transformers wrote."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        path = directory / name
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            settings: dict[str, Any] = found.get("image_processor", found)
            if "image_mean" in settings and "image_std" in settings:
                return settings
    raise WeightsMissing(f"no preprocessor_config.json with image_mean and image_std in {directory}")


def _triple(values: list[float]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _version(files: list[Path]) -> str:
    whole = sum(path.stat().st_size for path in files) <= _HASHED_BYTES
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read() if whole else file.read(_HEADER_BYTES))
    return digest.hexdigest()[:12]
