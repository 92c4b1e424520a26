"""Reads the JSON of an OpenAI-compatible server, trusting none of it. Called by `openai` only; it sends nothing."""

import json
import math
from typing import Any

from models.errors import BackendDown, BadOutput
from models.vlm.logprobs import TokenStep


def first_choice(body: dict[str, Any]) -> dict[str, Any]:
    """Return the first choice of a completion; raises BadOutput."""
    choices = body.get("choices")
    if not (isinstance(choices, list) and choices and isinstance(choices[0], dict)):
        raise BadOutput("the model server's answer holds no choice")
    first: dict[str, Any] = choices[0]
    return first


def content_of(choice: dict[str, Any]) -> str:
    """Return the stripped text of a choice; raises BadOutput."""
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str):
        raise BadOutput("the model server's answer holds no text")
    return content.strip()


def is_refused(choice: dict[str, Any]) -> bool:
    """Whether the provider declined: OpenAI's `refusal`, or an answer that a content filter took away."""
    message = choice.get("message")
    declined = isinstance(message, dict) and bool(message.get("refusal"))
    return declined or choice.get("finish_reason") == "content_filter"


def usage_of(body: dict[str, Any]) -> tuple[int, int]:
    """Return (prompt, completion) tokens; 0 where the server does not say."""
    usage = body.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    prompt, completion = (counts.get(key) for key in ("prompt_tokens", "completion_tokens"))
    return (prompt if isinstance(prompt, int) else 0), (completion if isinstance(completion, int) else 0)


def event_of(line: str) -> dict[str, Any] | None:
    """Return one stream event, None for a line without one; raises BadOutput, or BackendDown for an error event."""
    data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
    if not data:
        return None
    try:
        event = json.loads(data)
    except ValueError:
        raise BadOutput("the model server's stream is not JSON") from None
    if not isinstance(event, dict) or "error" in event:
        raise BackendDown("the model server broke the stream off")
    return event


def is_last(line: str) -> bool:
    """Whether this line says that the stream is complete."""
    return line.startswith("data:") and line.removeprefix("data:").strip() == "[DONE]"


def delta_of(event: dict[str, Any]) -> tuple[str, str | None]:
    """Return the text piece of one stream event, "" if it has none, and its finish reason if it has one."""
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    delta, reason = first.get("delta"), first.get("finish_reason")
    content = delta.get("content") if isinstance(delta, dict) else None
    return (content if isinstance(content, str) else ""), (reason if isinstance(reason, str) else None)


def steps_of(choice: dict[str, Any]) -> list[TokenStep]:
    """Return the tokens with their alternatives; an empty list if the server gave none in the agreed form."""
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    steps: list[TokenStep] = []
    for item in content if isinstance(content, list) else []:
        taken = _scored(item)
        if taken is None:
            return []
        listed = item.get("top_logprobs")
        others = tuple(pair for pair in map(_scored, listed if isinstance(listed, list) else []) if pair is not None)
        steps.append(TokenStep(token=taken[0], logprob=taken[1], alternatives=others))
    return steps


def _scored(item: object) -> tuple[str, float] | None:
    token, logprob = (item.get("token"), item.get("logprob")) if isinstance(item, dict) else (None, None)
    if not isinstance(token, str) or not isinstance(logprob, int | float) or math.isnan(logprob):
        return None
    return token, float(logprob)
