"""A loopback server that behaves like vLLM where it matters here: choices, log probabilities, streaming, refusals.

Its "model" is `FakeBackend`, so a test knows the true probability of every choice. Tokens are words, single digits and signs.
"""

import json
import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from models.vlm.fake import FakeBackend
from models.vlm.types import NONE, Dialect, VlmRequest

_CHOICE = re.compile(r"\s*(?:\[(\w+)\]|Mark (\w+)\.|None\.)")
PIXEL = np.zeros((1, 1, 3), np.uint8)


@dataclass
class Script:
    """What the server does: `kind` vllm | plain (refuses unknown fields) | ignores (answers freely) | stubborn (ignores all)."""

    kind: str = "vllm"
    dialect: Dialect = "general"
    free_text: str = "It is [1], I think."
    status: int = 200
    raw: bytes | None = None
    delay_s: float = 0.0
    logprobs: bool = True
    break_stream: bool = False
    piece_s: float = 0.0
    left: int = 0
    top: int = 20
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def tokens_of(text: str) -> list[str]:
    return re.findall(r"\d|[A-Za-z]+|\s+|[^\w\s]", text)


def _answers(body: dict[str, Any], script: Script) -> dict[str, str] | None:
    """{answer text: choice} the body confines the server to, or None."""
    if "structured_outputs" in body and script.kind == "vllm":
        # Of the two ways to write a choice it takes the first. What names no mark is an answer of its own.
        first: dict[str, str] = {}
        for text in body["structured_outputs"]["choice"]:
            named = _CHOICE.fullmatch(text)
            first.setdefault((named[1] or named[2] or NONE) if named else text.strip(), text)
        return {text: choice for choice, text in first.items()}
    if "response_format" in body and script.kind in ("vllm", "plain", "ignores"):
        ((key, field),) = body["response_format"]["json_schema"]["schema"]["properties"].items()
        return {json.dumps({key: choice}, ensure_ascii=False): choice for choice in field["enum"]}
    return None


def _confined(prompt: str, answers: dict[str, str], script: Script) -> tuple[str, list[dict[str, Any]]]:
    fake = FakeBackend(dialect=script.dialect)
    request, choices = VlmRequest(images=(PIXEL,), prompt=prompt), [c for c in answers.values() if c != NONE]
    marks = NONE in answers.values()
    truth = (fake.choose(request, choices) if marks else fake.weigh(request, choices)).probabilities
    text = max(answers, key=lambda answer: truth[answers[answer]])
    content, path, mass = [], [], 1.0
    for token in tokens_of(text):
        below: dict[str, float] = {}
        for answer, choice in answers.items():
            pieces = tokens_of(answer)
            if pieces[: len(path)] == path and len(pieces) > len(path):
                below[pieces[len(path)]] = below.get(pieces[len(path)], 0.0) + truth[choice]
        # Raw log probabilities: at the start, half of the mass lies on a token that the grammar forbids.
        inside = 1.0 if path else 0.5
        listed = sorted(((t, math.log(inside * p / mass)) for t, p in below.items()), key=lambda pair: -pair[1])
        listed = listed if path else [("The", math.log(0.5)), *listed]
        content.append(
            {
                "token": token,
                "logprob": dict(listed)[token],
                "bytes": list(token.encode()),
                "top_logprobs": [{"token": t, "logprob": p} for t, p in listed[: script.top]],
            }
        )
        mass, path = below[token], [*path, token]
    return text, content


class _Handler(BaseHTTPRequestHandler):
    script: Script
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._send(self.script.status, json.dumps({"data": [{"id": "m"}]}).encode())

    def do_POST(self) -> None:
        script = self.script
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        script.bodies.append(body)
        script.headers.append(dict(self.headers))
        if script.delay_s:
            threading.Event().wait(script.delay_s)
        if script.status != 200 or script.raw is not None:
            self._send(
                script.status, script.raw if script.raw is not None else b'{"error":{"message":"secret at 0x7f"}}'
            )
            return
        if script.kind == "plain" and "structured_outputs" in body:
            self._send(400, b'{"error":{"message":"Unrecognized request argument supplied: structured_outputs"}}')
            return
        prompt = body["messages"][0]["content"][-1]["text"]
        answers = _answers(body, script)
        text, content = _confined(prompt, answers, script) if answers else (script.free_text, None)
        words = re.findall(r"\s*\S+", text)
        kept = "".join(words[: body["max_tokens"]]) if answers is None else text
        if body.get("stream"):
            asked = body.get("stream_options", {}).get("include_usage", False)
            usage = {"prompt_tokens": len(prompt.split()) + 1, "completion_tokens": len(re.findall(r"\S+", kept))}
            self._stream(re.findall(r"\s*\S+", kept), "stop" if kept == text else "length", usage if asked else None)
            return
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": kept},
            "finish_reason": "stop" if kept == text else "length",
            "logprobs": {"content": content} if script.logprobs and body.get("logprobs") else None,
        }
        usage = {"prompt_tokens": len(prompt.split()) + 1, "completion_tokens": min(len(words), body["max_tokens"])}
        self._send(200, json.dumps({"choices": [choice], "usage": usage}).encode())

    def _stream(self, pieces: list[str], finish: str, usage: dict[str, int] | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        events = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}]
        events += [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
        events += [{"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}]
        events += [{"choices": [], "usage": usage}] if usage else []
        for event in events:
            try:
                self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()
            except OSError:
                self.script.left += 1  # the reader has left
                return
            if self.script.piece_s:
                threading.Event().wait(self.script.piece_s)
        if not self.script.break_stream:
            self.wfile.write(b"data: [DONE]\n\n")

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that gave up waiting is what some tests are about."""


@contextmanager
def vllm_double(script: Script) -> Iterator[str]:
    """Serve `script` on a free loopback port; yields the address."""
    handler = type("Handler", (_Handler,), {"script": script})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
