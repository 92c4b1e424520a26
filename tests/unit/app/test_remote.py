"""The client of the configured server: what it finds out, what it refuses, and what it remembers."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.services import remote as remote_module
from app.services.remote import RemoteModel, open_remote
from app.settings import Settings
from models.errors import BackendDown, BackendUnfit
from models.vlm.types import VlmRequest


class VllmLike:
    """Lists models, loads adapters, and sees pictures or not; `calls` are the paths asked for."""

    def __init__(self, **served: str | None) -> None:
        self.served: dict[str, str | None] = dict(served)  # {model: parent}
        self.down = False
        self.sees = True
        self.takes_adapters = True
        self.effective = True
        self.calls: list[str] = []

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.calls.append(path)
        if self.down:
            return 503, {}
        if path == "/v1/models":
            return 200, {"data": [{"id": name, "parent": parent} for name, parent in self.served.items()]}
        if path == "/v1/load_lora_adapter":
            if not self.takes_adapters:
                return 404, {"detail": "Not Found"}
            self.served[body["lora_name"]] = next(iter(self.served))
            return 200, "Success: LoRA adapter added successfully."
        if path == "/v1/unload_lora_adapter":
            del self.served[body["lora_name"]]
            return 200, "Success"
        return self._complete(body)

    def _complete(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body["model"] not in self.served:
            return 404, {"error": {"message": "The model does not exist."}}
        picture = body["messages"][0]["content"][0]["image_url"]["url"]
        shown = (sum(picture.encode()) % 997) / 997 if self.sees else 0.5
        adapted = 0.25 if self.served[body["model"]] is not None and self.effective else 0.0
        step = {"token": "a", "logprob": -1 - shown - adapted, "top_logprobs": []}
        message = {"role": "assistant", "content": "a"}
        return 200, {"choices": [{"message": message, "finish_reason": "stop", "logprobs": {"content": [step]}}]}


@contextmanager
def running(server: VllmLike) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = server.answer(self.path, json.loads(data or b"{}"))
            out = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        def do_POST(self) -> None:
            self.do_GET()

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}/v1"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def server() -> VllmLike:
    return VllmLike(**{"som-llava-tiny": None})


@pytest.fixture
def remote_for(server: VllmLike, tmp_path: Path) -> Iterator[Callable[..., RemoteModel]]:
    opened: list[RemoteModel] = []
    with running(server) as url:

        def make(**settings: Any) -> RemoteModel:
            made = RemoteModel(Settings(home=tmp_path, vlm_url=url, **settings))
            opened.append(made)
            return made

        yield make
        for remote in opened:
            remote.close()


def test_no_url_no_server() -> None:
    assert open_remote(Settings()) is None


def test_nothing_is_asked_before_the_first_use(
    server: VllmLike, remote_for: Callable[..., RemoteModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.down = True
    remote = remote_for()
    assert server.calls == []
    assert remote.name() is None
    with pytest.raises(BackendDown):
        remote.backend()
    assert len(server.calls) == 1, "what failed just now is not asked again by every request"
    server.down = False
    monkeypatch.setattr(remote, "_ask_again_at", 0.0)
    assert remote.name() == "som-llava-tiny"
    assert (remote.backend().dialect, remote.backend().input_px) == ("tiny", 224)


@pytest.mark.parametrize(
    ("settings", "dialect", "input_px"),
    [
        ({}, "tiny", 224),
        ({"vlm_dialect": "general"}, "general", 224),
        ({"vlm_dialect": "general", "vlm_input_px": 0}, "general", None),
        ({"vlm_input_px": 336}, "tiny", 336),
        ({"vlm_model": "other"}, "general", None),
        ({"vlm_model": "other", "vlm_dialect": "tiny", "vlm_input_px": 224}, "tiny", 224),
    ],
)
def test_settings_win_over_what_the_name_says(
    remote_for: Callable[..., RemoteModel], settings: dict[str, Any], dialect: str, input_px: int | None
) -> None:
    backend = remote_for(**settings).backend()
    assert (backend.dialect, backend.input_px) == (dialect, input_px)
    assert backend.name == settings.get("vlm_model", "som-llava-tiny")


def test_a_small_model_without_its_size_is_a_wrong_setting(remote_for: Callable[..., RemoteModel]) -> None:
    with pytest.raises(BackendUnfit, match="MARKWISE_VLM_INPUT_PX"):
        remote_for(vlm_dialect="tiny", vlm_input_px=0).backend()


def test_a_good_server_is_looked_at_once_per_data_folder(
    server: VllmLike, remote_for: Callable[..., RemoteModel]
) -> None:
    first, second = remote_for(), remote_for()
    for remote in (first, first, second):
        remote.look()
        remote.ready()
    assert server.calls.count("/v1/chat/completions") == 6
    other = remote_for(vlm_input_px=336)
    other.look()
    assert server.calls.count("/v1/chat/completions") == 12, "another input size is another question"


def test_a_server_that_does_not_see_is_refused_until_it_does(
    server: VllmLike, remote_for: Callable[..., RemoteModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_module, "LOOK_AGAIN_S", 0.0)
    server.sees = False
    remote = remote_for()
    remote.look()
    asked = VlmRequest(images=(), prompt="What is this?")
    for ask in (remote.ready, lambda: remote.backend().generate(asked), lambda: list(remote.backend().stream(asked))):
        with pytest.raises(BackendUnfit, match="MARKWISE_VLM_MODEL"):
            ask()
    server.sees = True
    remote.look()
    remote.ready()


def test_looking_can_be_turned_off(server: VllmLike, remote_for: Callable[..., RemoteModel]) -> None:
    server.sees = False
    remote = remote_for(vlm_probe=False)
    remote.look()
    remote.watch()
    remote.ready()
    assert "/v1/chat/completions" not in server.calls


def test_the_watch_waits_for_the_server_without_holding_anybody_up(
    server: VllmLike, remote_for: Callable[..., RemoteModel]
) -> None:
    server.down, server.sees = True, False
    remote = remote_for()
    start = time.monotonic()
    remote.watch()
    assert time.monotonic() - start < 0.2
    time.sleep(0.1)
    server.down = False
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            remote.ready()
        except BackendDown as error:
            if isinstance(error, BackendUnfit):
                return
        time.sleep(0.05)
    raise AssertionError("a blind server was never refused")


def test_an_adapter_is_loaded_once_and_again_after_a_restart(
    server: VllmLike, remote_for: Callable[..., RemoteModel], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = remote_for()
    for _ in range(3):
        backend = remote.adapter("v1", "mine@1", tmp_path)
    assert (backend.name, backend.dialect, backend.input_px) == ("mine@1", "tiny", 224)
    assert server.calls.count("/v1/load_lora_adapter") == 1
    del server.served["v1"]
    monkeypatch.setattr(remote_module, "LISTED_S", 0.0)
    remote._loaded.clear()
    remote.adapter("v1", "mine@1", tmp_path)
    assert server.calls.count("/v1/load_lora_adapter") == 2


def test_an_adapter_that_changes_nothing_is_taken_back(
    server: VllmLike, remote_for: Callable[..., RemoteModel], tmp_path: Path
) -> None:
    server.effective = False
    with pytest.raises(BackendUnfit, match="changes no answer"):
        remote_for().adapter("v1", "mine@1", tmp_path)
    assert "v1" not in server.served


def test_a_server_without_lora_is_told_what_it_needs(
    server: VllmLike, remote_for: Callable[..., RemoteModel], tmp_path: Path
) -> None:
    server.takes_adapters = False
    with pytest.raises(BackendUnfit, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING"):
        remote_for().adapter("v1", "mine@1", tmp_path)
