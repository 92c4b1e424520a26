"""Asks a trained cell about held-out pictures: the listing, which mark is meant, POPE's questions and other short ones.

What is kept is the outcome of every picture, so that intervals can be drawn over pictures and seeds later. The listing is
generated; the rest is read off in one pass per picture: POPE as the likelier of `yes` and `no`, the mark as the likeliest of
those that exist, short answers as exact (greedy decoding says exactly the answer if every token of it is the likeliest).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

import torch
from torch import Tensor
from transformers import DynamicCache, LlavaForConditionalGeneration

from models.evaluation.listing import score_listing
from models.training import forward
from models.training.ablation import talk
from models.training.ablation.cells import Taught, packed_about, project
from models.training.ablation.talk import Facts
from models.training.ablation.views import Views
from models.training.packing import Packed, Packer
from models.training.segments import Segment, segment
from models.vlm import prompts

BATCH: Final = 12
LISTING_TOKENS: Final = 64


@dataclass(slots=True, kw_only=True)
class Outcomes:
    """Per picture, in order: right and asked; `short` and `pope` by condition.

    A text of `pope` has two letters a picture: what was said where it is and where it is not, y or n; `--` without question.
    """

    listing: list[tuple[int, int]] = field(default_factory=list)
    refer: list[tuple[int, int]] = field(default_factory=list)
    short: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    pope: dict[str, dict[str, str]] = field(default_factory=dict)


def measure(taught: Taught, views: Views) -> Outcomes:
    """All measures on all pictures; `short` and `pope` by condition, `plain` or `tags`."""
    outcomes = Outcomes()
    forward.set_attention(taught.model, "sdpa")
    outcomes.listing = _list(taught, views)
    forward.set_attention(taught.model, forward.ATTENTION)
    for condition in ("plain", "tags"):
        outcomes.short[condition] = []
        outcomes.pope[condition] = dict.fromkeys(talk.SPLITS, "")
        for start in range(0, len(views), BATCH):
            numbers = range(start, min(start + BATCH, len(views)))
            _ask(taught, views, numbers, condition == "tags", outcomes)
    return outcomes


def pope_questions(facts: Facts, number: int) -> list[tuple[str, Segment | None, Segment | None]]:
    """Per split, a question about something that is there and one about something that is not; None where nothing fits."""
    rng = Random(f"pope-{number}")
    found: list[tuple[str, Segment | None, Segment | None]] = []
    for split, pairs in talk.absent_names(facts).items():
        present = talk.exists_question(split, rng.choice(facts.pairs), talk.YES)
        absent = talk.exists_question(split, rng.choice(pairs), talk.NO) if pairs else None
        found.append((split, present if absent else None, absent))
    return found


def _ask(taught: Taught, views: Views, numbers: Sequence[int], tags: bool, outcomes: Outcomes) -> None:
    model, packer = taught.model, taught.packer
    told, layouts = [], []
    for number in numbers:
        facts = views.facts[number]
        pope = pope_questions(facts, number)
        short = talk.short_questions(facts)
        refer = _refer_questions(facts) if tags else []
        asked = [one for _, *pair in pope for one in pair if one is not None]
        told.append([replace(one, hint=None) for one in (*asked, *short, *refer)])
        layouts.append((pope, len(short), refer))
    features, kept = views.take([(number, tags) for number in numbers], Random(f"patches-{numbers[0]}"))
    packed = packed_about(packer, told, kept)
    with torch.inference_mode():
        logits = forward.answer_logits(model, packed.to(model.device), project(model, features)).cpu()
    answers = _by_segment(logits, packed)
    condition = "tags" if tags else "plain"
    yes, no = (
        packer.segment(talk.exists_question("kind", ("red", "star"), word))[0][-3:][0] for word in (talk.YES, talk.NO)
    )
    at = 0
    for number, (pope, short_count, refer) in zip(numbers, layouts, strict=True):
        for split, *pair in pope:
            said = ""
            for one in pair:
                if one is None:
                    said += "-"
                    continue
                first = answers[at][0][0]
                said += "y" if first[yes] > first[no] else "n"
                at += 1
            outcomes.pope[condition][split] += said
        right = sum(_exact(*answers[at + k]) for k in range(short_count))
        outcomes.short[condition].append((right, short_count))
        at += short_count
        if refer:
            hits = [_chosen(packer, *answers[at + k], len(views.facts[number].names)) for k in range(len(refer))]
            outcomes.refer.append((sum(hits), len(refer)))
            at += len(refer)


def _refer_questions(facts: Facts) -> list[Segment]:
    return [
        segment("which", prompts.WHICH_TEMPLATES[0].format(phrase=f"the {name}"), prompts.choice_answer(mark, "tiny"))
        for mark, name in zip(facts.scene.ids, facts.names, strict=True)
    ]


def _by_segment(logits: Tensor, packed: Packed) -> list[tuple[Tensor, Tensor]]:
    """(tokens, vocabulary) logits and (tokens,) targets of every segment."""
    counts = torch.bincount(packed.segment_of, minlength=len(packed.tasks)).tolist()
    return list(zip(logits.split(counts), packed.targets.split(counts), strict=True))


def _exact(logits: Tensor, targets: Tensor) -> bool:
    return bool((logits.argmax(-1) == targets).all())


def _chosen(packer: Packer, logits: Tensor, targets: Tensor, marks: int) -> bool:
    """Whether the right mark is the likeliest of 1..marks; the words before its digit are given."""
    digits = [packer.tokenizer.encode(str(number), add_special_tokens=False)[-1] for number in range(1, marks + 1)]
    at = next(i for i, token in enumerate(targets.tolist()) if token in digits)
    likeliest: int = digits[int(logits[at][digits].argmax())]
    return likeliest == int(targets[at])


def _list(taught: Taught, views: Views) -> list[tuple[int, int]]:
    """Right items and items of the listing that the model writes of each picture."""
    model, packer = taught.model, taught.packer
    asked = Segment(task="list", query=prompts.LIST_TEMPLATES[0], answer="")
    found = []
    for start in range(0, len(views), BATCH):
        numbers = range(start, min(start + BATCH, len(views)))
        features, kept = views.take([(number, True) for number in numbers], Random(f"patches-{start}"))
        packed = packed_about(packer, [[asked]] * len(numbers), kept).to(model.device)
        with torch.inference_mode():
            tokens = _written(
                model, packed, project(model, features), len(packer.segment(asked)[0]) - packer.segment(asked)[1]
            )
        texts = packer.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        for number, text in zip(numbers, texts, strict=True):
            scene = views.facts[number].scene
            score = score_listing(text.strip(), dict(zip(scene.ids, scene.names, strict=True)))
            found.append((score.right, score.items))
    return found


def _written(model: LlavaForConditionalGeneration, packed: Packed, picture: Tensor, spare: int) -> Tensor:
    """(B, tokens) greedy answers to one prompt about several pictures; the last `spare` tokens of a row are no prompt."""
    language, at = model.model.language_model, packed.picture_at
    used = int((packed.ids[0] != 0).sum()) - spare
    ids, positions = packed.ids[:, :used], packed.positions[:, :used]
    inputs: Any = language.embed_tokens(ids)
    inputs = torch.cat([inputs[:, :at], picture.to(inputs.dtype), inputs[:, at + picture.shape[1] :]], dim=1)
    cache, said = DynamicCache(), []
    open_rows = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(LISTING_TOKENS):
        # An explicit mask: without one the library takes the gaps between the kept patches for borders of packed texts.
        seen = torch.ones(len(ids), cache.get_seq_length() + inputs.shape[1], dtype=torch.int64, device=ids.device)
        hidden = language(
            inputs_embeds=inputs, position_ids=positions, attention_mask=seen, past_key_values=cache, use_cache=True
        ).last_hidden_state
        tokens = model.lm_head(hidden[:, -1]).argmax(-1)
        said.append(tokens)
        open_rows &= tokens != model.config.text_config.eos_token_id
        if not open_rows.any():
            break
        inputs, positions = language.embed_tokens(tokens[:, None]), positions[:, -1:] + 1
    return _until_end(torch.stack(said, dim=1), int(model.config.text_config.eos_token_id))


def _until_end(tokens: Tensor, end: int) -> Tensor:
    """Everything after a row's end token becomes end tokens, which decoding skips."""
    ended = (tokens == end).cumsum(1) > 0
    return tokens.masked_fill(ended, end)
