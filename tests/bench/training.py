"""Tokens per second of our trainer and of plain transformers' Trainer with padding. Run: python -m tests.bench.training

Same random model, same records, same batches of 16, same optimiser, one thread, both encode while they train; runs take turns.
The records are as long as those of LLaVA's instruction mixture (`tests.bench.training_records`), at a ninth of their scale where the
picture has 64 tokens instead of 576. Counted are tokens that are not padding, per second of CPU time (on a CUDA
device: of wall time). `--shape 7b` takes LLaVA-1.5-7B's shape with LoRA, in bfloat16 there, and `--shape 7b-full` all of its weights; with
--peak-tflops the share of the device's peak is printed. For all weights ours holds 18 bytes a weight (float32 masters, gradients and
moments), some 126 GB beside the activations, the library 8: it has bfloat16 moments and no masters.
"""

import argparse
import datetime as dt
import gc
import importlib.metadata
import io
import json
import logging
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import LlavaForConditionalGeneration, Trainer, TrainingArguments

from models.training.conversations import Conversation
from models.training.encoder import Encoder
from models.training.events import Reporter
from models.training.finetune import FinetuneStage, with_lora
from models.training.loop import LoopSettings, StopFlag, run_stage
from models.training.order import batch_at
from models.training.packed import use_packed_attention
from models.training.recipes import Recipe, recipe_of
from models.training.schedule import Budget
from tests.bench.training_records import llava_like
from tests.llava_stand import padded, stand_config, stand_processor

RESULTS = Path(__file__).parent / "results" / "training"
BATCH = 16


@dataclass(frozen=True)
class Shape:
    """Sizes of language and vision half, and by what the lengths of texts are divided, as the picture's tokens are."""

    text: dict[str, int]
    vision: dict[str, int]
    scale: int
    lora: bool


_7B = Shape(
    {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
     "num_key_value_heads": 32, "vocab_size": 32064},
    {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 336, "patch_size": 14},
    scale=1, lora=True,
)  # fmt: skip
SHAPES = {
    "small": Shape(
        {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 8},
        {"hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 128, "patch_size": 16},
        scale=9, lora=False,
    ),
    "7b": _7B,
    "7b-full": replace(_7B, lora=False),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=list(SHAPES), default="small")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peak-tflops", type=float, help="the device's dense bfloat16 peak, to print the share of it")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    shape = SHAPES[options.shape]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoder = reader(shape, folder)
        records = llava_like(folder, BATCH * options.steps, shape.scale)
        tokens = sum(len((encoder.encode(record) or {})["input_ids"]) for record in records)
        same = [records[i] for i in batch_at(0, len(records), len(records), seed=0)]
        # The library sorts by length within 50 batches; here that is all there are.
        grouped = sorted(same, key=encoder.length_of, reverse=True)
        ways: dict[str, Callable[[], float]] = {
            "transformers Trainer, padded": lambda: theirs(shape, encoder, same, options.steps, folder),
            "transformers Trainer, grouped by length": lambda: theirs(shape, encoder, grouped, options.steps, folder),
            "markwise, packed": lambda: ours(shape, encoder, records, options.steps, folder),
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, run in ways.items():
                times[way].append(run())
                gc.collect()  # the library's trainer is a ring of references; two models of this size fit no device
                torch.cuda.empty_cache()
    speeds = {way: tokens / statistics.median(found) for way, found in times.items()}
    report(options, shape, tokens, speeds)


def report(options: argparse.Namespace, shape: Shape, tokens: int, speeds: dict[str, float]) -> None:
    """Print the table and write it as JSON."""
    first = next(iter(speeds.values()))
    unit = "wall" if torch.cuda.is_available() else "CPU"
    hardware = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine() + ", one thread"
    print(f"{tokens} tokens in {options.steps} steps of {BATCH} records, {options.shape} shape, {hardware}")
    for way, speed in speeds.items():
        print(f"{way:42s} {speed:10.0f} tokens/s of {unit} time  {speed / first:5.2f}x")
    result: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(), "hardware": hardware, "shape": options.shape,
        "torch": torch.__version__, "transformers": importlib.metadata.version("transformers"),
        "tokens_per_s": {way: round(speed) for way, speed in speeds.items()},
        "ratio_to_padded": round(speeds["markwise, packed"] / first, 3),
    }  # fmt: skip
    if options.peak_tflops:
        result["share_of_peak"] = speeds["markwise, packed"] * flops_per_token(shape) / (options.peak_tflops * 1e12)
        print(f"share of the device's peak: {result['share_of_peak']:.3f}")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{options.shape}.json").write_text(json.dumps(result, indent=1) + "\n")


def flops_per_token(shape: Shape) -> float:
    """Forward 2, backward 2 for activations and 2 for weights that train; the vision tower and attention are left out."""
    sizes = shape.text
    width, layers = sizes["hidden_size"], sizes["num_hidden_layers"]
    weights = layers * (4 * width * width + 3 * width * sizes["intermediate_size"])
    return float(weights * (4 if shape.lora else 6))


def reader(shape: Shape, folder: Path) -> Encoder:
    """The stand's processor at the shape's picture size."""
    processor = stand_processor()
    size = shape.vision["image_size"]
    processor.image_processor.crop_size = {"height": size, "width": size}
    processor.patch_size = shape.vision["patch_size"]
    return Encoder(processor, folder, max_tokens=2048, broken_allowed=0)


def model_of(shape: Shape) -> tuple[LlavaForConditionalGeneration, nn.Module, Recipe]:
    """The same random weights each time, the vision tower frozen; with an adapter round it where the shape says so."""
    config = stand_config()
    for sizes, part in ((shape.text, config.text_config), (shape.vision, config.vision_config)):
        for name, value in sizes.items():
            setattr(part, name, value)
    config.text_config.head_dim = shape.text["hidden_size"] // shape.text["num_attention_heads"]
    config.image_seq_length = (shape.vision["image_size"] // shape.vision["patch_size"]) ** 2
    recipe = recipe_of("llava-1.5-lora" if shape.lora else "llava-1.5-full")
    recipe = replace(recipe, global_batch=BATCH, per_device_batch=BATCH, gradient_checkpointing=shape.scale == 1)
    torch.manual_seed(0)
    cuda = torch.cuda.is_available()
    with torch.device("cuda" if cuda else "cpu"):
        previous = torch.get_default_dtype()
        torch.set_default_dtype(torch.bfloat16 if cuda else torch.float32)
        model = LlavaForConditionalGeneration(config).train()
        torch.set_default_dtype(previous)
    model.model.vision_tower.requires_grad_(requires_grad=False)
    if recipe.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model, with_lora(model, recipe), recipe


def ours(shape: Shape, encoder: Encoder, records: list[Conversation], steps: int, folder: Path) -> float:
    """Seconds of a run of ours, without a checkpoint at its end, as the library's run has none: 84 GB of a 7B model."""
    model, trained, recipe = model_of(shape)
    use_packed_attention(model)
    budget = Budget(steps=steps)
    stage = FinetuneStage(records, encoder, recipe, budget, seed=0)
    with tempfile.TemporaryDirectory(dir=folder) as out, Timed() as seconds:
        settings = LoopSettings(
            out=Path(out), seed=0, cosine_warmup=0.03, weight_decay=0.0, betas=recipe.betas, clip_norm=1.0,
            rank=1,  # only the first process saves
        )  # fmt: skip
        run_stage(trained, stage, budget, settings, Reporter(out=io.StringIO()), StopFlag())
    stage.close()
    return seconds[0]


class Records(torch.utils.data.Dataset[dict[str, Any]]):
    """Records in a given order, encoded when asked for, as ours are."""

    def __init__(self, encoder: Encoder, records: list[Conversation]) -> None:
        self.encoder, self.records = encoder, records

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.encoder.encode(self.records[index]) or {}


def theirs(shape: Shape, encoder: Encoder, records: list[Conversation], steps: int, folder: Path) -> float:
    """Seconds of a run of the library's Trainer."""
    _, trained, recipe = model_of(shape)
    arguments = TrainingArguments(
        output_dir=str(folder / "trainer"), max_steps=steps, per_device_train_batch_size=BATCH, report_to=[],
        learning_rate=recipe.learning_rate, weight_decay=0.0, warmup_steps=0.03, lr_scheduler_type="cosine",
        save_strategy="no", logging_steps=20, disable_tqdm=True, remove_unused_columns=False, max_grad_norm=1.0,
        dataloader_pin_memory=False, use_cpu=not torch.cuda.is_available(), bf16=torch.cuda.is_available(), seed=0,
        train_sampling_strategy="sequential",
        # Ours reads the next batch while a device works; LLaVA's scripts have four workers do so.
        dataloader_num_workers=4 if torch.cuda.is_available() else 0,
    )  # fmt: skip
    trainer = Trainer(
        model=trained, args=arguments, train_dataset=Records(encoder, records),
        data_collator=lambda rows: padded(rows, 0),
    )  # fmt: skip
    with Timed() as seconds:
        trainer.train()
    return seconds[0]


class Timed:
    """CPU seconds of this process, or wall seconds where a device does the work; known when the block ends."""

    def __enter__(self) -> list[float]:
        self.seconds: list[float] = []
        self.started = self._now()
        return self.seconds

    def __exit__(self, *_error: object) -> None:
        self.seconds.append(self._now() - self.started)

    def _now(self) -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
            return time.monotonic()
        return time.process_time()


if __name__ == "__main__":
    main()
