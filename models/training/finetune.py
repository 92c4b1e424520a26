"""The recipe `finetune`: any LLaVA checkpoint on a LLaVA JSON dataset, all weights or a LoRA adapter.

The loss counts answers only. The result is a checkpoint folder `out/model` that transformers and vLLM load; with
LoRA also the adapter alone in `out/adapter`. Runs on the GPU if there is one, else on the CPU.
"""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import torch
import torch.distributed as dist
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoProcessor, LlavaForConditionalGeneration

from models.errors import WeightsMissing
from models.tiny.export import write_checkpoint
from models.training.conversations import Conversation, Encoder, collate, read_conversations
from models.training.events import Reporter
from models.training.loop import LoopSettings, StopFlag, run_stage
from models.training.schedule import Budget
from models.training.spec import Spec
from models.training.stages import Outcome

DEFAULT_RATE: Final = 2e-4
DEFAULT_LORA_RATE: Final = 1e-3
DEFAULT_BATCH: Final = 8
DEFAULT_EPOCHS: Final = 3
LORA_TARGETS: Final = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


class FinetuneStage:
    """Answer loss on random batches of conversations."""

    name = "finetune"
    hold_until = 0.3

    def __init__(self, records: list[Conversation], encoder: Encoder, spec: Spec, pad_id: int) -> None:
        """Keep the data; nothing is encoded yet."""
        self.records, self.encoder, self.pad_id = records, encoder, pad_id
        self.batch = spec.batch_size or DEFAULT_BATCH
        self.lora = spec.lora_rank > 0
        self.peak_rate = spec.learning_rate or (DEFAULT_LORA_RATE if self.lora else DEFAULT_RATE)

    def scale_of(self, name: str) -> float:
        """With LoRA only the adapter trains; without, everything but the vision tower, as LLaVA does it."""
        if self.lora:
            return 1.0 if "lora_" in name else 0.0
        return 0.0 if "vision_tower" in name else 1.0

    def losses(self, model: nn.Module, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """One batch, pictures that are broken replaced by others."""
        rows: list[dict[str, torch.Tensor]] = []
        while len(rows) < self.batch:
            encoded = self.encoder.encode(rng.choice(self.records))
            if encoded is not None and ("pixel_values" in encoded) == ("pixel_values" in (rows or [encoded])[0]):
                rows.append(encoded)
        batch = collate(rows, self.pad_id)
        parameter = next(model.parameters())
        batch = {
            name: value.to(parameter.device, parameter.dtype if value.is_floating_point() else None)
            for name, value in batch.items()
        }
        result = model(**batch)
        values = {"broken": float(len(self.encoder.broken))} if measure else {}
        yield Outcome(loss=result.loss, tokens=int(batch["attention_mask"].sum()), values=values)


def finetune(spec: Spec, out: Path, reporter: Reporter, stop: StopFlag) -> bool:
    """Train and save; False if stopped before the end. Raises ModelError for what the caller must change."""
    base, dataset, images = Path(spec.base or ""), Path(spec.dataset or ""), Path(spec.images or "")
    if not (base / "config.json").exists():
        raise WeightsMissing(f"base must be a checkpoint folder; there is no config.json in {base}")
    records = read_conversations(dataset)
    torch.manual_seed(spec.seed)
    processor: Any = AutoProcessor.from_pretrained(base)
    model = LlavaForConditionalGeneration.from_pretrained(base, dtype=torch.bfloat16)
    model.to("cuda" if torch.cuda.is_available() else "cpu").train()
    trained: nn.Module = model
    if spec.lora_rank:
        config = LoraConfig(r=spec.lora_rank, lora_alpha=2 * spec.lora_rank, target_modules=LORA_TARGETS)
        trained = get_peft_model(model, config)
    allowed = int(spec.max_broken_share * len(records))
    encoder = Encoder(processor, images, max_tokens=spec.max_tokens, broken_allowed=allowed)
    stage = FinetuneStage(records, encoder, spec, processor.tokenizer.pad_token_id)
    rank = dist.get_rank() if dist.is_initialized() else 0
    settings = LoopSettings(
        out=out, seed=spec.seed, checkpoint_every_s=spec.checkpoint_every_s, rank=rank, warmup_steps=10
    )
    reporter.log("stage starts", stage=stage.name, records=len(records), threads=torch.get_num_threads())
    if not run_stage(trained, stage, _budget(spec, len(records), stage.batch), settings, reporter, stop):
        return False
    if rank == 0:
        if spec.lora_rank:
            trained.save_pretrained(out / "adapter")
            model = trained.merge_and_unload()
        write_checkpoint(model, processor, out / "model")
        reporter.log("saved", folder=str(out / "model"), broken_pictures=len(encoder.broken))
    return True


def _budget(spec: Spec, records: int, batch: int) -> Budget:
    clock = spec.clock or "wall"
    if spec.budget_s is not None:
        return Budget(seconds=spec.budget_s, clock=clock)
    return Budget(steps=spec.steps or max(1, DEFAULT_EPOCHS * records // batch), clock=clock)
