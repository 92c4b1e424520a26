"""Reads OpenAI messages as one question about one picture, with what was said before it.

The picture is the newest one; the question is the text of the last message. System and developer messages become instructions,
earlier turns are told to the model as they are; a picture of an earlier turn that is not shown any more is named as such. Nothing
is dropped in silence: what a model cannot follow is refused by `models.grounding`.
"""

from typing import Any

from app.errors import BadRequest
from app.http.schemas.chat import ChatIn, Message

NOT_SHOWN = "(a picture that is not shown any more)"
SHOWN = "(the picture)"
DEFAULT_MODELS = frozenset({"markwise", "default"})
"""Names under which a client may ask whatever model answers now."""
MOST_TOKENS = 1_024


class OneImage(BadRequest):
    """One picture is asked about at a time"""

    code = "image.count"


def ground_body(chat: ChatIn) -> dict[str, Any]:
    """Return the body of `POST /v1/ground` that asks the same; raises OneImage, BadRequest."""
    options = chat.markwise
    body = options.model_dump(mode="json", exclude_none=True, exclude={"marks"})
    if options.marks is not None:
        body["marks"] = options.marks.model_dump(mode="json", exclude_unset=True)
    url = _newest_picture(chat.messages)
    if (url is None) == (options.mark_set_id is None):
        raise OneImage("Send one `image_url` part, or `mark_set_id` in `markwise`, and not both.")
    if url is not None:
        body["image"] = _image_of(url)
    return body | {
        "query": chat.messages[-1].text(),
        "model": None if chat.model in DEFAULT_MODELS else chat.model,
        "stream": chat.stream,
    }


def said_before(chat: ChatIn) -> dict[str, Any]:
    """Return the part of a question that a conversation adds: instructions, earlier turns and the room for the answer."""
    instructions = [message.text() for message in chat.messages if message.role in ("system", "developer")]
    newest = _newest_picture(chat.messages)
    earlier = [
        {"role": message.role, "text": _told(message, newest)}
        for message in chat.messages[:-1]
        if message.role in ("user", "assistant")
    ]
    asked = chat.max_completion_tokens or chat.max_tokens
    return {
        "instructions": "\n".join(text for text in instructions if text.strip()),
        "earlier": earlier,
        "max_tokens": None if asked is None else min(asked, MOST_TOKENS),
    }


def _newest_picture(messages: list[Message]) -> str | None:
    for message in reversed(messages):
        urls = message.images()
        if len(set(urls)) > 1:
            raise OneImage("A message may hold one picture.")
        if urls:
            return urls[0]
    return None


def _told(message: Message, newest: str | None) -> str:
    pictures = [SHOWN if url == newest else NOT_SHOWN for url in message.images()]
    return "\n".join([*pictures, message.text()])


def _image_of(url: str) -> dict[str, str]:
    if not url.startswith("data:"):
        return {"type": "url", "url": url}
    head, comma, data = url.partition(",")
    if not comma or not head.endswith(";base64"):
        raise BadRequest("A data: URL must hold base64.")
    return {"type": "base64", "data": data}
