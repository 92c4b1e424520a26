"""What a model forgets of plain text while it learns pictures: perplexity of held-out answers before and after.

Called by the instruction run. Without a file of its own it reads a few questions and answers that this project wrote and
trains on nowhere; on the small model, which never learnt such words, only the ratio says something.
"""

import json
import math
from pathlib import Path
from typing import Final

import torch
from torch import nn

from models.errors import BadInput
from models.training.conversations import Conversation, read_conversations
from models.training.encoder import Encoder
from models.training.packed import answer_losses, pack, plan_rows

BUILT_IN: Final = Path(__file__).parent / "retention.json"


def held_out_texts(path: Path | None) -> list[Conversation]:
    """The records of a text-only LLaVA JSON file, or the built-in ones; raises BadInput on records with pictures."""
    if path is not None:
        records = read_conversations(path)
        if any(record.image is not None for record in records):
            raise BadInput("the retention file must be text only; it has records with pictures")
        return records
    pairs: list[list[str]] = json.loads(BUILT_IN.read_text(encoding="utf-8"))
    return [
        Conversation(id=f"retention-{number}", image=None, turns=((question, answer),))
        for number, (question, answer) in enumerate(pairs)
    ]


def perplexity(model: nn.Module, encoder: Encoder, records: list[Conversation], *, row_tokens: int) -> float:
    """Perplexity per answer token over `records`; the model is left in the mode it was in."""
    samples = [encoded for record in records if (encoded := encoder.encode(record)) is not None]
    if not samples:
        raise BadInput("no record of the retention set has an answer within max_tokens")
    training, total, count = model.training, 0.0, 0
    model.eval()
    with torch.no_grad():  # not inference mode: sharded weights that are put together here are trained later
        for members in plan_rows([len(s["input_ids"]) for s in samples], max_tokens=row_tokens, max_samples=64):
            row = pack([samples[i] for i in members])
            total += float(answer_losses(model, row).double().sum())
            count += row.answers
    model.train(training)
    return math.exp(min(total / count, 700.0))
