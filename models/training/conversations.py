"""LLaVA conversations from a JSON file, turned into token ids with labels on the answers only.

The finetune recipe reads them for any LLaVA checkpoint. A picture that cannot be decoded is counted and skipped, up
to a limit; a text that is cut into other tokens than serving would cut it stops the run. Knows no optimiser.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from models.errors import BadInput, ModelError
from models.training.packing import TokenisationMismatch

IGNORED: Final = -100
PLACEHOLDER: Final = "<image>"

log = logging.getLogger(__name__)


class TooManyBroken(ModelError):
    """More pictures than allowed cannot be decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One record: a picture's path under the images folder, or None, and turns of question and answer."""

    id: str
    image: str | None
    turns: tuple[tuple[str, str], ...]


def read_conversations(path: Path) -> list[Conversation]:
    """The records of a LLaVA JSON file; raises BadInput with the number of the first record that is not one."""
    try:
        records = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is not a readable JSON file") from error
    if not isinstance(records, list) or not records:
        raise BadInput("a dataset must be a JSON list with at least one record")
    return [_conversation(number, record) for number, record in enumerate(records)]


def _conversation(number: int, record: Any) -> Conversation:
    refusal = BadInput(f"record {number} is not a LLaVA conversation of human and gpt turns")
    try:
        who = [turn["from"] for turn in record["conversations"]]
        values = [str(turn["value"]) for turn in record["conversations"]]
        name, image = str(record.get("id", number)), record.get("image")
    except (KeyError, TypeError, AttributeError) as error:
        raise refusal from error
    if not who or who != ["human", "gpt"] * (len(who) // 2):
        raise refusal
    return Conversation(id=name, image=image, turns=tuple(zip(values[::2], values[1::2], strict=True)))


def chat_and_answers(turns: Sequence[tuple[str, str]], end: str) -> tuple[str, list[tuple[int, int]]]:
    """`USER: q ASSISTANT: a</s>` for all turns, and the character span of each answer, end token included."""
    text, spans = "", []
    for question, answer in turns:
        text += f"USER: {question.strip()} ASSISTANT:"
        start = len(text)
        text += f" {answer.strip()}{end}"
        spans.append((start, len(text)))
    return text, spans


class Encoder:
    """Conversations -> model inputs, with one processor."""

    def __init__(self, processor: Any, images: Path, *, max_tokens: int, broken_allowed: int) -> None:
        """`broken_allowed` pictures may fail before TooManyBroken is raised."""
        self.processor, self.images, self.max_tokens, self.broken_allowed = (
            processor,
            images,
            max_tokens,
            broken_allowed,
        )
        self.broken: set[str] = set()
        self.image_id: int = processor.image_token_id

    def encode(self, conversation: Conversation) -> dict[str, Tensor] | None:
        """`input_ids`, `labels` (L,) and, with a picture, `pixel_values` (3, H, W); None if the picture is broken."""
        picture = None
        if conversation.image is not None:
            picture = self._open(conversation.image)
            if picture is None:
                return None
        text, spans = chat_and_answers(conversation.turns, self.processor.tokenizer.eos_token)
        if (picture is not None) != (text.count(PLACEHOLDER) == 1):
            raise BadInput(f"record {conversation.id} must name its picture once as {PLACEHOLDER}")
        inputs = self.processor(text=text, images=picture, return_tensors="pt")
        ids = inputs["input_ids"][0]
        labels = self._labels(text, spans, ids, conversation.id)
        encoded = {"input_ids": ids[: self.max_tokens], "labels": labels[: self.max_tokens]}
        if picture is not None:
            encoded["pixel_values"] = inputs["pixel_values"][0]
        return encoded

    def _labels(self, text: str, spans: Sequence[tuple[int, int]], ids: Tensor, name: str) -> Tensor:
        """Ids where an answer is, IGNORED elsewhere; placeholders are spread to as many as the processor put."""
        cut = self.processor.tokenizer(text, return_offsets_mapping=True)
        repeats = int((ids == self.image_id).sum())
        expanded: list[int] = []
        labels: list[int] = []
        for token, (start, end) in zip(cut["input_ids"], cut["offset_mapping"], strict=True):
            if token == self.image_id:
                expanded += [token] * repeats
                labels += [IGNORED] * repeats
                continue
            if any(start < border < end for span in spans for border in span):
                raise TokenisationMismatch(f"record {name}: a token reaches from a question into its answer")
            inside = end > start and any(first <= start and end <= last for first, last in spans)
            expanded.append(token)
            labels.append(token if inside else IGNORED)
        if expanded != ids.tolist():
            raise TokenisationMismatch(
                f"record {name}: the processor cuts the text into other tokens than its tokenizer"
            )
        return torch.tensor(labels)

    def _open(self, name: str) -> Image.Image | None:
        path = (self.images / name).resolve()
        if not path.is_relative_to(self.images.resolve()):
            raise BadInput(f"the picture {name!r} lies outside the images folder")
        try:
            with Image.open(path) as picture:
                return picture.convert("RGB")
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
            self.broken.add(name)
            log.warning("broken picture", extra={"picture": name})
        if len(self.broken) > self.broken_allowed:
            raise TooManyBroken(f"{len(self.broken)} pictures cannot be decoded; {self.broken_allowed} are allowed")
        return None


def collate(rows: Sequence[dict[str, Tensor]], pad_id: int) -> dict[str, Tensor]:
    """Pad rows on the right to one batch with an attention mask; raises BadInput when no answer token is left."""
    length = max(len(row["input_ids"]) for row in rows)
    ids = torch.full((len(rows), length), pad_id)
    labels = torch.full((len(rows), length), IGNORED)
    mask = torch.zeros((len(rows), length), dtype=torch.int64)
    for r, row in enumerate(rows):
        size = len(row["input_ids"])
        ids[r, :size], labels[r, :size], mask[r, :size] = row["input_ids"], row["labels"], 1
    if bool((labels[:, 1:] == IGNORED).all()):
        raise BadInput("no answer is left within max_tokens")
    batch = {"input_ids": ids, "labels": labels, "attention_mask": mask}
    pictures = [row["pixel_values"] for row in rows if "pixel_values" in row]
    return batch | ({"pixel_values": torch.stack(pictures)} if pictures else {})
