"""Numbers against plain transformers: one step, accumulation, resuming, and what LoRA leaves behind."""

import io
import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoProcessor, LlavaForConditionalGeneration

from models.training import finetune as instruction
from models.training.conversations import read_conversations
from models.training.encoder import Encoder
from models.training.events import Reporter
from models.training.finetune import FinetuneStage, finetune, save, template_of, with_lora
from models.training.loop import LoopSettings, StopFlag, run_stage
from models.training.optimizer import MasterAdamW
from models.training.packed import use_packed_attention
from models.training.recipes import recipe_of
from models.training.schedule import Budget
from models.training.spec import Spec
from tests.llava_stand import padded, stand_checkpoint, stand_dataset, stand_model, stand_processor

RECIPE = replace(
    recipe_of("llava-1.5-full"), global_batch=10, per_device_batch=10, precision="fp32", schedule="hold",
    learning_rate=1e-3, projector_rate=1e-3,
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return stand_dataset(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return stand_checkpoint(tmp_path_factory.mktemp("base"))


@pytest.fixture
def encoder(data):
    return Encoder(stand_processor(), data, max_tokens=2048, broken_allowed=0)


def our_step(encoder, data, out, recipe=RECIPE, *, checkpointing=False, seen=None):
    """One step of our trainer from the stand's weights; `seen` collects gradients as they were before the optimiser."""
    model = stand_model()
    use_packed_attention(model)
    if checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if seen is not None:
        for name, parameter in model.named_parameters():
            parameter.register_post_accumulate_grad_hook(
                lambda p, name=name: seen.__setitem__(name, p.grad.detach().clone())
            )
    budget = Budget(steps=1)
    stage = FinetuneStage(read_conversations(data / "data.json"), encoder, recipe, budget, seed=0)
    said = io.StringIO()
    settings = LoopSettings(
        out=out, seed=0, warmup_steps=1, weight_decay=recipe.weight_decay, betas=recipe.betas,
        clip_norm=recipe.clip_norm,
    )  # fmt: skip
    assert run_stage(model, stage, budget, settings, Reporter(out=said), StopFlag())
    stage.close()
    events = [json.loads(line) for line in said.getvalue().splitlines()]
    return model, next(event["loss"] for event in events if event["event"] == "metric")


@pytest.fixture(scope="module")
def reference(data):
    """One step of plain transformers and torch on the padded batch: model, loss, gradients."""
    reader = Encoder(stand_processor(), data, max_tokens=2048, broken_allowed=0)
    rows = [reader.encode(record) for record in read_conversations(data / "data.json")]
    model = stand_model()
    model.model.vision_tower.requires_grad_(requires_grad=False)
    live = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(live, lr=1e-3, betas=(0.9, 0.999), weight_decay=0.0)
    loss = model(**padded(rows, 0)).loss
    loss.backward()
    grads = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
    torch.nn.utils.clip_grad_norm_(live, 1.0)
    optimizer.step()
    return model, float(loss.detach()), grads


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_step_is_the_step_of_plain_transformers(encoder, data, tmp_path, reference, checkpointing):
    grads = {}
    ours, loss = our_step(encoder, data, tmp_path, checkpointing=checkpointing, seen=grads)
    theirs, wanted_loss, wanted = reference
    assert loss == pytest.approx(wanted_loss, abs=1e-5)
    assert grads.keys() == wanted.keys()
    for name, grad in grads.items():
        torch.testing.assert_close(grad, wanted[name], atol=1e-5, rtol=0, msg=name)
    # AdamW's first step divides by the gradient's own size: where that is rounding noise, so is the step's direction.
    for (name, parameter), before in zip(ours.named_parameters(), stand_model().parameters(), strict=True):
        moved = dict(theirs.named_parameters())[name]
        clear = wanted[name].abs() > 1e-4 if name in wanted else torch.ones_like(before, dtype=torch.bool)
        torch.testing.assert_close(parameter[clear], moved[clear], atol=1e-5, rtol=0, msg=name)


@pytest.mark.parametrize("changes", [{"per_device_batch": 1}, {"per_device_batch": 5}, {"row_tokens": 40}])
def test_accumulated_batches_are_the_big_batch(encoder, data, tmp_path, changes):
    whole, parts = {}, {}
    _, big = our_step(encoder, data, tmp_path / "big", seen=whole)
    _, small = our_step(encoder, data, tmp_path / "small", replace(RECIPE, **changes), seen=parts)
    assert small == pytest.approx(big, abs=1e-5)
    for name, grad in parts.items():
        torch.testing.assert_close(grad, whole[name], atol=1e-5, rtol=0, msg=name)


def run(base, data, out, stop=None, **given):
    spec = Spec(
        base=str(base), dataset=str(data / "data.json"), images=str(data), batch_size=4, seed=3,
        **({"recipe": "llava-1.5-full", "precision": "fp32", "learning_rate": 1e-3} | given),
    )  # fmt: skip
    said = io.StringIO()
    return finetune(spec, out, Reporter(out=said), stop or StopFlag()), said.getvalue()


@pytest.mark.parametrize("recipe", ["llava-1.5-full", "llava-1.5-lora"])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(base, data, tmp_path, monkeypatch, recipe):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert run(base, data, whole, recipe=recipe, steps=7)[0]
    stop = StopFlag()

    class Interrupted(FinetuneStage):
        def losses(self, model, rng, *, measure):
            stop.asked = self.budget.step == 2
            yield from super().losses(model, rng, measure=measure)

    monkeypatch.setattr(instruction, "FinetuneStage", Interrupted)
    assert not run(base, data, halves, stop, recipe=recipe, steps=7)[0]
    monkeypatch.undo()
    finished, said = run(base, data, halves, recipe=recipe, steps=7)
    assert finished
    assert '"message": "resumed", "stage": "finetune", "step": 3' in said
    first, second = (load_file(folder / "model" / "model.safetensors") for folder in (whole, halves))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_lora_keeps_the_projector_reloads_and_merges_with_equal_logits(base, data, encoder, tmp_path):
    recipe = replace(recipe_of("llava-1.5-lora"), precision="fp32", lora_rank=4, lora_alpha=8)
    model = LlavaForConditionalGeneration.from_pretrained(base, dtype=torch.float32)
    trained = with_lora(model, recipe)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in trained.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    trained.eval()
    rows = [encoder.encode(record) for record in read_conversations(data / "data.json")[:4]]
    batch = {name: value for name, value in padded(rows, 0).items() if name != "labels"}
    with torch.no_grad():
        wanted = trained(**batch).logits
        save(model, trained, recipe, AutoProcessor.from_pretrained(base), tmp_path)
        kept = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
        assert any("multi_modal_projector" in name for name in kept)
        assert any("lora_A" in name for name in kept)
        fresh = LlavaForConditionalGeneration.from_pretrained(base, dtype=torch.float32)
        untouched = fresh.eval()(**batch).logits
        reloaded = PeftModel.from_pretrained(fresh, tmp_path / "adapter").eval()(**batch).logits
        merged = LlavaForConditionalGeneration.from_pretrained(tmp_path / "model", dtype=torch.float32)
        torch.testing.assert_close(reloaded, wanted, atol=1e-5, rtol=0)
        torch.testing.assert_close(merged.eval()(**batch).logits, wanted, atol=1e-5, rtol=0)
    assert float((untouched - wanted).abs().max()) > 1e-2


def test_an_adapter_computes_in_the_models_own_type_and_learns_in_float32():
    recipe = recipe_of("llava-1.5-lora")
    trained = with_lora(stand_model().to(torch.bfloat16), recipe)
    stage = SimpleNamespace(recipe=recipe)
    live = MasterAdamW(trained.named_parameters(), partial(FinetuneStage.scale_of, stage), clip_norm=1.0)
    assert {parameter.dtype for parameter in trained.parameters()} == {torch.bfloat16}
    assert {master.dtype for master in live.masters.values()} == {torch.float32}
    assert any("lora_A" in name for name in live.masters)


def test_lora_trains_adapter_and_projector_and_nothing_else(base, data, tmp_path):
    assert run(base, data, tmp_path, recipe="llava-1.5-lora", steps=3, lora_rank=4)[0]
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path / "model"))
    changed = {name for name in after if name in before and not torch.equal(before[name], after[name])}
    assert any("multi_modal_projector" in name for name in changed)
    assert any("q_proj" in name for name in changed)
    assert all("multi_modal_projector" in name or "language_model" in name for name in changed)
    assert not any("embed_tokens" in name or "norm" in name for name in changed)


def test_text_alone_trains_and_leaves_the_projector_as_it_was(base, data, tmp_path):
    """LLaVA's own sampler crashed on data of one kind."""
    records = [record for record in json.loads((data / "data.json").read_text()) if "image" not in record]
    assert len(records) >= 3
    (tmp_path / "data.json").write_text(json.dumps(records))
    assert run(base, tmp_path, tmp_path / "out", steps=2)[0]
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path / "out" / "model"))
    changed = {name for name in after if name in before and not torch.equal(before[name], after[name])}
    assert any("language_model" in name for name in changed)
    assert not any("multi_modal_projector" in name or "vision_tower" in name for name in changed)


def test_retention_and_what_was_left_out_are_measured(base, data, tmp_path):
    finished, said = run(base, data, tmp_path, steps=3, learning_rate=3e-3)
    assert finished
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    retention = metrics["retention_perplexity"]
    assert retention["ratio"] == pytest.approx(retention["after"] / retention["before"])
    assert retention["before"] > 10
    assert retention["after"] != retention["before"]
    assert metrics["left_out"] == {"broken_pictures": 0, "cut_away": 0, "cut_away_ids": []}
    assert "perplexity of held-out texts" in said


def test_records_whose_answers_are_cut_away_are_told_and_replaced(base, data, tmp_path):
    records = json.loads((data / "data.json").read_text())
    long = {"from": "human", "value": "What " * 200}
    records.append({"id": "endless", "conversations": [long, {"from": "gpt", "value": "red."}]})
    (tmp_path / "data.json").write_text(json.dumps(records))
    for picture in data.glob("*.png"):
        (tmp_path / picture.name).write_bytes(picture.read_bytes())
    _, said = run(base, tmp_path, tmp_path / "out", steps=3, max_tokens=100)
    told = [json.loads(line) for line in said.splitlines() if "no answer within max_tokens" in line]
    assert [event["id"] for event in told] == ["endless"]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["left_out"]["cut_away_ids"] == ["endless"]


def test_other_checkpoints_get_the_system_sentence_and_our_own_does_not(base):
    recipe = recipe_of("llava-1.5-full")
    processor = AutoProcessor.from_pretrained(base)
    assert template_of(processor, recipe) == "vicuna_v1"
    processor.chat_template = instruction.CHAT_TEMPLATE
    assert template_of(processor, recipe) == "tiny"
