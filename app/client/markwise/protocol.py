"""How a request is made, when it is tried again, and how server-sent events are read. Sends nothing and never sleeps.

Every POST carries an `Idempotency-Key` that stays the same over its tries, so that trying again can do nothing twice.
"""

import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from markwise.call import Call
from markwise.errors import ApiError, error_of
from markwise.types import Event

TRY_AGAIN = frozenset({429, 502, 503, 504})
_STILL_RUNNING = "idempotency.running"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 20.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the service is and how patiently it is asked."""

    url: str
    api_key: str | None
    timeout_s: float
    tries: int

    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"User-Agent": "markwise-client/0.1.0"} | (
            {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        )


def server(url: str | None, api_key: str | None, timeout_s: float, tries: int) -> Server:
    """Return where to ask: as given, else `MARKWISE_SERVER` and `MARKWISE_KEY`, else the embedded service's own address."""
    return Server(
        url=(url or os.environ.get("MARKWISE_SERVER") or "http://127.0.0.1:8000").rstrip("/"),
        api_key=api_key or os.environ.get("MARKWISE_KEY"),
        timeout_s=timeout_s,
        tries=tries,
    )


def request(
    http: httpx.Client | httpx.AsyncClient, call: Call[Any], headers: Mapping[str, str] | None = None
) -> httpx.Request:
    """Return the request of a call; sent again as it is, it is the same request to the service."""
    given = dict(headers or {})
    if call.method == "POST":
        given["Idempotency-Key"] = str(uuid4())
    return http.build_request(call.method, call.path, params=call.params or None, json=call.body, headers=given)


def refusal(response: httpx.Response) -> ApiError:
    """Return the error of a response that is none of success; its body must have been read."""
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    try:
        retry_after_s = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        retry_after_s = None
    return error_of(response.status_code, problem if isinstance(problem, dict) else {}, retry_after_s)


def worth_trying_again(error: ApiError) -> bool:
    """Whether the same request may succeed later: too much at once, a dependency down, or our first try still at work."""
    return error.status in TRY_AGAIN or error.code == _STILL_RUNNING


def pause_s(tried: int, asked_for_s: float | None) -> float:
    """How long to wait after so many tries: what the service asked for, else doubling with full jitter."""
    own = random.uniform(0, min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**tried))
    return own if asked_for_s is None else asked_for_s + own / 4


class EventReader:
    """Puts the lines of an event stream together; `last_id` is where to go on after a break."""

    def __init__(self) -> None:
        self.last_id: str | None = None
        self._name, self._data = "message", list[str]()

    def feed(self, line: str) -> Iterator[Event]:
        """Take one line, without its end; yields an event when the line ends one."""
        if not line:
            if self._data:
                yield Event(name=self._name, id=self.last_id, data=json.loads("\n".join(self._data)))
            self._name, self._data = "message", []
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            self.last_id = value
