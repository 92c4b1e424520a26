"""A vision-language model behind an OpenAI-compatible server (vLLM or any other).

Called by workers, and by the web process for answers on existing mark sets. Pictures travel as bytes in data: URLs, so the server
never fetches anything. It knows no prompts beyond the wording of a choice; what a server says in an error is never passed on.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendDown, BackendUnfit, BadInput, BadOutput
from models.marks.for_model import fit_square
from models.vlm import grammar, wire
from models.vlm.logprobs import compact, weigh
from models.vlm.pictures import check_pictures, data_url
from models.vlm.transport import Clock, Transport
from models.vlm.types import ChoiceReply, Dialect, FinishReason, VlmReply, VlmRequest

MAX_TOKENS = 1_024  # whatever a request asks for
TOP_LOGPROBS = 20  # the most that both vLLM's default and OpenAI accept
_CHOICE_TOKENS = 24
_COMPLETIONS = "chat/completions"
_READY_TIMEOUT_S = 5.0
# Ways to confine an answer, the best first. A server that does not know one refuses it (400) or ignores it (a free answer).
_MODES = (("structured_outputs", True), ("json_schema", True), ("json_schema", False))


class OpenAiBackend:
    """One model on one server; safe to share between threads. The transport's owner closes it."""

    def __init__(
        self, transport: Transport, model: str, *, dialect: Dialect = "general", input_px: int | None = None
    ) -> None:
        """With `input_px`, pictures that are not of that square are fitted and padded to it: a server would squash or crop them."""
        self.name = model
        self.version = ""
        self.dialect = dialect
        self.input_px = input_px
        self.refusal: str | None = None
        self._transport = transport
        self._mode = 0

    def ready(self) -> None:
        """Raise BackendDown unless the server lists its models."""
        self._check_fit()
        self._transport.get("models", deadline_s=_READY_TIMEOUT_S)

    def refuse(self, sentence: str | None) -> None:
        """From now on raise BackendUnfit with `sentence` instead of asking; None takes that back."""
        self.refusal = sentence

    def generate(self, request: VlmRequest) -> VlmReply:
        """Answer freely in one go."""
        body = self._post(self._body(request), self._transport.clock(request.deadline_s))
        choice = wire.first_choice(body)
        reason = choice.get("finish_reason")
        if reason not in ("stop", "length"):
            raise BadOutput("the model server ended the answer for a reason that is not in the agreed form")
        finish: FinishReason = reason
        prompt_tokens, completion_tokens = wire.usage_of(body)
        return VlmReply(
            text=wire.content_of(choice),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            finish_reason=finish,
        )

    def choose(self, request: VlmRequest, choices: Sequence[str]) -> ChoiceReply:
        """Weigh the choices by the log probabilities of one confined answer.

        Tries structured outputs, then a JSON schema, and remembers what the server understands.
        """
        admitted = grammar.with_none(choices)
        body = self._body(request) | {"max_tokens": _CHOICE_TOKENS, "temperature": 0.0}
        clock = self._transport.clock(request.deadline_s)
        refused: BadInput | None = None
        for mode in range(self._mode, len(_MODES)):
            answers, extra = self._constraint(mode, admitted)
            try:
                answer = self._post(body | extra, clock)
            except BadInput as error:
                refused = error
                continue
            reply = _choice_reply(answer, answers)
            if reply is not None:
                self._mode = mode
                return reply
            refused = None
        self._mode = 0
        if refused is not None:
            raise refused
        raise BadOutput("the model server answered outside of the given choices")

    def stream(self, request: VlmRequest) -> Iterator[str]:
        """Yield the answer's pieces as the server sends them."""
        clock = self._transport.clock(request.deadline_s)
        body = self._body(request) | {"stream": True}
        self._check_fit()
        for line in self._transport.lines(_COMPLETIONS, body, clock):
            data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
            if data == "[DONE]":
                return
            piece = wire.delta_of(data) if data else ""
            if piece:
                yield piece
        raise BackendDown("the model server broke the stream off")

    def _body(self, request: VlmRequest) -> dict[str, Any]:
        check_pictures(request.images)
        parts: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": data_url(self._fitted(image))}} for image in request.images
        ]
        parts.append({"type": "text", "text": request.prompt})
        return {
            "model": self.name,
            "messages": [{"role": "user", "content": parts}],
            "max_tokens": max(1, min(request.max_tokens, MAX_TOKENS)),
            "temperature": max(0.0, min(request.temperature, 2.0)),
        }

    def _constraint(self, mode: int, admitted: Sequence[str]) -> tuple[dict[str, str], dict[str, Any]]:
        """Return {answer text: choice} and the body fields of a mode."""
        kind, with_logprobs = _MODES[mode]
        fields: dict[str, Any] = {"logprobs": True, "top_logprobs": TOP_LOGPROBS} if with_logprobs else {}
        if kind == "structured_outputs":
            texts = grammar.answers(admitted, self.dialect)
            return texts, fields | {"structured_outputs": grammar.structured_outputs(admitted, self.dialect)}
        texts = {json.dumps({"mark": choice}): choice for choice in admitted}
        return texts, fields | {"response_format": grammar.json_schema(admitted)}

    def _fitted(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        size_px = self.input_px
        return image if size_px is None or image.shape[:2] == (size_px, size_px) else fit_square(image, size_px)[0]

    def _post(self, body: dict[str, Any], clock: Clock) -> dict[str, Any]:
        self._check_fit()
        return self._transport.post(_COMPLETIONS, body, clock)

    def _check_fit(self) -> None:
        if self.refusal is not None:
            raise BackendUnfit(self.refusal)


def _choice_reply(body: dict[str, Any], answers: dict[str, str]) -> ChoiceReply | None:
    """Return the weights, or None when the answer is not one of `answers`."""
    first = wire.first_choice(body)
    chosen = {compact(text): choice for text, choice in answers.items()}.get(compact(wire.content_of(first)))
    if chosen is None:
        return None
    weights = weigh(wire.steps_of(first), answers, chosen)
    prompt_tokens, completion_tokens = wire.usage_of(body)
    return ChoiceReply(
        probabilities=weights.probabilities,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        estimated=weights.estimated,
    )
