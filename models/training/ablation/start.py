"""Where every cell begins: a tower that sees, a projector that was aligned, a language half that was taught nothing.

It stands for LLaVA's pretrained stage, from which SoM-LLaVA was trained. The tower is that of a finished tiny model and has
seen tags; the language half starts structured (`init_language`), without a word of any task.
"""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlavaForConditionalGeneration

from models.errors import BadInput, WeightsMissing
from models.tiny.export import save
from models.training import forward
from models.training.ablation.views import Views, labelled, open_views
from models.training.stages import Tiny

START_SEED: Final = 0
ALIGN_PICTURES: Final = 1_000
ALIGN_STEPS: Final = 1_500
ALIGN_BATCH: Final = 16
ALIGN_RATE: Final = 2e-3
BACKGROUND_WEIGHT: Final = 0.15


def open_tower(base: Path) -> LlavaForConditionalGeneration:
    """The tiny model whose tower all cells look through, ready to see."""
    if not (base / "config.json").exists():
        raise WeightsMissing(f"there is no checkpoint in {base}")
    model = LlavaForConditionalGeneration.from_pretrained(base, dtype=torch.bfloat16).eval()
    forward.use_fast_attention(model)
    return model.to("cuda" if torch.cuda.is_available() else "cpu")


def sum_of_tower(model: LlavaForConditionalGeneration) -> str:
    """A short sum of the tower's weights: views of another tower must not be taken for its own."""
    whole = hashlib.sha256()
    for _, weight in sorted(model.model.vision_tower.state_dict().items()):
        whole.update(weight.float().cpu().numpy().tobytes())
    return whole.hexdigest()[:12]


def write_start(
    folder: Path, tower: LlavaForConditionalGeneration, views: Views, first_seed: int, layers: int
) -> float:
    """Write the checkpoint that all cells of a size start from; returns the projector's relative squared error.

    `views` begin with the scenes from `first_seed` on. Raises BadInput where the tower is of another size than the code's.
    """
    tiny = Tiny(START_SEED, torch.float32)
    torch.manual_seed(START_SEED)
    config = tiny.llava.config
    config.text_config.num_hidden_layers = layers
    config.text_config.layer_types = None
    model = LlavaForConditionalGeneration(config)
    model.load_state_dict(tiny.llava.state_dict(), strict=False)
    try:
        model.model.vision_tower.load_state_dict(tower.model.vision_tower.state_dict())
    except RuntimeError as error:
        raise BadInput("the base's tower has another shape than the tiny model of this version") from error
    left = _align(model, tiny, views, first_seed)
    save(model, tiny.tokenizer, folder)
    return left


def _align(model: LlavaForConditionalGeneration, tiny: Tiny, views: Views, first_seed: int) -> float:
    """Fit the projector to say of a patch what the language half's words for it are."""
    count = min(ALIGN_PICTURES, len(views))
    truths = [labelled(first_seed + i) for i in range(count)]
    labels = torch.from_numpy(
        np.stack([[plain, tagged] for plain, tagged in truths])
    ).long()  # (N, 2, patches, columns)
    projector = model.model.multi_modal_projector
    optimizer = torch.optim.AdamW(projector.parameters(), lr=ALIGN_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, ALIGN_RATE, total_steps=ALIGN_STEPS)
    generator = torch.Generator().manual_seed(START_SEED)
    recent: list[float] = []
    for _ in range(ALIGN_STEPS):
        chosen = torch.randint(count, (ALIGN_BATCH,), generator=generator).tolist()
        tags = torch.randint(2, (ALIGN_BATCH,), generator=generator).tolist()
        features = views.whole([(i, bool(t)) for i, t in zip(chosen, tags, strict=True)])
        loss = _gap(projector(features), tiny.words(labels[chosen, tags]).detach(), labels[chosen, tags])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        recent = [*recent[-49:], float(loss.detach())]
    return sum(recent) / len(recent)


def _gap(got: Tensor, wanted: Tensor, labels: Tensor) -> Tensor:
    weight = torch.where(labels[..., 2] > 0, 1.0, BACKGROUND_WEIGHT)
    error = functional.mse_loss(got, wanted, reduction="none").mean(-1)
    return (error * weight).sum() / weight.sum() / wanted.var()


__all__ = ["open_tower", "open_views", "sum_of_tower", "write_start"]
