"""Where a model looks: attention of chosen words to the patches of the picture (SoM-LLaVA, arXiv 2404.16375, 3.1 and 6.1).

The paper shows the 20 patches with the highest attention, averaged over the tokens of the user's query; over layers and
heads it is silent. Here the rule is the plain mean over all heads of the chosen layers, all layers by default, and each
token's attention to the picture is first made to sum to 1: without that, tokens that hardly look at the picture but at
the first token of the text would weigh as little as they look, and long queries would be dominated by a few tokens.
A look in numbers: the share inside a region, and whether its highest patch lies there. Over datasets: `pointing`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import BadInput
from models.marks.for_model import fit_square
from models.vlm.checkpoint import open_checkpoint
from models.vlm.prompts import chat_prompt

TOP: Final = 20
Words = Literal["query", "answer", "writing"]
_RED: Final = np.array([220, 30, 30], np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What `look` saw: the tokens whose attention it is, and (G, G) float64 weights over the patches that sum to 1."""

    words: tuple[str, ...]
    weights: NDArray[np.float64]

    def top(self, count: int = TOP) -> NDArray[np.bool_]:
        """Return (G, G) bool: the `count` patches with the highest weights; ties go to the upper left."""
        flat = self.weights.ravel()
        chosen = np.zeros(flat.size, np.bool_)
        chosen[np.argsort(-flat, kind="stable")[:count]] = True
        return chosen.reshape(self.weights.shape)

    def share_in(self, mask: NDArray[np.bool_]) -> float:
        """Return the share (0-1) of attention inside a region; `mask` is (S, S) bool at the model's input size."""
        covered = cv2.resize(mask.astype(np.float64), self.weights.shape[::-1], interpolation=cv2.INTER_AREA)
        return float((self.weights * covered).sum())

    def points_into(self, mask: NDArray[np.bool_]) -> bool:
        """Return whether the middle of the patch with the highest weight lies in the region (the pointing game)."""
        row, column = np.unravel_index(int(self.weights.argmax()), self.weights.shape)
        size_y, size_x = mask.shape[0] / self.weights.shape[0], mask.shape[1] / self.weights.shape[1]
        return bool(mask[int((row + 0.5) * size_y), int((column + 0.5) * size_x)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attended:
    """All attention to the patches of one picture, of every token behind it: (layers, heads, tokens, G, G) float32."""

    text: str
    spans: tuple[tuple[int, int], ...]  # where each token stands in the text
    query: range  # the tokens of the query
    answer: range  # those of the answer, empty where none was given
    weights: NDArray[np.float32]

    @property
    def layers(self) -> int:
        """How many layers the language model has."""
        return len(self.weights)

    def look(
        self,
        words: Words = "query",
        *,
        only: str | None = None,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
    ) -> Look:
        """Return the mean over layers, heads and tokens, each token's attention to the picture brought to a sum of 1.

        `query` and `answer` are the tokens as they are read; `writing` is the place before each token of the answer,
        where the model decides on it. With `only`, just the tokens that spell this text wherever it stands. Raises
        BadInput where no such token is there, or a layer or head does not exist.
        """
        shift = 1 if words == "writing" else 0
        asked = self.query if words == "query" else self.answer
        chosen = [i for i in asked if only is None or any(self._spells(i, at, len(only)) for at in self._places(only))]
        if not chosen:
            name = "query" if words == "query" else "answer"
            raise BadInput(f"no token of the {name} holds {only!r}" if only else f"the {name} has no token")
        part = self.weights[_checked(layers, len(self.weights), "layers")]
        part = part[:, _checked(heads, part.shape[1], "heads")]
        # The mean over heads comes first: a head that hardly looks at the picture then has hardly a say.
        rows = part.mean(axis=(0, 1), dtype=np.float64)[[i - shift for i in chosen]]
        mean = (rows / rows.sum(axis=(1, 2), keepdims=True)).mean(axis=0)
        return Look(words=tuple(self.text[slice(*self.spans[i])] for i in chosen), weights=mean)

    def _places(self, words: str) -> list[int]:
        return [match.start() for match in re.finditer(re.escape(words), self.text)]

    def _spells(self, token: int, at: int, length: int) -> bool:
        start, end = self.spans[token]
        return start < at + length and at < end


def _checked(wanted: Sequence[int] | None, count: int, what: str) -> list[int]:
    found = list(range(count)) if wanted is None else list(wanted)
    if any(not 0 <= one < count for one in found) or not found:
        raise BadInput(f"{what} are 0 to {count - 1}; got {found}")
    return found


class AttentionProbe:
    """A checkpoint opened for looking inside; its attention is computed plainly, since fused kernels give no weights."""

    def __init__(self, directory: Path) -> None:
        """Load; raises WeightsMissing."""
        self._loaded = open_checkpoint(directory)
        self._loaded.model.set_attn_implementation({"text_config": "eager", "vision_config": "eager"})
        grid = round(self._loaded.image_tokens**0.5)
        if grid * grid != self._loaded.image_tokens:
            raise BadInput(f"{self._loaded.image_tokens} picture tokens are no square of patches")
        self.grid = grid
        self.layers: int = int(self._loaded.model.config.text_config.num_hidden_layers)

    @property
    def input_px(self) -> int:
        """The side of the square that the model sees."""
        return self._loaded.input_px

    def attend(self, picture: NDArray[np.uint8], query: str, answer: str | None = None) -> Attended:
        """Return the attention of the tokens of `query`, and of a given `answer`, to `picture` ((H, W, 3) uint8 RGB)."""
        prompt = chat_prompt(query)
        text = prompt if answer is None else f"{prompt} {answer}"
        ids = self._loaded.encode(text, 1)
        asked = len(self._loaded.encode(prompt, 1))
        first = len(ids) - ids[::-1].index(self._loaded.image_token_id)
        ending = len(self._loaded.tokenizer.encode(" ASSISTANT:", add_special_tokens=False).ids)
        patches = [i for i, token in enumerate(ids) if token == self._loaded.image_token_id]
        with torch.inference_mode():
            out: Any = self._loaded.model(
                input_ids=torch.tensor([ids]),
                pixel_values=torch.from_numpy(self._loaded.pixels([picture])).to(self._loaded.model.dtype),
                output_attentions=True,
            )
            weights = torch.stack([layer[0, :, first:, patches].float() for layer in out.attentions]).numpy()
        return Attended(
            text=text,
            spans=tuple(self._loaded.tokenizer.encode(text).offsets[first - len(ids) :]),
            query=range(asked - ending - first),
            answer=range(asked - first, len(ids) - first),
            weights=weights.reshape(*weights.shape[:3], self.grid, self.grid),
        )

    def look(
        self,
        picture: NDArray[np.uint8],
        query: str,
        *,
        answer: str | None = None,
        words: Words = "query",
        only: str | None = None,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
    ) -> Look:
        """Return where the tokens of the query, or of a given `answer`, look on `picture`; see `Attended.look`."""
        if words != "query" and answer is None:
            raise BadInput("to see where an answer looks, give the answer")
        return self.attend(picture, query, answer).look(words, only=only, layers=layers, heads=heads)


def heat_map(picture: NDArray[np.uint8], look: Look, size_px: int) -> NDArray[np.uint8]:
    """Return (size_px, size_px, 3) uint8: the picture as the model sees it, redder where it looks more."""
    scaled = look.weights / look.weights.max()
    heat = cv2.resize(scaled, (size_px, size_px), interpolation=cv2.INTER_CUBIC).clip(0, 1)[..., None]
    return _reddened(fit_square(picture, size_px)[0], 0.75 * heat)


def top_patches(picture: NDArray[np.uint8], look: Look, size_px: int, count: int = TOP) -> NDArray[np.uint8]:
    """Return (size_px, size_px, 3) uint8: the picture with the `count` highest patches in transparent red, as in the paper."""
    chosen = look.top(count).astype(np.float64)
    cells = cv2.resize(chosen, (size_px, size_px), interpolation=cv2.INTER_NEAREST)[..., None]
    return _reddened(fit_square(picture, size_px)[0], 0.5 * cells)


def _reddened(picture: NDArray[np.uint8], share: NDArray[np.float64]) -> NDArray[np.uint8]:
    mixed = picture * (1 - share) + _RED * share
    return np.asarray(mixed.round(), np.uint8)
