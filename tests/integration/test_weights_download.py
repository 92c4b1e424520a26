"""Downloading weights from a real server on loopback: resumed after a cut, checked, one writer at a time."""

import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.errors import WeightsMissing
from models.published import PUBLISHED, Published
from models.weights import fetched, located

DATA = bytes(range(256)) * 20_000  # 5 MB
SHA256 = hashlib.sha256(DATA).hexdigest()


class Files(BaseHTTPRequestHandler):
    """Serves DATA under any name; /cut/ hangs up after 2 MB, /whole/ ignores ranges, /gone/ is 404."""

    asked: list[str | None]

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()

    def do_GET(self) -> None:
        self.server.asked.append(self.headers["Range"])
        if self.path.startswith("/gone/"):
            self.send_error(404)
            return
        first = 0
        found = re.match(r"bytes=(\d+)-", self.headers["Range"] or "")
        if found and not self.path.startswith("/whole/"):
            first = int(found[1])
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(DATA) - first))
        self.end_headers()
        rest = DATA[first:]
        self.wfile.write(rest[: 2 << 20] if self.path.startswith("/cut/") else rest)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def published(server: ThreadingHTTPServer, path: str, sha256: str = SHA256) -> Published:
    return Published(url=f"http://127.0.0.1:{server.server_port}{path}", size=len(DATA), sha256=sha256)


def test_a_file_is_fetched_once_and_reported(server, tmp_path):
    seen = []
    file = published(server, "/a.pth")
    first = fetched(file, tmp_path, setting="X", report=lambda done, total: seen.append((done, total)))
    assert first.read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    assert fetched(file, tmp_path, setting="X") == first
    assert server.asked == [None]


def test_a_cut_connection_is_resumed_where_it_was_cut(server, tmp_path):
    path = fetched(published(server, "/cut/a.pth"), tmp_path, setting="X", report=lambda *_: None)
    assert path.read_bytes() == DATA
    assert server.asked == [None, f"bytes={2 << 20}-", f"bytes={4 << 20}-"]


def test_what_an_earlier_process_left_is_gone_on_with(server, tmp_path):
    (tmp_path / "a.pth.partial").write_bytes(DATA[:1000])
    path = fetched(published(server, "/a.pth"), tmp_path, setting="X", report=lambda *_: None)
    assert path.read_bytes() == DATA
    assert server.asked == ["bytes=1000-"]


def test_a_server_without_ranges_starts_over(server, tmp_path):
    (tmp_path / "a.pth.partial").write_bytes(b"old" * 100)
    assert (
        fetched(published(server, "/whole/a.pth"), tmp_path, setting="X", report=lambda *_: None).read_bytes() == DATA
    )


def test_a_wrong_checksum_leaves_nothing_behind(server, tmp_path):
    with pytest.raises(WeightsMissing, match="another SHA-256"):
        fetched(published(server, "/a.pth", "0" * 64), tmp_path, setting="X", report=lambda *_: None)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pth.lock"]


def test_offline_says_what_to_put_where(server, tmp_path):
    with pytest.raises(WeightsMissing, match=rf"put http://\S+ at {tmp_path}/a\.pth .* or set MARKWISE_SAM_WEIGHTS"):
        fetched(published(server, "/gone/a.pth"), tmp_path, setting="MARKWISE_SAM_WEIGHTS", report=lambda *_: None)
    port = server.server_port
    server.shutdown()
    server.server_close()
    dead = Published(url=f"http://127.0.0.1:{port}/a.pth", size=len(DATA), sha256=SHA256)
    with pytest.raises(WeightsMissing, match=r"could not be downloaded \(ConnectError\)"):
        fetched(dead, tmp_path, setting="X", report=lambda *_: None)


def test_two_at_once_download_once(server, tmp_path):
    file = published(server, "/a.pth")
    threads = [threading.Thread(target=fetched, args=(file, tmp_path), kwargs={"setting": "X"}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked == [None]
    assert (tmp_path / "a.pth").read_bytes() == DATA


def test_a_path_is_taken_as_it_is_and_a_missing_one_is_named(tmp_path: Path):
    file = tmp_path / "mine.pth"
    file.write_bytes(b"x")
    assert located(str(file), setting="X", cache=tmp_path, names=("sam-vit-b",)) == file
    with pytest.raises(WeightsMissing, match="MARKWISE_SAM_WEIGHTS to a file, or to a name to download: sam-vit-b"):
        located(None, setting="MARKWISE_SAM_WEIGHTS", cache=tmp_path, names=("sam-vit-b",))
    with pytest.raises(WeightsMissing, match=r"MARKWISE_SAM_WEIGHTS names /nowhere\.pth"):
        located("/nowhere.pth", setting="MARKWISE_SAM_WEIGHTS", cache=tmp_path, names=("sam-vit-b",))


def test_a_file_of_unknown_size_is_checked_and_kept_under_its_sum(server, tmp_path, monkeypatch):
    unsized = replace(published(server, "/files/a.pth"), size=None, sha256=None)
    monkeypatch.setitem(PUBLISHED, "nameless", unsized)
    given = {"setting": "MARKWISE_X_WEIGHTS", "cache": tmp_path, "names": ("nameless",)}
    with pytest.raises(
        WeightsMissing, match=r"no SHA-256 of a\.pth is known.* set MARKWISE_X_WEIGHTS to nameless@sha256:SUM"
    ):
        located("nameless", **given)
    with pytest.raises(WeightsMissing, match="64 hex digits"):
        located("nameless@sha256:abc", **given)
    path = located(f"nameless@sha256:{SHA256}", **given)
    assert path == tmp_path / f"a-{SHA256[:12]}.pth"
    assert path.read_bytes() == DATA
    assert located(f"nameless@sha256:{SHA256}", **given) == path
    assert server.asked == [None]
    other = "0" * 64
    with pytest.raises(WeightsMissing, match=f"another SHA-256 than {other} and was deleted"):
        located(f"nameless@sha256:{other}", **given)
    assert sorted(item.suffix for item in tmp_path.iterdir() if item.stat().st_size) == [".pth"]
