"""A vision-language model behind an OpenAI-compatible server (vLLM or any other).

Called by workers, and by the web process for answers on existing mark sets. Pictures travel as bytes in data: URLs, so the server
never fetches anything. It knows no prompts beyond the wording of a choice; what a server says in an error is never passed on.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BackendDown, BadInput, BadOutput, Refused
from models.marks.for_model import fit_square
from models.vlm import grammar, wire
from models.vlm.logprobs import TokenStep, compact, weigh
from models.vlm.pictures import PictureUrls, check_pictures, encoded_url
from models.vlm.transport import Clock, Transport
from models.vlm.types import ChoiceReply, Dialect, EncodedPicture, FinishReason, Message, VlmReply, VlmRequest

MAX_TOKENS = 1_024  # whatever a request asks for
MAX_CHAT_TOKENS = 8_192
TOP_LOGPROBS = 20  # the most that both vLLM's default and OpenAI accept
_CHOICE_TOKENS = 24
_COMPLETIONS = "chat/completions"
_READY_TIMEOUT_S = 5.0
# Ways to confine an answer, the best first. A server that does not know one refuses it (400) or ignores it (a free answer).
_MODES = (("structured_outputs", True), ("json_schema", True), ("json_schema", False))


class OpenAiBackend:
    """One model on one server; safe to share between threads. The transport's owner closes it."""

    def __init__(
        self,
        transport: Transport,
        model: str,
        *,
        name: str | None = None,
        dialect: Dialect = "general",
        input_px: int | None = None,
    ) -> None:
        """`model` is what the server calls it, `name` (if it differs) what answers call it.

        With `input_px`, pictures that are not of that square are fitted and padded to it: a server would squash or cut them.
        """
        self.name = name or model
        self.version = ""
        self.dialect = dialect
        self.input_px = input_px
        self._model = model
        self._transport = transport
        self._urls = PictureUrls()
        self._mode = 0

    def adapter(self, model: str, name: str) -> "OpenAiBackend":
        """Return an adapter of this model on the same server, asked in the same way."""
        return OpenAiBackend(self._transport, model, name=name, dialect=self.dialect, input_px=self.input_px)

    def ready(self) -> None:
        """Raise BackendDown unless the server lists its models."""
        self._transport.check_fit()
        self._transport.get("models", deadline_s=_READY_TIMEOUT_S)

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

    def chat(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = MAX_TOKENS,
        temperature: float = 0.0,
        seed: int | None = None,
        deadline_s: float | None = None,
    ) -> VlmReply:
        """Answer the last of `messages`. Raises like `generate`, and Refused where the provider declined."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [self._message(message) for message in messages],
            "max_tokens": max(1, min(max_tokens, MAX_CHAT_TOKENS)),
            "temperature": max(0.0, min(temperature, 2.0)),
        } | ({} if seed is None else {"seed": seed})
        answer = self._post(body, self._transport.clock(deadline_s))
        first = wire.first_choice(answer)
        if wire.is_refused(first):
            raise Refused("the provider of the model declined to answer")
        prompt_tokens, completion_tokens = wire.usage_of(answer)
        return VlmReply(
            text=wire.content_of(first),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            finish_reason="length" if first.get("finish_reason") == "length" else "stop",
        )

    def choose(self, request: VlmRequest, choices: Sequence[str]) -> ChoiceReply:
        """Weigh the choices by the log probabilities of one confined answer."""
        return self._weigh(request, grammar.answers(grammar.with_none(choices), self.dialect), "mark")

    def weigh(self, request: VlmRequest, answers: Sequence[str]) -> ChoiceReply:
        """Weigh the answers by the log probabilities of one answer confined to them."""
        return self._weigh(request, grammar.whole_answers(answers), "answer")

    def _weigh(self, request: VlmRequest, texts: Mapping[str, str], key: str) -> ChoiceReply:
        """Weigh {answer text: choice}; as a JSON object the choice stands under `key`.

        Tries structured outputs, then a JSON schema, and remembers what the server understands.
        """
        # A token holds at least a byte, and an answer is confined: no room is ever wasted.
        longest = max(len(text.encode()) for text in texts)
        body = self._body(request) | {"max_tokens": _CHOICE_TOKENS + longest, "temperature": 0.0}
        clock = self._transport.clock(request.deadline_s)
        refused: BadInput | None = None
        for mode in range(self._mode, len(_MODES)):
            answers, extra = self._constraint(mode, texts, key)
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

    def stream(self, request: VlmRequest) -> Generator[str, None, VlmReply]:
        """Yield the answer's pieces as the server sends them."""
        clock = self._transport.clock(request.deadline_s)
        body = self._body(request) | {"stream": True, "stream_options": {"include_usage": True}}
        told = _Told()
        self._transport.check_fit()
        for line in self._transport.lines(_COMPLETIONS, body, clock):
            if wire.is_last(line):
                return told.reply()
            event = wire.event_of(line)
            piece = told.take(event) if event is not None else ""
            if piece:
                yield piece
        raise BackendDown("the model server broke the stream off")

    def first_token(self, request: VlmRequest) -> TokenStep | None:
        """Return the first token of an answer with its alternatives, or None from a server that shows none.

        Asked of a server that was refused as well: it is how one finds out whether it may be used again.
        """
        body = self._body(request) | {"max_tokens": 1, "logprobs": True, "top_logprobs": TOP_LOGPROBS}
        answer = self._transport.post(_COMPLETIONS, body, self._transport.clock(request.deadline_s))
        steps = wire.steps_of(wire.first_choice(answer))
        return steps[0] if steps else None

    def _body(self, request: VlmRequest) -> dict[str, Any]:
        check_pictures(request.images)
        parts: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": self._urls.url(self._fitted(image))}} for image in request.images
        ]
        parts.append({"type": "text", "text": request.prompt})
        return {
            "model": self._model,
            "messages": [{"role": "user", "content": parts}],
            "max_tokens": max(1, min(request.max_tokens, MAX_TOKENS)),
            "temperature": max(0.0, min(request.temperature, 2.0)),
        }

    def _message(self, message: Message) -> dict[str, Any]:
        if not message.images:
            return {"role": message.role, "content": message.text}
        urls = [
            encoded_url(image) if isinstance(image, EncodedPicture) else self._urls.url(self._fitted(image))
            for image in message.images
        ]
        parts: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        if message.text:
            parts.append({"type": "text", "text": message.text})
        return {"role": message.role, "content": parts}

    def _constraint(self, mode: int, texts: Mapping[str, str], key: str) -> tuple[Mapping[str, str], dict[str, Any]]:
        """Return {answer text: choice} and the body fields of a mode."""
        kind, with_logprobs = _MODES[mode]
        fields: dict[str, Any] = {"logprobs": True, "top_logprobs": TOP_LOGPROBS} if with_logprobs else {}
        if kind == "structured_outputs":
            return texts, fields | {"structured_outputs": grammar.structured_outputs(texts, self.dialect)}
        choices = list(texts.values())
        objects = {json.dumps({key: choice}, ensure_ascii=False): choice for choice in choices}
        return objects, fields | {"response_format": grammar.json_schema(choices, key)}

    def _fitted(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        size_px = self.input_px
        return image if size_px is None or image.shape[:2] == (size_px, size_px) else fit_square(image, size_px)[0]

    def _post(self, body: dict[str, Any], clock: Clock) -> dict[str, Any]:
        self._transport.check_fit()
        return self._transport.post(_COMPLETIONS, body, clock)


class _Told:
    """What a stream has told so far."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._finish: FinishReason = "stop"
        self._usage = (0, 0)

    def take(self, event: dict[str, Any]) -> str:
        """Keep an event and return its piece of text."""
        piece, reason = wire.delta_of(event)
        self._pieces.append(piece)
        if reason == "length":
            self._finish = "length"
        if event.get("usage"):
            self._usage = wire.usage_of(event)
        return piece

    def reply(self) -> VlmReply:
        """The whole, as `generate` would have returned it."""
        return VlmReply(
            text="".join(self._pieces).strip(),
            prompt_tokens=self._usage[0],
            completion_tokens=self._usage[1],
            finish_reason=self._finish,
        )


def _choice_reply(body: dict[str, Any], answers: Mapping[str, str]) -> ChoiceReply | None:
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
