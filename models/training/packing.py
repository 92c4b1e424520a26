"""Turns prefixes and segments into one batch of token ids, positions and a block mask.

All questions about a picture share its prefix: a segment sees the prefix and itself, never another segment, and its
positions start where the prefix ends. So each segment is computed exactly as if it stood alone, at a fraction of the
cost (checked against the library's own forward pass in the tests). Called by the stages; knows no pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast as Tokenizer

from models.errors import ModelError
from models.tiny.config import IMAGE_TOKENS
from models.training.patches import signs
from models.training.segments import Segment
from models.vlm import prompts

# A new shape costs oneDNN a compilation: with lengths in steps of 32 the language model trains 1.4 times faster.
LENGTH_STEP: Final = 32
HINT_SHARE: Final = 0.6
# Questions about scenes come again and again; with their cuts kept, and without the library's wrapping, packing takes half as long.
KNOWN_TEXTS: Final = 100_000


class TokenisationMismatch(ModelError):
    """A text is cut into other tokens in training than in serving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What one row of a batch says: an optional picture, an optional table, and the questions.

    `patches` thins the picture out to these of its 196 tokens, at their own positions; None keeps all. Every row of a
    batch keeps the same number.
    """

    table: str
    segments: Sequence[Segment]
    picture: bool = True
    patches: Sequence[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A batch of B rows padded to L tokens.

    `targets[k]` is the token after position `answer_at[k]` of the flattened (B * L) batch and `weights[k]` its share
    of the loss; the weights of one segment sum to the segment's own weight over the batch's total.
    """

    ids: Tensor  # (B, L) int64
    positions: Tensor  # (B, L) int64
    blocks: Tensor  # (B, L) int64, 0 for the prefix, the number of the segment, -1 for padding
    dtype: torch.dtype  # of the mask
    picture_at: int  # where the picture's tokens start in every row; -1 without picture
    answer_at: Tensor  # (A,) int64
    targets: Tensor  # (A,) int64
    weights: Tensor  # (A,) float32, sums to 1
    segment_of: Tensor  # (A,) int64, which segment an answer token belongs to
    tasks: tuple[str, ...]  # (S,) task of each segment
    line_looks: Tensor  # (N, 3) int64: row of the batch, a token of a mark's table line, the first token of that line
    mark_looks: Tensor  # (M, 4) int64: row, the token that ends the sought phrase, first and one past the mark's line
    line_signs: Tensor  # (N, 3) int64: of the same tokens the last token of the line's id, and the id's two classes
    # (P, 8) int64: row, a token of the sought phrase, its line's first and end, the id's two classes, the number of the
    # phrase, the token after which the answer says the id
    phrase_looks: Tensor

    @property
    def mask(self) -> Tensor:
        """(B, 1, L, L), 0 or a large negative number, made where the batch is: it is the largest tensor of all by far."""
        return block_mask(self.blocks, self.dtype)

    def to(self, device: torch.device) -> "Packed":
        """The same batch on the device where the weights are."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(self, **{name: each.to(device) for name, each in found.items() if isinstance(each, Tensor)})


class Packer:
    """Encodes examples with one tokenizer; `check` compares its cuts with those of a whole chat text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Keep the tokenizer and find the ids of the fixed parts."""
        self.tokenizer = tokenizer
        self._known = lru_cache(KNOWN_TEXTS)(self._cut)
        self.image_id = int(tokenizer.convert_tokens_to_ids(prompts.IMAGE_PLACEHOLDER))
        self.head = self._encode("USER: ")
        self.line_end = self._encode("\n")
        self.bos, self.end = int(tokenizer.bos_token_id), int(tokenizer.eos_token_id)
        self.blank = self._encode(" 1")[0]

    def _encode(self, text: str) -> list[int]:
        return list(self._known(text))

    def _cut(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)

    def prefix(self, table: str, *, picture: bool) -> list[int]:
        """Token ids of everything that the segments of a row share."""
        if not picture:  # the blank before the table belongs to its first word
            return [self.bos, *self._encode(f"USER: {table}")]
        return [
            self.bos,
            *self.head,
            *[self.image_id] * IMAGE_TOKENS,
            *self.line_end,
            *(self._encode(table) if table else []),
        ]

    def segment(self, segment: Segment) -> tuple[list[int], int]:
        """Token ids of question and answer, and how many of them are the question."""
        question = self._encode(f"{segment.query} ASSISTANT:")
        answer = self._encode(f" {segment.answer}{prompts.END_OF_ANSWER}")
        return question + answer, len(question)

    def check(self, example: Example) -> None:
        """Raise TokenisationMismatch unless prefix + segment are the tokens of the same chat text."""
        for segment in example.segments:
            images = 1 if example.picture else 0
            whole = prompts.chat_text(example.table + segment.query, segment.answer, images)
            expected = [
                self.bos,
                *self._encode(whole.replace(prompts.IMAGE_PLACEHOLDER, prompts.IMAGE_PLACEHOLDER * IMAGE_TOKENS, 1)),
            ]
            actual = self.prefix(example.table, picture=example.picture) + self.segment(segment)[0]
            if expected != actual:
                raise TokenisationMismatch(
                    f"the question {segment.query!r} is cut into other tokens in training than in serving"
                )

    def pack(self, examples: Sequence[Example], *, dtype: torch.dtype, length: int | None = None) -> Packed:
        """One batch; rows are cut to `length` at the border of a segment, or padded to a multiple of LENGTH_STEP."""
        rows = [self._row(example, length) for example in examples]
        size = length or -(-max(len(row.ids) for row in rows) // LENGTH_STEP) * LENGTH_STEP
        shape = (len(rows), size)
        ids, positions = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape, dtype=torch.int64)
        blocks = torch.full(shape, -1, dtype=torch.int64)
        answer_at, targets, weights, owners = [], [], [], []
        tasks: list[str] = []
        for r, row in enumerate(rows):
            used = len(row.ids)
            ids[r, :used], positions[r, :used] = torch.tensor(row.ids), torch.tensor(row.positions)
            blocks[r, :used] = torch.tensor(row.blocks)
            for goal in row.goals:
                answer_at += [r * size + at for at in goal.at]
                targets += goal.targets
                weights += goal.shares()
                owners += [len(tasks)] * len(goal.at)
                tasks.append(goal.task)
        shares = torch.tensor(weights, dtype=torch.float32)
        return Packed(
            ids=ids, positions=positions, blocks=blocks, dtype=dtype, answer_at=torch.tensor(answer_at),
            picture_at=1 + len(self.head) if examples[0].picture else -1,
            targets=torch.tensor(targets), weights=shares / shares.sum(),
            segment_of=torch.tensor(owners), tasks=tuple(tasks), **_looks(rows),
        )  # fmt: skip

    def _row(self, example: Example, length: int | None) -> "_Row":
        prefix = self.prefix(example.table, picture=example.picture)
        row = _Row(ids=list(prefix), positions=list(range(len(prefix))), blocks=[0] * len(prefix), goals=[])
        if example.patches is not None:
            at = 1 + len(self.head)
            row.thin(at, [at + patch for patch in example.patches])
        row.lines = self._lines(row.ids, example)
        marks = [line.split(" ", 1)[0] for line in example.table.splitlines()[1:]]
        row.marks = marks if row.lines else []
        for number, segment in enumerate(example.segments, start=1):
            ids, asked = self.segment(segment)
            start = len(row.ids)
            if length is not None and start + len(ids) > length:
                break
            row.ids += ids
            row.positions += range(len(prefix), len(prefix) + len(ids))
            row.blocks += [number] * len(ids)
            row.goals.append(
                _Goal(
                    task=segment.task,
                    weight=segment.weight,
                    at=list(range(start + asked - 1, start + len(ids) - 1)),
                    targets=ids[asked:],
                    telling=segment.telling,
                    telling_at=self._telling_at(segment, ids[asked:]),
                )
            )
            if segment.hint is not None:
                row.goals.append(self._hint(segment, segment.hint, start))
                mark = segment.answer.removeprefix("Mark ").rstrip(".")
                if mark in row.marks:
                    number_of = row.marks.index(mark)
                    row.goals[-1].line = row.lines[number_of]
                    first = len(self._encode(segment.query[: segment.query.rindex(segment.hint)].rstrip()))
                    row.phrases.append(((start + first, row.goals[-1].at[0] + 1), number_of, row.goals[-2].at[2]))
        return row

    def _telling_at(self, segment: Segment, answer: list[int]) -> frozenset[int]:
        """Where an answer says what only looking can tell: the signs of an id, and whether a listing goes on."""
        if segment.task != "list":
            return frozenset((2, 3))
        return frozenset(k for k, token in enumerate(answer) if token in (self.line_end[0], self.end))

    def _lines(self, prefix: list[int], example: Example) -> list[tuple[int, int]]:
        """First and one past the last token of every mark's line in the table."""
        if not example.table:
            return []
        shown = IMAGE_TOKENS if example.patches is None else len(example.patches)
        first = 1 + len(self.head) + shown + 1 if example.picture else 0
        ends = [at for at in range(first, len(prefix)) if prefix[at] == self.line_end[0]]
        return [(start + 1, end) for start, end in pairwise(ends)]

    def _hint(self, segment: Segment, phrase: str, start: int) -> "_Goal":
        """Where the question has just said what is sought, the answer's telling token is asked for already."""
        end = segment.query.rindex(phrase) + len(phrase)
        last = start + len(self._encode(segment.query[:end])) - 1
        answer = self._encode(f" {segment.hinted or segment.answer}")
        telling = answer[2] if answer[2:] and answer[1] == self.blank else answer[0]
        return _Goal(
            task=f"hint-{segment.task}", weight=HINT_SHARE * segment.weight, at=[last, last + 1], targets=[telling] * 2
        )


@dataclass(slots=True, kw_only=True)
class _Goal:
    """Tokens to be said at some positions, and what they count together."""

    task: str
    weight: float
    at: list[int]
    targets: list[int]
    line: tuple[int, int] | None = None
    telling: float = 1.0
    telling_at: frozenset[int] = frozenset()

    def shares(self) -> list[float]:
        """The weight of each token; they sum to the goal's weight."""
        plain = [self.telling if k in self.telling_at else 1.0 for k in range(len(self.at))]
        return [self.weight * one / sum(plain) for one in plain]


@dataclass(slots=True, kw_only=True)
class _Row:
    ids: list[int]
    positions: list[int]
    blocks: list[int]
    goals: list[_Goal]
    lines: list[tuple[int, int]] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    phrases: list[tuple[tuple[int, int], int, int]] = field(default_factory=list)

    def thin(self, at: int, kept: list[int]) -> None:
        """Keep only the picture tokens at `kept`; what follows keeps its position."""
        for values in (self.ids, self.positions, self.blocks):
            values[at : at + IMAGE_TOKENS] = [values[k] for k in kept]


def _looks(rows: Sequence[_Row]) -> dict[str, Tensor]:
    """What only batches of tables have: where their lines and the phrases that find them stand, as `Packed` says."""
    line_looks: list[tuple[int, int, int]] = []
    mark_looks: list[tuple[int, int, int, int]] = []
    line_signs: list[tuple[int, int, int]] = []
    phrase_looks: list[tuple[int, ...]] = []
    phrases = 0
    for r, row in enumerate(rows):
        for goal in row.goals:
            mark_looks += [(r, at, *goal.line) for at in goal.at if goal.line is not None]
        for (start, end), mark in zip(row.lines, row.marks, strict=True):
            line_looks += [(r, at, start) for at in range(start, end)]
            line_signs += [(start + len(mark) - 1, *signs(mark))] * (end - start)
        for (start, end), number, said_at in row.phrases:
            known = (*row.lines[number], *signs(row.marks[number]), phrases, said_at)
            phrase_looks += [(r, at, *known) for at in range(start, end)]
            phrases += 1
    return {
        "line_looks": torch.tensor(line_looks).reshape(-1, 3),
        "mark_looks": torch.tensor(mark_looks).reshape(-1, 4),
        "line_signs": torch.tensor(line_signs).reshape(-1, 3),
        "phrase_looks": torch.tensor(phrase_looks).reshape(-1, 8),
    }


def block_mask(blocks: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, L) block numbers (0 prefix, -1 padding) -> (B, 1, L, L) additive mask; padding sees itself, to stay finite."""
    length = blocks.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=blocks.device).tril()
    same = blocks[:, :, None] == blocks[:, None, :]
    shared = blocks[:, None, :] == 0
    allowed = causal & (same | shared)
    hidden = torch.zeros(allowed.shape, dtype=dtype, device=blocks.device).masked_fill_(~allowed, -1e4)
    return hidden[:, None]
