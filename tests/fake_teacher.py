"""A scripted OpenAI-compatible teacher on loopback: slow, rate-limited, broken, refusing or writing garbage, as a test says.

It reads the tags that a prompt names and answers with a listing or a conversation about exactly those. `python -m
tests.fake_teacher` runs it in a process of its own and prints its port.
"""

import argparse
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NAME = "fake-teacher"
TROUBLES = ("rate", "down", "garbage", "refusal", "invented", "cut", "slow")


@dataclass
class Script:
    """How the teacher behaves: latency, and the share of answers that go wrong in each way."""

    latency_s: float = 0.0
    shares: dict[str, float] = field(default_factory=dict)
    seed: int = 0
    retry_after_s: float = 1.0
    slow_s: float = 2.0
    down: bool = False
    most_at_once: int | None = None


class FakeTeacher:
    """The server and what it saw; safe to look at from other threads."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.at_once = self.most_seen = 0
        self.keep_bodies = 0
        self._draw = random.Random(script.seed)
        self._lock = threading.Lock()

    def trouble(self) -> str | None:
        """Draw what goes wrong with the next answer."""
        with self._lock:
            roll = self._draw.random()
        for name in TROUBLES:
            roll -= self.script.shares.get(name, 0.0)
            if roll < 0:
                return name
        return None

    @contextmanager
    def busy(self) -> Iterator[bool]:
        """Count the questions under way; yields whether there is room for one more."""
        with self._lock:
            self.at_once += 1
            self.most_seen = max(self.most_seen, self.at_once)
            room = self.script.most_at_once is None or self.at_once <= self.script.most_at_once
        try:
            yield room
        finally:
            with self._lock:
                self.at_once -= 1


def answer_to(body: dict[str, Any]) -> str:
    """A right answer to one of our prompts: a conversation where it asks for one, else a listing."""
    texts = []
    for message in body["messages"]:
        content = message["content"]
        texts += [content] if isinstance(content, str) else [part.get("text", "") for part in content]
    asked = "\n".join(texts)
    named = re.findall(r"(?:There are \d+ of them: |There is one: |Its tags are )([0-9A-Z, ]+)\.", asked)
    ids = named[-1].split(", ") if named else ["1"]
    wanted = re.findall(r"Write (\d+) questions", asked)
    if wanted:
        turns = range(int(wanted[-1]))
        pairs = (f"Person: What is [{ids[n % len(ids)]}]?\nAssistant: It is thing {n}." for n in turns)
        return "\n".join(pairs)
    return "\n".join(f"{mark}. thing {mark}" for mark in ids)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    teacher: FakeTeacher

    def do_GET(self) -> None:
        self._send(200, {"object": "list", "data": [{"id": NAME, "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        teacher = self.teacher
        with teacher.busy() as room:
            trouble = "rate" if not room else ("down" if teacher.script.down else teacher.trouble())
            teacher.seen[trouble or "well"] += 1
            if teacher.keep_bodies > len(teacher.bodies):
                teacher.bodies.append(body)
            time.sleep(teacher.script.slow_s if trouble == "slow" else teacher.script.latency_s)
            self._answer(body, trouble)

    def _answer(self, body: dict[str, Any], trouble: str | None) -> None:
        match trouble:
            case "rate":
                headers = {"Retry-After": f"{self.teacher.script.retry_after_s:g}"}
                self._send(429, {"error": {"message": "slow down"}}, headers)
            case "down":
                self._send(503, {"error": {"message": "not now"}})
            case "cut":
                self.close_connection = True
                self.connection.close()
            case "garbage":
                self._raw(200, b"<html>not what you think \x00\xff</html>")
            case "refusal":
                self._say("I'm sorry, but I can't help with that.")
            case "invented":
                self._say(answer_to(body) + "\n99. a thing that is not there\nPerson: [99]?\nAssistant: [99] it is.")
            case _:
                self._say(answer_to(body))

    def _say(self, text: str) -> None:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
        self._send(200, {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage})

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._raw(status, json.dumps(body).encode(), headers)

    def _raw(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """A caller that was killed in mid-question is what these tests are about."""


@contextmanager
def teaching(script: Script | None = None) -> Iterator[tuple[str, FakeTeacher]]:
    """Run a teacher in this process; yields its URL and what it sees."""
    teacher = FakeTeacher(script or Script())
    handler = type("Bound", (Handler,), {"teacher": teacher})
    server = Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", teacher
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def main() -> None:
    """Teach until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--shares", type=json.loads, default={})
    parser.add_argument("--most-at-once", type=int)
    given = parser.parse_args()
    script = Script(latency_s=given.latency_ms / 1000, shares=given.shares, most_at_once=given.most_at_once)
    with teaching(script) as (url, _):
        print(url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
