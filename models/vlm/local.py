"""A LLaVA checkpoint run in this process, by torch and transformers. Called by workers and the command line, never by the web process.

It answers greedily, so the same request gives the same text. It knows the wording of a choice from `prompts` and nothing of marks.
"""

import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.errors import BackendDown, BadInput, OutOfMemory
from models.vlm import batched, grammar
from models.vlm.checkpoint import open_checkpoint
from models.vlm.lines import HeldLines
from models.vlm.pictures import check_pictures
from models.vlm.prompts import chat_prompt
from models.vlm.types import ChoiceReply, Dialect, VlmReply, VlmRequest


class LocalBackend:
    """One loaded checkpoint. Calls from several threads take turns: they would only fight for the same cores."""

    def __init__(
        self,
        directory: Path,
        *,
        name: str | None = None,
        dialect: Dialect = "tiny",
        device: str = "cpu",
        threads: int = 1,
        max_tokens: int = 1_024,
    ) -> None:
        """Load the checkpoint; raises WeightsMissing.

        `threads` is set for the whole process: with 2 threads on a busy 2-core machine one call took 5 times as long as with 1.
        """
        torch.set_num_threads(threads)
        self._loaded = open_checkpoint(directory, device=device)
        self._device = device
        self._max_tokens = max_tokens
        self._turn = threading.Lock()
        self.name = name or directory.name
        self.version = self._loaded.version
        self.dialect = dialect
        self.input_px: int | None = self._loaded.input_px

    def ready(self) -> None:
        """Always ready: a checkpoint that cannot be used does not load."""

    def generate(self, request: VlmRequest) -> VlmReply:
        """Answer freely. Raises BadInput when the prompt does not fit or sampling is asked for."""
        prompt_ids = self._prompt_ids(request)
        limit = self._limit(request, len(prompt_ids))
        return self._reply(list(self._tokens(request, prompt_ids, limit)), len(prompt_ids))

    def generate_many(self, requests: Sequence[VlmRequest]) -> list[VlmReply]:
        """Answer all of `requests` as `generate` answers each, in one pass a token; raises what any of them would raise."""
        prompts = [self._prompt_ids(request) for request in requests]
        limits = [self._limit(request, len(ids)) for request, ids in zip(requests, prompts, strict=True)]
        images = tuple(image for request in requests for image in request.images)
        end = min(map(_end, requests))
        ends = self._loaded.end_token_ids
        says = [self._says(request) for request in requests]
        found = batched.greedy(
            self._loaded.model, prompts, self._pixels(images), limits, ends, lambda: self._running(end), says
        )
        return [self._reply(tokens, len(ids)) for tokens, ids in zip(found, prompts, strict=True)]

    def stream(self, request: VlmRequest) -> Generator[str, None, VlmReply]:
        """Yield whole characters as they come; a character spelt in several tokens waits for its last one."""
        prompt_ids = self._prompt_ids(request)
        tokens: list[int] = []
        shown = 0
        for token in self._tokens(request, prompt_ids, self._limit(request, len(prompt_ids))):
            tokens.append(token)
            text = self._decode(tokens)
            if len(text) > shown and not text.endswith("\ufffd"):
                yield text[shown:]
                shown = len(text)
        rest = self._decode(tokens)[shown:]
        if rest:
            yield rest
        return self._reply(tokens, len(prompt_ids))

    def choose(self, request: VlmRequest, choices: Sequence[str]) -> ChoiceReply:
        """Give each choice the exact probability of its whole answer, normalised over the choices."""
        return self.choose_many([(request, choices)])[0]

    def choose_many(self, asked: Sequence[tuple[VlmRequest, Sequence[str]]]) -> list[ChoiceReply]:
        """Choose for all of `asked` as `choose` does for each, in one pass; raises what any of them would raise."""
        admitted = [grammar.with_none(choices) for _, choices in asked]
        return self._weigh([request for request, _ in asked], [grammar.answers(one, self.dialect) for one in admitted])

    def weigh(self, request: VlmRequest, answers: Sequence[str]) -> ChoiceReply:
        """Give each answer its exact probability, its end included, normalised over the answers."""
        return self.weigh_many([(request, answers)])[0]

    def weigh_many(self, asked: Sequence[tuple[VlmRequest, Sequence[str]]]) -> list[ChoiceReply]:
        """Weigh for all of `asked` as `weigh` does for each, in one pass; raises what any of them would raise."""
        return self._weigh([request for request, _ in asked], [grammar.whole_answers(texts) for _, texts in asked])

    def _weigh(self, requests: Sequence[VlmRequest], texts: Sequence[Mapping[str, str]]) -> list[ChoiceReply]:
        """Weigh {answer text: choice} for each request: a prompt is read once, its answers as a tree of tokens."""
        prompts, tries = [], []
        for request, wanted in zip(requests, texts, strict=True):
            check_pictures(request.images)
            prompt, count = chat_prompt(request.prompt, len(request.images)), len(request.images)
            encoded = [self._loaded.encode(f"{prompt} {text}{self._loaded.end_text}", count) for text in wanted]
            shared = _shared_length(encoded)
            self._check_length(max(map(len, encoded)))
            prompts.append(encoded[0][:shared])
            tries.append(grammar.TokenTrie.build([ids[shared:] for ids in encoded]))
        end = min(map(_end, requests))
        pixels = self._pixels(tuple(image for request in requests for image in request.images))
        scores = batched.weigh(self._loaded.model, prompts, pixels, tries, lambda: self._running(end))
        return [
            ChoiceReply(
                probabilities=dict(zip(wanted.values(), _shares(score), strict=True)),
                prompt_tokens=len(prompt),
                completion_tokens=len(trie.tokens),
            )
            for wanted, score, prompt, trie in zip(texts, scores, prompts, tries, strict=True)
        ]

    def _reply(self, tokens: list[int], prompt_tokens: int) -> VlmReply:
        ended = bool(tokens) and tokens[-1] in self._loaded.end_token_ids
        return VlmReply(
            text=self._decode(tokens).strip(),
            prompt_tokens=prompt_tokens,
            completion_tokens=len(tokens),
            finish_reason="stop" if ended else "length",
        )

    def _tokens(self, request: VlmRequest, prompt_ids: list[int], limit: int) -> Iterator[int]:
        """Yield the likeliest tokens one by one, the end token included."""
        end, says = _end(request), self._says(request)
        with self._running(end):
            logits, cache = self._read(prompt_ids, request.images)
        for step in range(limit):
            token = says(int(logits[-1].argmax()))
            yield token
            if token in self._loaded.end_token_ids or step == limit - 1:
                return
            with self._running(end):
                out = self._loaded.model(input_ids=self._tensor([[token]]), past_key_values=cache, use_cache=True)
                logits = out.logits[0]

    def _says(self, request: VlmRequest) -> batched.Say:
        """What is said instead of the likeliest token: itself, but where a listing's lines are given and begin as ours do."""
        if not request.lines or self.dialect != "tiny":
            return lambda token: token
        heads = [self._cut(f"\n{mark_id}." if k else f" {mark_id}.") for k, mark_id in enumerate(request.lines)]
        return HeldLines(heads, self._cut("\n")[0], self._loaded.end_token_ids)

    def _cut(self, text: str) -> list[int]:
        return list(self._loaded.tokenizer.encode(text, add_special_tokens=False).ids)

    def _read(self, ids: list[int], images: tuple[NDArray[np.uint8], ...]) -> tuple[torch.Tensor, Any]:
        """Return the logits after the last of `ids` (1, V) and the cache that holds all of them."""
        out = self._loaded.model(
            input_ids=self._tensor([ids]),
            pixel_values=self._pixels(images),
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[0], out.past_key_values

    def _pixels(self, images: tuple[NDArray[np.uint8], ...]) -> torch.Tensor | None:
        """Return (N, 3, S, S), or None for no picture at all."""
        if not images:
            return None
        pixels = torch.from_numpy(self._loaded.pixels(images))
        return pixels.to(device=self._device, dtype=self._loaded.model.dtype)

    @contextmanager
    def _running(self, end: float) -> Iterator[None]:
        with self._turn, _running(end):
            yield

    def _prompt_ids(self, request: VlmRequest) -> list[int]:
        if request.temperature != 0.0:
            raise BadInput("this backend answers greedily: temperature must be 0")
        check_pictures(request.images)
        ids = self._loaded.encode(chat_prompt(request.prompt, len(request.images)), len(request.images))
        if self._loaded.end_token_ids & set(ids):
            raise BadInput("the prompt holds a token that ends answers")
        self._check_length(len(ids) + 1)
        return ids

    def _check_length(self, tokens: int) -> None:
        if tokens > self._loaded.max_positions:
            raise BadInput(f"the prompt has {tokens} tokens; this model reads at most {self._loaded.max_positions}")

    def _limit(self, request: VlmRequest, prompt_tokens: int) -> int:
        return max(1, min(request.max_tokens, self._max_tokens, self._loaded.max_positions - prompt_tokens))

    def _decode(self, tokens: list[int]) -> str:
        return str(self._loaded.tokenizer.decode(tokens, skip_special_tokens=True))

    def _tensor(self, rows: list[list[int]]) -> torch.Tensor:
        return torch.tensor(rows, dtype=torch.long, device=self._device)


def _shared_length(sequences: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all sequences have in common at their start, at least one short of the shortest."""
    shared = 0
    for column in zip(*sequences, strict=False):
        if len(set(column)) > 1 or shared == min(map(len, sequences)) - 1:
            break
        shared += 1
    return shared


def _shares(scores: Sequence[float]) -> list[float]:
    """Return probabilities that sum to 1 from log probabilities."""
    return [float(one) for one in torch.softmax(torch.tensor(scores, dtype=torch.float64), dim=0)]


def _end(request: VlmRequest) -> float:
    return time.monotonic() + request.deadline_s if request.deadline_s is not None else float("inf")


@contextmanager
def _running(end: float) -> Iterator[None]:
    """Run one pass without gradients, unless `end` (monotonic seconds) is over."""
    if time.monotonic() >= end:
        raise BackendDown("the model did not answer in time")
    try:
        with torch.inference_mode():
            yield
    except torch.cuda.OutOfMemoryError:
        raise OutOfMemory("the request does not fit in the accelerator's memory") from None
