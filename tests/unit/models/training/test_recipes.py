"""The named recipes hold the published numbers, each by itself."""

import pytest
import torch
from transformers import get_cosine_schedule_with_warmup

from models.errors import BadInput
from models.training.recipes import RECIPES, VICUNA_SYSTEM, recipe_of
from models.training.schedule import Budget, cosine_rate
from models.training.spec import Spec, resolved

PUBLISHED = [name for name in RECIPES if name != "finetune"]
FULL = ("llava-1.5-full", "llava-1.5-task-full", "svit-full", "som-llava-13b", "som-llava-7b")
LORA = ("llava-1.5-lora", "llava-1.5-task-lora", "svit-lora")


def spec(recipe, **given):
    return Spec(recipe=recipe, base="b", dataset="d", images="i", **given)


def test_all_published_recipes_are_there():
    assert set(PUBLISHED) == {*FULL, *LORA}


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("epochs", 1), ("schedule", "cosine"), ("warmup_ratio", 0.03), ("weight_decay", 0.0), ("betas", (0.9, 0.999)),
        ("clip_norm", 1.0), ("precision", "bf16"), ("gradient_checkpointing", True), ("max_tokens", 2048),
        ("template", "vicuna_v1"), ("projector_rate", 2e-5), ("trains_projector", True), ("per_device_batch", 16),
    ],
)  # fmt: skip
def test_what_all_published_runs_share(name, constant, value):
    assert getattr(RECIPES[name], constant) == value


@pytest.mark.parametrize("name", FULL)
def test_full_runs(name):
    assert (RECIPES[name].learning_rate, RECIPES[name].lora_rank) == (2e-5, 0)


@pytest.mark.parametrize("name", LORA)
def test_lora_runs(name):
    recipe = RECIPES[name]
    assert (recipe.learning_rate, recipe.lora_rank, recipe.lora_alpha, recipe.lora_dropout) == (2e-4, 128, 256, 0.05)


@pytest.mark.parametrize("name", PUBLISHED)
def test_batches_are_the_published_ones_on_the_published_devices(name):
    recipe = RECIPES[name]
    assert recipe.global_batch == (64 if name == "som-llava-7b" else 128)
    assert recipe.published_world == (4 if name == "som-llava-7b" else 8)
    assert recipe.accumulation(recipe.published_world) == 1
    assert recipe.accumulation(1) == recipe.global_batch // 16


def test_the_published_number_of_steps_follows():
    # LLaVA-mix-665K is 5,198 steps at batch 128
    assert recipe_of("llava-1.5-full").steps(665_298) == 5198


def test_the_template_is_vicunas():
    assert VICUNA_SYSTEM == (
        "A chat between a curious user and an artificial intelligence assistant. "
        "The assistant gives helpful, detailed, and polite answers to the user's questions."
    )


def test_a_spec_replaces_only_what_it_names():
    recipe = resolved(spec("llava-1.5-lora", learning_rate=1e-4, precision="fp32", max_tokens=512), world=2)
    assert recipe.learning_rate == 1e-4
    assert recipe.projector_rate == pytest.approx(1e-5)
    assert (recipe.precision, recipe.max_tokens, recipe.lora_rank) == ("fp32", 512, 128)
    assert recipe.global_batch == recipe.per_device_batch * recipe.accumulation(2) * 2 == 128


def test_batches_that_cannot_be_shared_out_are_refused():
    with pytest.raises(BadInput, match="128 cannot be shared out among 3"):
        resolved(spec("svit-full"), world=3)
    assert resolved(spec("finetune", batch_size=12), world=2).per_device_batch == 6
    assert resolved(spec("svit-full"), world=32).per_device_batch == 4


def test_lora_is_refused_where_all_weights_train():
    with pytest.raises(BadInput, match="trains all weights"):
        resolved(spec("svit-full", lora_rank=16), world=1)
    small = resolved(spec("finetune", lora_rank=16), world=1)
    assert (small.lora_alpha, small.trains_projector, small.learning_rate) == (32, False, 1e-3)


def test_unknown_recipes_are_answered_with_the_known():
    with pytest.raises(BadInput, match=r"llava-1\.5-lora"):
        recipe_of("magic")


def test_the_cosine_is_the_librarys():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2e-5)
    theirs = get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=3, num_training_steps=100)
    ours = Budget(steps=100)
    for step in range(100):
        ours.step = step
        assert cosine_rate(ours, peak=2e-5) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        theirs.step()
