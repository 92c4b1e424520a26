"""Conversations as model inputs: token ids, labels on the answers only, the picture padded to a square.

Called by the instruction stage and the retention check. Nothing is left out silently: a broken picture is counted and
skipped up to a limit, an answer that `max_tokens` cuts away entirely is named by its record's id, a text that is cut into
other tokens than serving would cut it stops the run. Knows no optimiser and no order of samples.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from models.errors import BadInput, ModelError
from models.training.conversations import PLACEHOLDER, Conversation, chat_and_answers
from models.training.packed import IGNORED, answer_tokens
from models.training.packing import TokenisationMismatch
from models.vlm.squares import normalised, to_square

log = logging.getLogger(__name__)
# Longer than any answer's cut needs to be looked at twice; the report names the first ids and counts the rest.
NAMED_IDS: Final = 20


class TooManyBroken(ModelError):
    """More pictures than allowed cannot be decoded."""


def _unsaid(message: str, **details: object) -> None:
    log.warning("%s %s", message, details)


class Encoder:
    """Conversations -> model inputs, with one processor."""

    def __init__(
        self,
        processor: Any,
        images: Path,
        *,
        max_tokens: int,
        broken_allowed: int,
        system: str = "",
        say: Callable[..., None] = _unsaid,
    ) -> None:
        """`broken_allowed` pictures may fail before TooManyBroken is raised; `say(message, id=..., ...)` tells of each."""
        self.processor, self.images, self.system, self.say = processor, images, system, say
        self.max_tokens, self.broken_allowed = max_tokens, broken_allowed
        self.broken: set[str] = set()
        self.cut_away: set[str] = set()
        self.image_id: int = processor.image_token_id
        self.input_px = _input_px(processor.image_processor)
        self.image_tokens = _image_tokens(processor, self.input_px)

    def encode(self, conversation: Conversation) -> dict[str, Tensor] | None:
        """`input_ids`, `labels` (L,) and, with a picture, `pixel_values` (3, S, S); None if the record must be left out.

        Raises BadInput, TooManyBroken and TokenisationMismatch, each with the record's id.
        """
        text, spans = chat_and_answers(conversation.turns, self.processor.tokenizer.eos_token, self.system)
        if text.count(PLACEHOLDER) != (conversation.image is not None):
            raise BadInput(
                f"record {conversation.id} must name its picture once as {PLACEHOLDER}, and only if it has one"
            )
        ids, labels = self._tokens(text, spans, conversation.id)
        encoded = {"input_ids": ids[: self.max_tokens], "labels": labels[: self.max_tokens]}
        if not answer_tokens(encoded):
            if conversation.id not in self.cut_away:
                self.cut_away.add(conversation.id)
                self.say("record left out: no answer within max_tokens", id=conversation.id, tokens=len(ids))
            return None
        if conversation.image is not None:
            pixels = self._open(conversation)
            if pixels is None:
                return None
            encoded["pixel_values"] = pixels
        return encoded

    def length_of(self, conversation: Conversation) -> int:
        """About how many tokens a record has, without encoding it."""
        characters = sum(len(question) + len(answer) for question, answer in conversation.turns)
        return characters // 4 + (0 if conversation.image is None else self.image_tokens)

    def _tokens(self, text: str, spans: Sequence[tuple[int, int]], name: str) -> tuple[Tensor, Tensor]:
        """Ids with the placeholder repeated, and labels: ids where an answer is, IGNORED elsewhere."""
        tokenizer = self.processor.tokenizer
        cut = tokenizer(text, return_offsets_mapping=True)
        ids: list[int] = []
        labels: list[int] = []
        for token, (start, end) in zip(cut["input_ids"], cut["offset_mapping"], strict=True):
            if token == self.image_id:
                ids += [token] * self.image_tokens
                labels += [IGNORED] * self.image_tokens
                continue
            if any(start < border < end for span in spans for border in span):
                raise TokenisationMismatch(f"record {name}: a token reaches from a question into its answer")
            inside = end > start and any(first <= start and end <= last for first, last in spans)
            ids.append(token)
            labels.append(token if inside else IGNORED)
        whole = tokenizer(text.replace(PLACEHOLDER, PLACEHOLDER * self.image_tokens))["input_ids"]
        if ids != whole:
            raise TokenisationMismatch(
                f"record {name}: repeating the picture's placeholder cuts the text into other tokens"
            )
        ends = sum(label == tokenizer.eos_token_id for label in labels)
        if ends != len(spans):
            raise TokenisationMismatch(f"record {name}: {ends} end tokens for {len(spans)} answers")
        return torch.tensor(ids), torch.tensor(labels)

    def _open(self, conversation: Conversation) -> Tensor | None:
        name = conversation.image or ""
        path = (self.images / name).resolve()
        if not path.is_relative_to(self.images.resolve()):
            raise BadInput(f"record {conversation.id}: the picture {name!r} lies outside the images folder")
        settings = self.processor.image_processor
        try:
            with Image.open(path) as picture:
                pixels = np.asarray(picture.convert("RGB"))
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
            if name not in self.broken:
                self.broken.add(name)
                self.say("record left out: its picture cannot be decoded", id=conversation.id, picture=name)
            if len(self.broken) > self.broken_allowed:
                raise TooManyBroken(
                    f"{len(self.broken)} pictures cannot be decoded; {self.broken_allowed} are allowed; "
                    f"the first are {', '.join(sorted(self.broken)[:NAMED_IDS])}"
                ) from None
            return None
        square = to_square(pixels, self.input_px, settings.image_mean)
        return torch.from_numpy(normalised(square, settings.image_mean, settings.image_std))


def _input_px(settings: Any) -> int:
    """The square that the vision tower sees; processors name it as a crop, an edge or a height."""
    for size in (settings.crop_size, settings.size):
        for key in ("height", "shortest_edge"):
            if size and size.get(key):
                return int(size[key])
    raise BadInput("the checkpoint's picture processor names no input size")


def _image_tokens(processor: Any, input_px: int) -> int:
    """How many tokens a picture becomes; the class token counts where the tower keeps it."""
    dropped = processor.vision_feature_select_strategy == "default"
    return int((input_px // processor.patch_size) ** 2 + processor.num_additional_image_tokens - dropped)
