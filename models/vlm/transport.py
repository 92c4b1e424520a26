"""Requests to a model server over HTTP: deadlines, retries with jitter, a circuit breaker, one pool of connections.

Called by `openai` and `adapters`; knows paths and JSON and nothing of prompts. What a server says in an error goes to the log, never
to the caller: it may quote addresses, paths and other people's text.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

import orjson

from models.errors import BackendDown, BackendUnfit, BadInput, BadOutput, ModelMissing
from models.vlm.breaker import CircuitBreaker
from models.vlm.connections import NO_HEADERS, AllInUse, Answer, BrokenOff, Connections, Unreachable, Waiting

MAX_ANSWER_BYTES = 4_000_000
_TRIES = 3
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0
# Refused before any work was done, so asking again cannot do it twice.
_TRY_AGAIN = frozenset({429, 502, 503})
_REFUSED = frozenset({400, 413, 422})
_CONNECT_S = 3.0
# A caller's own short deadline says nothing about the server: from here on a timeout counts as the server's failure.
_FAIR_S = 5.0
_LOGGED_BYTES = 400

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class _TryAgain(Exception):
    """The server took no work and may do so soon; `after_s` is the time it asked for."""

    def __init__(self, sentence: str, *, after_s: float = 0.0, busy: bool = False) -> None:
        super().__init__(sentence)
        self.after_s, self.busy = after_s, busy


class _Failing(BackendDown):
    """The server answered that it is broken."""


class _Late(BackendDown):
    """The time of the call is over."""


class _Unreadable(BadOutput):
    """What came back is no answer of a model server at all."""


class Clock:
    """The time one call may still take, over all of its attempts."""

    def __init__(self, deadline_s: float | None, timeout_s: float) -> None:
        self.allowed_s = timeout_s if deadline_s is None else min(deadline_s, timeout_s)
        self.fair = self.allowed_s >= min(_FAIR_S, timeout_s)
        self._end = time.monotonic() + self.allowed_s

    def left_s(self) -> float:
        """Return the seconds left; raises BackendDown when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise _Late("the model server did not answer in time")
        return left


class Transport:
    """The way to one server; safe to share between threads. Close it to free its connections."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        max_connections: int = 64,
        breaker: CircuitBreaker | None = None,
        pause: Callable[[float], None] = time.sleep,
        headers: Callable[[], Mapping[str, str]] = lambda: NO_HEADERS,
        waiting: Waiting = nullcontext,
    ) -> None:
        """`base_url` is the server's address, with or without `/v1`; `pause` waits between attempts.

        `headers` are asked for at every request: they tell the server for whom it is, such as `X-Request-Id`. `waiting` is entered
        where a thread waits for the server.
        """
        self._headers = headers
        self.breaker = breaker or CircuitBreaker()
        self.refusal: str | None = None
        self._timeout_s, self._pause = timeout_s, pause
        root = base_url.rstrip("/").removesuffix("/v1")
        self._connections = Connections(
            f"{root}/v1/",
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            most=max_connections,
            waiting=waiting,
        )

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def refuse(self, sentence: str | None) -> None:
        """From now on `check_fit` raises `sentence`; None takes that back."""
        self.refusal = sentence

    def check_fit(self) -> None:
        """Raise BackendUnfit if the server was refused; whoever tests the server does not ask."""
        if self.refusal is not None:
            raise BackendUnfit(self.refusal)

    def get(self, path: str, *, deadline_s: float | None = None) -> dict[str, Any]:
        """Return the JSON object at `path`, asked once. Raises BackendDown, BadOutput.

        Past the breaker: a server that lists its models may well fail at everything else, and the reverse.
        """
        clock = self.clock(deadline_s)
        with _once(clock):
            return self._whole("GET", path, None, clock)

    def tell(self, path: str, body: dict[str, Any], *, deadline_s: float | None = None) -> None:
        """Send `body` once, past the breaker, and read nothing of the answer but that it is a success. Raises like `post`."""
        clock = self.clock(deadline_s)
        with _once(clock):
            self._begun("POST", path, _json_bytes(body), clock).close()

    def post(self, path: str, body: dict[str, Any], clock: Clock) -> dict[str, Any]:
        """Send `body` and return the JSON object that comes back. Raises BackendDown, BadInput, BadOutput."""
        data = _json_bytes(body)
        return self._patiently(clock, lambda: self._whole("POST", path, data, clock))

    def lines(self, path: str, body: dict[str, Any], clock: Clock) -> Iterator[str]:
        """Send `body` and yield the lines of the answer as they come; nothing is sent again once it has begun."""
        data = _json_bytes(body)
        answer = self._patiently(clock, lambda: self._begun("POST", path, data, clock))
        try:
            with _judged(clock, self.breaker):
                yield from _lines(answer, clock)
        finally:
            answer.close()

    def clock(self, deadline_s: float | None) -> Clock:
        """Start the time of one call: `deadline_s` from now, and never longer than the server is waited for."""
        return Clock(deadline_s, self._timeout_s)

    def _patiently(self, clock: Clock, attempt: Callable[[], _T]) -> _T:
        """Run `attempt` up to three times, with pauses of full jitter and never beyond the deadline."""
        longest_s = _FIRST_PAUSE_S
        for tries_left in reversed(range(_TRIES)):
            wait_s = self.breaker.admit()
            if wait_s is not None:
                raise BackendDown("the model server failed several times and is left alone", retry_after_s=wait_s)
            try:
                with _judged(clock, self.breaker):
                    return attempt()
            except _TryAgain as refusal:
                pause_s = refusal.after_s + random.uniform(0.0, longest_s)
                if not tries_left or pause_s >= clock.left_s():
                    raise BackendDown(str(refusal), retry_after_s=refusal.after_s or None) from refusal
            self._pause(pause_s)
            longest_s = min(2 * longest_s, _LONGEST_PAUSE_S)
        raise AssertionError("the last attempt returns or raises")

    def _whole(self, method: str, path: str, data: bytes | None, clock: Clock) -> dict[str, Any]:
        answer = self._begun(method, path, data, clock)
        try:
            raw = bytearray()
            while chunk := answer.chunk(clock.left_s()):
                raw += chunk
                if len(raw) > MAX_ANSWER_BYTES:
                    raise _Unreadable("the model server's answer is too long")
        finally:
            answer.close()
        try:
            parsed = json.loads(raw)
        except ValueError:
            raise _Unreadable("the model server's answer is not JSON") from None
        if not isinstance(parsed, dict):
            raise _Unreadable("the model server's answer is not a JSON object")
        return parsed

    def _begun(self, method: str, path: str, data: bytes | None, clock: Clock) -> Answer:
        left_s = clock.left_s()
        answer = self._connections.send(
            method, path, data, timeout_s=left_s, connect_s=min(_CONNECT_S, left_s), headers=self._headers()
        )
        if answer.status != HTTPStatus.OK:
            try:
                raise _refusal(answer, clock)
            finally:
                answer.close()
        return answer


def _lines(answer: Answer, clock: Clock) -> Iterator[str]:
    """Yield the lines of an answer as they come, without their ends."""
    rest = b""
    while chunk := answer.chunk(clock.left_s()):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode(errors="replace")
        if len(rest) > MAX_ANSWER_BYTES:
            raise _Unreadable("the model server's answer is too long")
    if rest:
        yield rest.decode(errors="replace")


def retry_after_s(value: str | None) -> float:
    """Return the seconds of a `Retry-After` header, given as a number or as a date; 0 for anything else."""
    try:
        seconds = float(value or 0)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(str(value)).timestamp() - time.time()
        except ValueError:
            return 0.0
    return seconds if 0.0 < seconds < float("inf") else 0.0


@contextmanager
def _once(clock: Clock) -> Iterator[None]:
    """One attempt that says nothing to the breaker."""
    try:
        with _judged(clock, CircuitBreaker()):
            yield
    except _TryAgain as refusal:
        raise BackendDown(str(refusal), retry_after_s=refusal.after_s or None) from refusal


@contextmanager
def _judged(clock: Clock, breaker: CircuitBreaker) -> Iterator[None]:
    """Tell the breaker how a call ended, and replace the connection's errors by ours; they stay the cause, for the log."""
    verdict = breaker.abandoned
    try:
        yield
        verdict = breaker.succeeded
    except Unreachable as error:
        verdict = breaker.failed
        raise _TryAgain("the model server cannot be reached") from error
    except AllInUse as error:
        raise BackendDown("every connection to the model server is in use", retry_after_s=1.0) from error
    except (_Late, TimeoutError) as error:
        verdict = breaker.failed if clock.fair else breaker.abandoned
        raise _Late("the model server did not answer in time") from error
    except BrokenOff as error:
        verdict = breaker.failed
        raise BackendDown("the model server broke the connection off") from error
    except _TryAgain as error:
        verdict = breaker.succeeded if error.busy else breaker.failed
        raise
    except (BadInput, BackendUnfit):
        verdict = breaker.succeeded
        raise
    except (_Failing, _Unreadable):
        verdict = breaker.failed
        raise
    finally:
        verdict()


def _refusal(answer: Answer, clock: Clock) -> Exception:
    """Return the error that a status means; the server's own words go to the log."""
    status = answer.status
    _log.warning("the model server answered HTTP %d: %r", status, answer.chunk(clock.left_s(), _LOGGED_BYTES))
    if status in _TRY_AGAIN:
        sentence = f"the model server answered HTTP {status}"
        return _TryAgain(sentence, after_s=retry_after_s(answer.header("Retry-After")), busy=status == 429)
    if status in _REFUSED:
        return BadInput(f"the model server refused the request (HTTP {status}); it may be too long for the model")
    if status in (401, 403):
        return BackendUnfit(f"the model server refuses our key (HTTP {status}); set MARKWISE_VLM_API_KEY")
    if status == 404:
        return ModelMissing("the model server does not serve this model; set MARKWISE_VLM_MODEL to one that it lists")
    return _Failing(f"the model server answered HTTP {status}")


def _json_bytes(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # half of a surrogate pair, or a number beyond 64 bits: legal JSON, and the server's to judge
        return json.dumps(body, separators=(",", ":")).encode()
