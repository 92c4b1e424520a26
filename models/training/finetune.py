"""Instruction tuning by a named recipe: any LLaVA checkpoint on a LLaVA JSON dataset, all weights or LoRA.

The loss is the mean over the answer tokens of the whole batch, however it is packed, accumulated and shared out. The result
is a checkpoint folder `out/model` that transformers and vLLM load, with LoRA also the adapter alone in `out/adapter`, and
`out/metrics.json`. Runs on the GPU if there is one, else on the CPU.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

import torch
import torch.distributed as dist
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoProcessor, LlavaForConditionalGeneration

from models.errors import BadInput, WeightsMissing
from models.tiny.export import CHAT_TEMPLATE, write_checkpoint
from models.training.conversations import Conversation, read_conversations
from models.training.encoder import NAMED_IDS, Encoder
from models.training.events import Reporter
from models.training.loop import LoopSettings, StopFlag, run_stage
from models.training.order import curriculum_batch, share_of
from models.training.packed import Encoded, answer_losses, answer_tokens, pack, plan_rows, use_packed_attention
from models.training.recipes import SYSTEM_OF, Recipe, Template
from models.training.retention import held_out_texts, perplexity
from models.training.schedule import Budget
from models.training.sharding import gathered, most, shard
from models.training.spec import Spec, resolved
from models.training.stages import Outcome

LORA_TARGETS: Final = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
PROJECTOR: Final = "multi_modal_projector"
WARMUP_STEPS: Final = 10  # of the schedule `hold`


class FinetuneStage:
    """Answer loss on the batches of a shuffled dataset; the next batch is read while this one trains."""

    name = "finetune"
    hold_until = 0.3

    def __init__(
        self,
        records: list[Conversation],
        encoder: Encoder,
        recipe: Recipe,
        budget: Budget,
        *,
        seed: int,
        sharded: bool = False,
        stages: Sequence[int] = (),
    ) -> None:
        """Keep the data; `budget` says which step it is, also after a resume. `stages` cut the records into a curriculum."""
        self.sharded, self.stages = sharded, tuple(stages) or (len(records),)
        self.records, self.encoder, self.recipe, self.budget, self.seed = records, encoder, recipe, budget, seed
        self.rank, self.world = place()
        self.lengths = [encoder.length_of(record) for record in records]
        self.peak_rate = recipe.learning_rate
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._read: dict[int, Future[list[Encoded]]] = {}

    def scale_of(self, name: str) -> float:
        """The vision tower is frozen; with LoRA the adapter trains, and the projector where the recipe says so."""
        if "vision_tower" in name or ".original_module." in name:
            return 0.0
        if PROJECTOR in name:
            return self.recipe.projector_rate / self.recipe.learning_rate if self.recipe.trains_projector else 0.0
        return 1.0 if not self.recipe.lora_rank or "lora_" in name else 0.0

    def losses(self, model: nn.Module, rng: Random, *, measure: bool) -> Iterator[Outcome]:
        """One optimiser step as packed rows; their losses sum to the mean over the answer tokens of the whole batch."""
        samples = self._batch(self.budget.step)
        total = torch.tensor(float(sum(answer_tokens(sample) for sample in samples)))
        if dist.is_initialized():
            dist.all_reduce(total)
        # Gradients are averaged over processes, so each weighs its sum by how many there are.
        share = self.world / float(total)
        lengths = [len(sample["input_ids"]) for sample in samples]
        plan = plan_rows(lengths, max_tokens=self.recipe.row_tokens, max_samples=self.recipe.per_device_batch)
        # Processes that hold pieces of each other's weights must compute equally often: what one lacks, it repeats for nothing.
        idle = most(len(plan)) - len(plan) if self.sharded else 0
        for number, members in enumerate([*plan, *plan[:1] * idle]):
            row = pack([samples[i] for i in members])
            values = {"broken": float(len(self.encoder.broken))} if measure else {}
            counted = share if number < len(plan) else 0.0
            yield Outcome(loss=answer_losses(model, row).sum() * counted, tokens=row.ids.numel(), values=values)

    def _batch(self, step: int) -> list[Encoded]:
        samples = self._read.pop(step, None) or self._reader.submit(self._encoded, step)
        self._read = {step + 1: self._reader.submit(self._encoded, step + 1)}
        return samples.result()

    def _encoded(self, step: int) -> list[Encoded]:
        """What this process trains on in `step`; records that must be left out are replaced by others, by chance."""
        chosen = curriculum_batch(step, self.stages, self.recipe.global_batch, self.seed, self.recipe.epochs)
        spare = Random(f"{self.seed}-spare-{step}-{self.rank}")
        samples: list[Encoded] = []
        for index in share_of(self.rank, self.world, chosen, self.lengths):
            encoded = self.encoder.encode(self.records[index])
            for _ in range(4 * len(self.records)):
                if encoded is not None:
                    break
                encoded = self.encoder.encode(spare.choice(self.records))
            if encoded is None:
                raise BadInput("no answer is left within max_tokens in any record")
            samples.append(encoded)
        return samples

    def close(self) -> None:
        """End the thread that reads ahead."""
        self._reader.shutdown(cancel_futures=True)


def finetune(spec: Spec, out: Path, reporter: Reporter, stop: StopFlag) -> bool:
    """Train and save; False if stopped before the end. Raises ModelError for what the caller must change."""
    rank, world = place()
    recipe = resolved(spec, world)
    base, records = _base(spec), _records(spec)
    held_out = held_out_texts(None if spec.retention is None else Path(spec.retention))
    torch.manual_seed(spec.seed)
    processor: Any = AutoProcessor.from_pretrained(base)
    sharded = spec.sharded and world > 1
    model = open_model(base, recipe, sharded=sharded)
    reading = partial(
        Encoder, processor, Path(spec.images or ""), system=SYSTEM_OF[template_of(processor, recipe)],
        max_tokens=min(recipe.max_tokens, int(model.config.text_config.max_position_embeddings)),
    )  # fmt: skip
    encoder = reading(broken_allowed=int(spec.max_broken_share * len(records)), say=reporter.log)
    measured = partial(perplexity, encoder=reading(broken_allowed=0), records=held_out, row_tokens=recipe.row_tokens)
    trained = with_lora(model, recipe)
    if sharded:
        shard(trained)
    before = measured(trained)
    reporter.log(
        "instruction tuning", recipe=recipe.name, records=len(records), batch=recipe.global_batch, processes=world,
        per_device=recipe.per_device_batch, accumulation=recipe.accumulation(world), retention_perplexity=before,
    )  # fmt: skip
    budget = _budget(spec, recipe, len(records))
    stage = FinetuneStage(records, encoder, recipe, budget, seed=spec.seed, sharded=sharded, stages=spec.curriculum)
    try:
        if not run_stage(trained, stage, budget, _settings(spec, recipe, out, rank), reporter, stop):
            return False
    finally:
        stage.close()
    after = measured(trained)
    if sharded:
        model, trained = _whole(base, recipe, model, trained)
    if rank == 0:
        save(model, trained, recipe, processor, out)
        _report(out, encoder, {"before": before, "after": after, "ratio": after / before}, reporter)
    return True


def _base(spec: Spec) -> Path:
    base = Path(spec.base or "")
    if not (base / "config.json").exists():
        raise WeightsMissing(f"base must be a checkpoint folder; there is no config.json in {base}")
    return base


def _records(spec: Spec) -> list[Conversation]:
    """The dataset's records; BadInput where a curriculum cuts another number of them."""
    records = read_conversations(Path(spec.dataset or ""))
    if spec.curriculum and sum(spec.curriculum) != len(records):
        raise BadInput(
            f"curriculum cuts {sum(spec.curriculum)} records into stages, but the dataset has {len(records)}"
        )
    return records


def _whole(
    base: Path, recipe: Recipe, model: LlavaForConditionalGeneration, trained: nn.Module
) -> tuple[LlavaForConditionalGeneration, nn.Module]:
    """Sharded weights put together on the first process; every process must call it, the others keep what they have."""
    weights = gathered(trained)
    if not weights:
        return model, trained
    model = open_model(base, recipe, sharded=True)  # the pieces of the others must not be asked for any more
    trained = with_lora(model, recipe)
    trained.load_state_dict(weights)
    return model, trained


def place() -> tuple[int, int]:
    """Return this process's number and how many there are."""
    return (int(dist.get_rank()), int(dist.get_world_size())) if dist.is_initialized() else (0, 1)


def template_of(processor: Any, recipe: Recipe) -> Template:
    """A model of our own is taught as it is served, without the system sentence; any other as the recipe says."""
    return "tiny" if processor.chat_template == CHAT_TEMPLATE else recipe.template


def open_model(base: Path, recipe: Recipe, *, sharded: bool = False) -> LlavaForConditionalGeneration:
    """The checkpoint in `base`, ready to train in the recipe's precision on this process's device, or on the CPU to be sharded."""
    dtype = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
    model = LlavaForConditionalGeneration.from_pretrained(base, dtype=dtype)
    model.to("cuda" if torch.cuda.is_available() and not sharded else "cpu").train()
    use_packed_attention(model)
    if recipe.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model


def with_lora(model: LlavaForConditionalGeneration, recipe: Recipe) -> nn.Module:
    """The model itself, or with an adapter round it that also keeps the projector where the recipe trains that.

    The adapter has the model's own type; its float32 masters are the optimiser's. peft would compute it in float32, for which an
    H200 has a fifteenth of its bfloat16 speed.
    """
    if not recipe.lora_rank:
        return model
    config = LoraConfig(
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        bias="none",
        target_modules=LORA_TARGETS,
        modules_to_save=[PROJECTOR] if recipe.trains_projector else None,
    )
    wrapped: nn.Module = get_peft_model(model, config, autocast_adapter_dtype=False)
    return wrapped


def save(model: LlavaForConditionalGeneration, trained: Any, recipe: Recipe, processor: Any, out: Path) -> None:
    """Write `out/model`, merged with LoRA, and then also `out/adapter`, which holds the projector if that was trained."""
    if recipe.lora_rank:
        trained.save_pretrained(out / "adapter")
        model = trained.merge_and_unload()
    write_checkpoint(model, processor, out / "model")


def _settings(spec: Spec, recipe: Recipe, out: Path, rank: int) -> LoopSettings:
    return LoopSettings(
        out=out, seed=spec.seed, checkpoint_every_s=spec.checkpoint_every_s, rank=rank, warmup_steps=WARMUP_STEPS,
        cosine_warmup=recipe.warmup_ratio if recipe.schedule == "cosine" else None,
        weight_decay=recipe.weight_decay, betas=recipe.betas, clip_norm=recipe.clip_norm,
    )  # fmt: skip


def _report(out: Path, encoder: Encoder, retention: dict[str, float], reporter: Reporter) -> None:
    left_out = {
        "broken_pictures": len(encoder.broken),
        "cut_away": len(encoder.cut_away),
        "cut_away_ids": sorted(encoder.cut_away)[:NAMED_IDS],
    }
    metrics = {"retention_perplexity": retention, "left_out": left_out}
    (out / "metrics.json").write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    reporter.log("saved", folder=str(out / "model"), **left_out)
    reporter.log(f"perplexity of held-out texts: {retention['before']:.3f} before, {retention['after']:.3f} after")


def _budget(spec: Spec, recipe: Recipe, records: int) -> Budget:
    clock = spec.clock or "wall"
    if spec.budget_s is not None:
        return Budget(seconds=spec.budget_s, clock=clock)
    return Budget(steps=spec.steps or recipe.steps(records), clock=clock)
