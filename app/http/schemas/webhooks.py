"""What a request says about webhooks."""

from typing import Annotated, Literal

from pydantic import Field

from app.http.schemas.images import Strict

WebhookUrl = Annotated[str, Field(min_length=8, max_length=2000, description="where events are posted")]
Event = Literal["job.succeeded", "job.failed", "job.cancelled"]
Kind = Annotated[str, Field(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$", examples=["training.run"])]
Events = Annotated[list[Event], Field(min_length=1, max_length=3)]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=20)]


def _all_events() -> list[Event]:
    return ["job.succeeded", "job.failed", "job.cancelled"]


class WebhookIn(Strict):
    """`POST /v1/webhooks`: have the ends of jobs posted to a URL."""

    url: WebhookUrl
    events: Events = Field(default_factory=_all_events)
    kinds: Kinds | None = Field(default=None, description="only jobs of these kinds; all, if left out")


class WebhookChangesIn(Strict):
    """`PATCH /v1/webhooks/{id}`: only what is given changes."""

    url: WebhookUrl | None = None
    events: Events | None = None
    kinds: Kinds | None = None
    active: bool | None = None
