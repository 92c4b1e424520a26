"""How an OpenAI client asks: `POST /v1/chat/completions`, read leniently where it does not matter and strictly where it does.

Fields that would change the answer and that we cannot honour are refused; the rest of what clients send is let through.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.http.schemas.ground import Task
from app.http.schemas.images import Strict
from app.http.schemas.marksets import MarksIn


class ImageUrl(BaseModel):
    """A picture: a data: URL with base64, or an https: URL that the service fetches."""

    url: Annotated[str, Field(min_length=1, max_length=28_000_000)]


class Part(BaseModel):
    """One part of a message: text or a picture."""

    type: Literal["text", "image_url"]
    text: Annotated[str, Field(max_length=40_000)] | None = None
    image_url: ImageUrl | None = None

    @model_validator(mode="after")
    def _complete(self) -> "Part":
        if (self.text if self.type == "text" else self.image_url) is None:
            raise ValueError(f"a part of type `{self.type}` needs `{self.type}`")
        return self


class Message(BaseModel):
    """One message; `content` is text or parts."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, Field(max_length=40_000)] | Annotated[list[Part], Field(max_length=64)]

    @model_validator(mode="after")
    def _pictures_are_the_users(self) -> "Message":
        if self.role != "user" and self.images():
            raise ValueError("only a `user` message may hold a picture")
        return self

    def text(self) -> str:
        """All text of the message."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if part.text)

    def images(self) -> list[str]:
        """The URLs of its pictures."""
        parts = [] if isinstance(self.content, str) else self.content
        return [part.image_url.url for part in parts if part.image_url is not None]


class StreamOptions(BaseModel):
    """`include_usage` asks for a last chunk with the tokens."""

    include_usage: bool = False


class MarkwiseIn(Strict):
    """Our extension, `extra_body={"markwise": {...}}` in the Python client: what `POST /v1/ground` knows and OpenAI does not."""

    task: Task = "ask"
    mark_set_id: UUID | None = None
    target_mark_set_id: UUID | None = None
    choices: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(default=None, max_length=1000)
    expect_image_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    tags: bool = True
    constrain: bool = True
    marks: MarksIn | None = None
    deadline_ms: Annotated[int, Field(ge=1, le=600_000)] | None = None


class ChatIn(BaseModel):
    """`POST /v1/chat/completions`."""

    model_config = ConfigDict(extra="allow")

    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[Message], Field(min_length=1, max_length=200)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    n: int | None = None
    stop: Any = None
    tools: Any = None
    functions: Any = None
    logprobs: bool | None = None
    response_format: dict[str, Any] | None = None
    markwise: MarkwiseIn = Field(default_factory=MarkwiseIn)

    @model_validator(mode="after")
    def _can_be_honoured(self) -> "ChatIn":
        wanted = {
            "n": self.n not in (None, 1),
            "stop": bool(self.stop),
            "tools": bool(self.tools),
            "functions": bool(self.functions),
            "logprobs": bool(self.logprobs),
            "response_format": (self.response_format or {"type": "text"}).get("type") != "text",
        }
        refused = [name for name, asked in wanted.items() if asked]
        if refused:
            raise ValueError(f"not supported: {', '.join(f'`{name}`' for name in refused)}")
        if self.messages[-1].role != "user":
            raise ValueError("the last message must be the user's")
        return self

    def ignored(self) -> list[str]:
        """What was sent and changes nothing: answers are always the likeliest words."""
        sampled = {"temperature": self.temperature not in (None, 0), "top_p": self.top_p not in (None, 1)}
        return [name for name, asked in sampled.items() if asked]
