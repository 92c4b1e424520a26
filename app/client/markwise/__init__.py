"""Ask a Markwise service about images.

from markwise import Client

client = Client("http://127.0.0.1:8000")
answer = client.ground("page.png", "Click Sign in")
print(answer.marks[0].point_xy_px)
"""

from markwise.asynchronous import AsyncClient
from markwise.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    JobFailed,
    MarkwiseError,
    NotFound,
    Overloaded,
    ServiceUnreachable,
    StillRunning,
    Unauthorised,
)
from markwise.synchronous import Client

__all__ = [
    "ApiError",
    "AsyncClient",
    "BadRequest",
    "Client",
    "Conflict",
    "Forbidden",
    "JobFailed",
    "MarkwiseError",
    "NotFound",
    "Overloaded",
    "ServiceUnreachable",
    "StillRunning",
    "Unauthorised",
]
