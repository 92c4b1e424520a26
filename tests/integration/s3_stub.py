"""A small S3 over real HTTP for tests: one bucket, the calls that S3Blobs makes, and faults on demand."""

import base64
import hashlib
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "markwise-test"
PAGE = 3  # keys per listing, small enough that the tests meet a second page


class S3Stub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.said: dict[str, str] = {}  # by key, the sum that was sent along
        self.lock = threading.Lock()
        self.faults: deque[str] = deque()  # "500", "503", "drop", "torn" or "silent", one per coming request
        self.speak = threading.Event()  # ends the silence
        self.requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running_stub() -> Iterator[S3Stub]:
    with S3Stub() as stub:
        thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield stub
        finally:
            stub.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: S3Stub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _key(self) -> str | None:
        bucket, _slash, key = unquote(urlsplit(self.path).path).removeprefix("/").partition("/")
        return key if bucket == BUCKET else None

    def _answer(self, status: int, body: bytes = b"", declared: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if declared is None else declared))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>stub</Message></Error>".encode())

    def _faulted(self) -> bool:
        self.server.requests += 1
        if not self.server.faults:
            return False
        fault = self.server.faults.popleft()
        if fault == "drop":
            self.close_connection = True
            self.connection.close()
        elif fault == "silent":
            self.server.speak.wait(30)
            self.close_connection = True
        elif fault == "torn":
            self._answer(200, b"short", declared=5000, Last_Modified=format_datetime(datetime.now(UTC), usegmt=True))
            self.close_connection = True
            self.connection.close()
        else:
            self._error(int(fault), "InternalError" if fault == "500" else "SlowDown")
        return True

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._faulted():
            return
        key = self._key()
        if not key:
            self._error(404, "NoSuchBucket")
            return
        if self.headers["x-amz-checksum-sha256"] != base64.b64encode(hashlib.sha256(body).digest()).decode():
            self._error(400, "BadDigest")
            return
        with self.server.lock:
            if self.headers["If-None-Match"] == "*" and key in self.server.objects:
                self._error(412, "PreconditionFailed")
                return
            self.server.objects[key] = (body, datetime.now(UTC))
            self.server.said[key] = self.headers["x-amz-meta-sha256"]
        self._answer(200, ETag='"stub"')

    def do_GET(self) -> None:
        if self._faulted():
            return
        key = self._key()
        if key is None:
            self._error(404, "NoSuchBucket")
        elif not key:
            self._list()
        elif key not in self.server.objects:
            self._error(404, "NoSuchKey")
        else:
            body, modified = self.server.objects[key]
            said = {"x_amz_meta_sha256": self.server.said[key]} if key in self.server.said else {}
            self._answer(200, body, Last_Modified=format_datetime(modified, usegmt=True), ETag='"stub"', **said)

    def do_HEAD(self) -> None:
        if self._faulted():
            return
        key = self._key()
        if key is None or (key and key not in self.server.objects):
            self._answer(404)
        elif not key:
            self._answer(200)
        else:
            body, modified = self.server.objects[key]
            self._answer(200, b"", len(body), Last_Modified=format_datetime(modified, usegmt=True), ETag='"stub"')

    def do_DELETE(self) -> None:
        if self._faulted():
            return
        self.server.objects.pop(self._key() or "", None)
        self._answer(204)

    def _list(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        after = query.get("continuation-token", "")
        keys = sorted(key for key in self.server.objects if key.startswith(query.get("prefix", "")) and key > after)
        page = keys[:PAGE]
        more = len(keys) > PAGE
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.server.objects[key][0])}</Size>"
            f"<LastModified>{self.server.objects[key][1].strftime('%Y-%m-%dT%H:%M:%S.000Z')}</LastModified></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        self._answer(
            200,
            f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>".encode(),
        )
