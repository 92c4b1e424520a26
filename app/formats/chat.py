"""Answers in OpenAI's form: a chat completion and its chunks, with our own answer under `markwise`.

Built from answer bodies only. An unmodified client reads text, usage and finish reason; one that knows us finds the resolved marks.
"""

from datetime import datetime
from typing import Any


def completion(body: dict[str, Any], *, model: str, ignored: list[str]) -> dict[str, Any]:
    """Return the completion of one answer; `ignored` names parameters that changed nothing."""
    return {
        **_head(body, "chat.completion", model),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": body["text"], "refusal": None},
                "logprobs": None,
                "finish_reason": body.get("finish_reason", "stop"),
            }
        ],
        "usage": dict(body["usage"]),
        "markwise": _extension(body, ignored),
    }


def chunk(
    completion_id: str, created: int, model: str, *, delta: dict[str, Any], finish_reason: str | None = None
) -> dict[str, Any]:
    """Return one chunk of a streamed completion."""
    return {
        "id": completion_id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
    }


def last_chunk(
    completion_id: str, created: int, body: dict[str, Any], *, model: str, ignored: list[str]
) -> dict[str, Any]:
    """Return the chunk that ends the text and carries the whole answer."""
    ended = chunk(completion_id, created, model, delta={}, finish_reason=body.get("finish_reason", "stop"))
    return ended | {"markwise": _extension(body, ignored)}


def usage_chunk(completion_id: str, created: int, model: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the chunk with the tokens, which has no choices."""
    return chunk(completion_id, created, model, delta={}) | {"choices": [], "usage": dict(body["usage"])}


def _head(body: dict[str, Any], kind: str, model: str) -> dict[str, Any]:
    created = int(datetime.fromisoformat(body["created_at"]).timestamp())
    return {"id": f"chatcmpl-{body['id']}", "object": kind, "created": created, "model": model}


def _extension(body: dict[str, Any], ignored: list[str]) -> dict[str, Any]:
    return body | {"ignored": [*ignored, *body.get("ignored", [])]}
