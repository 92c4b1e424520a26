"""The client for ordinary code. Sends calls, tries them again, waits for what they order, and streams."""

import time
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar, cast

import httpx

from markwise import protocol
from markwise.call import Call, Listed, id_of, reader
from markwise.errors import ApiError, JobFailed, Overloaded, ServiceUnreachable, StillRunning, error_of
from markwise.methods import AtOnce
from markwise.pictures import ImageLike, reference
from markwise.types import Dataset, Event, Job

P = ParamSpec("P")
T = TypeVar("T")


class Client(AtOnce):
    """A connection to one service; safe to share between threads. Use it in a `with`, or close it."""

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 150.0,
        tries: int = 5,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`url` and `api_key` default to `MARKWISE_SERVER` and `MARKWISE_KEY`; each call is tried at most `tries` times."""
        self.server = protocol.server(url, api_key, timeout_s, tries)
        self._http = httpx.Client(
            base_url=self.server.url, headers=self.server.headers(), timeout=timeout_s, transport=transport
        )

    def send(self, call: Call[T]) -> T:
        """Send a call and return what it reads; a 202 is waited for where the call says what to fetch then."""
        response = self._response(protocol.request(self._http, call))
        if response.status_code == 202 and call.each is not None:
            job = self.wait(reader(Job)(response.content))
            return cast("T", [self.send(one) for one in call.each(job)])
        if response.status_code == 202 and call.then is not None:
            return self.send(call.then(self.wait(reader(Job)(response.content))))
        return call.read(response.content)

    def wait(
        self, job: Job | str, *, timeout_s: float | None = None, on_progress: Callable[[Job], None] | None = None
    ) -> Job:
        """Return a job once it has succeeded; raises JobFailed, or StillRunning when the time is over."""
        started, pause_s, seen = time.monotonic(), 0.05, None
        while True:
            now = self.job(job)
            if on_progress is not None and (now.status, now.progress) != seen:
                seen = (now.status, now.progress)
                on_progress(now)
            if now.over:
                if now.status != "succeeded":
                    raise JobFailed(now.id, now.status, now.error)
                return now
            waited_s = time.monotonic() - started
            if timeout_s is not None and waited_s >= timeout_s:
                raise StillRunning(now.id, waited_s)
            time.sleep(pause_s)
            pause_s = min(1.0, pause_s * 1.5)

    def job_events(self, job: Job | str) -> Iterator[Event]:
        """Yield a job's events, past and to come, until it has ended; a stream that breaks is taken up where it broke."""
        reader, tried = protocol.EventReader(), 0
        path = f"/v1/jobs/{id_of(job)}/events"
        while True:
            headers = {} if reader.last_id is None else {"Last-Event-ID": reader.last_id}
            asked_for_s: float | None = None
            try:
                with self._http.stream("GET", path, headers=headers) as response:
                    if not response.is_success:
                        response.read()
                        raise protocol.refusal(response)
                    for line in response.iter_lines():
                        for event in reader.feed(line):
                            tried = 0
                            yield event
                            if event.name == "completed":
                                return
            except httpx.TransportError as error:
                tried += 1
                if tried >= self.server.tries:
                    raise ServiceUnreachable(f"{self.server.url} does not answer: {error}") from error
            except Overloaded as refused:
                tried, asked_for_s = tried + 1, refused.retry_after_s
                if tried >= self.server.tries:
                    raise
            time.sleep(protocol.pause_s(tried, asked_for_s))

    def ground_stream(self, image: ImageLike, query: str, **options: Any) -> Iterator[Event]:
        """Yield `text` and `mention` events while the model writes, then `answer`; options are those of `POST /v1/ground`."""
        body = reference(image) | {"query": query, "stream": True, **options}
        reader = protocol.EventReader()
        with self._http.stream("POST", "/v1/ground", json=body) as response:
            if not response.is_success:
                response.read()
                raise protocol.refusal(response)
            for line in response.iter_lines():
                for event in reader.feed(line):
                    if event.name == "error":
                        raise error_of(int(event.data.get("status", 500)), event.data)
                    yield event

    def export_dataset(
        self,
        dataset: Dataset | str,
        out: str | PathLike[str],
        *,
        format: str = "llava",
        **params: Any,
    ) -> Path:
        """Write a dataset as `llava`, `jsonl`, `coco` or `webdataset` to a file, whole or not at all."""
        target = Path(out)
        part = target.with_name(f"{target.name}.part")
        path = f"/v1/datasets/{id_of(dataset)}/export"
        try:
            with (
                self._http.stream("GET", path, params={"format": format, **params}) as response,
                part.open("wb") as file,
            ):
                if not response.is_success:
                    response.read()
                    raise protocol.refusal(response)
                file.writelines(response.iter_bytes())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Use the client in a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def _sent(self, make: Callable[P, Call[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        return self.send(make(*args, **kwargs))

    def _paged(self, make: Callable[P, Listed[T]], *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        listed, after = make(*args, **kwargs), None
        while True:
            page = self.send(listed.page(after))
            yield from page.data
            after = page.next_cursor
            if after is None:
                return

    def _response(self, request: httpx.Request) -> httpx.Response:
        for tried in range(self.server.tries):
            last = tried == self.server.tries - 1
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                if last:
                    raise ServiceUnreachable(f"{self.server.url} does not answer: {error}") from error
                time.sleep(protocol.pause_s(tried, None))
                continue
            if response.is_success:
                return response
            refused: ApiError = protocol.refusal(response)
            if last or not protocol.worth_trying_again(refused):
                raise refused
            time.sleep(protocol.pause_s(tried, refused.retry_after_s))
        raise AssertionError("the last try returns or raises")
