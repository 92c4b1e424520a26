"""POST /v1/chat/completions: an unmodified OpenAI client posts a picture and a question; the picture is marked on the way in.

The reply is OpenAI's, with our answer and its resolved marks under `markwise`. Errors under /v1/chat have OpenAI's shape
(`app.http.problems`). A completion is waited for: where it takes longer than two minutes, 504 and nothing left behind.
"""

import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.formats.chat import chunk, completion, last_chunk, usage_chunk
from app.http import asking
from app.http.asking import Posed
from app.http.conversation import ground_body, said_before
from app.http.deps import LONGEST_WAIT_S, GroundCaller, WebPart
from app.http.schemas.chat import ChatIn
from app.http.schemas.ground import GroundIn
from app.http.streaming import STILL_HERE, stream
from app.http.timing import server_timing
from app.services.telling import Event
from app.telemetry.metrics import answered

router = APIRouter(tags=["chat"])


@router.post("/v1/chat/completions", responses={504: {}})
async def complete(request: Request, web: WebPart, caller: GroundCaller, chat: ChatIn) -> Response:
    """Answer the last message of a conversation about one picture."""
    body = GroundIn.model_validate(ground_body(chat))
    # Whoever speaks OpenAI's language knows no 202: the wait is a deadline.
    deadline_ms = min(body.deadline_ms or LONGEST_WAIT_S * 1000, LONGEST_WAIT_S * 1000)
    posed = Posed(
        web=web,
        caller=caller,
        body=body.model_copy(update={"deadline_ms": deadline_ms}),
        idempotency_key=getattr(request.state, "idempotency_key", None),
        wait_s=LONGEST_WAIT_S,
        conversation=said_before(chat),
    )
    if chat.stream:
        return stream(_chunks(chat, await asking.begin(posed)))
    (answer,) = await asking.answer(posed)
    whole = completion(answer, model=chat.model, ignored=chat.ignored())
    answered([answer])
    return JSONResponse(whole, headers=server_timing([answer]))


async def _chunks(chat: ChatIn, events: AsyncIterator[Event | None]) -> AsyncIterator[str]:
    """Write an answer's events as chunks: text as deltas, mentions beside empty deltas, the answer with the end."""
    completion_id, created = f"chatcmpl-{uuid4()}", int(time.time())
    yield _line(chunk(completion_id, created, chat.model, delta={"role": "assistant", "content": ""}))
    async for event in events:
        match event:
            case None:
                yield STILL_HERE
            case Event(name="text", data=data):
                yield _line(chunk(completion_id, created, chat.model, delta={"content": data["text"]}))
            case Event(name="mention", data=data):
                yield _line(chunk(completion_id, created, chat.model, delta={}) | {"markwise": {"mention": data}})
            case Event(name="answer", data=data):
                ended = last_chunk(completion_id, created, data, model=chat.model, ignored=chat.ignored())
                yield _line(ended)
                if chat.stream_options is not None and chat.stream_options.include_usage:
                    yield _line(usage_chunk(completion_id, created, chat.model, data))
            case Event(data=error):
                message = f"{error['title']}. {error['detail'] or ''}".strip()
                kind = "server_error" if error["status"] >= 500 else "invalid_request_error"
                yield _line({"error": {"message": message, "type": kind, "param": None, "code": error["code"]}})
                return
    yield "data: [DONE]\n\n"


def _line(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, separators=(',', ':'))}\n\n"
