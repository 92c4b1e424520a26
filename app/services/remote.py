"""The configured model server: which model it serves, how that one is asked, and whether it is fit for marks.

One per process, of the API and of a worker alike. Nothing is asked of the server before the first use, so that both start while it
is down. Knows no tenant and no question.
"""

import hashlib
import json
import logging
import threading
import time
from pathlib import Path

from app.settings import Settings
from app.telemetry.traces import for_model_server
from app.turns import waiting
from models.errors import BackendDown, BackendUnfit, ModelError
from models.grounding import sight
from models.vlm.adapters import load_adapter
from models.vlm.openai import OpenAiBackend
from models.vlm.served import ServedModel, find_served, manner_of, served_models
from models.vlm.transport import Transport

LIST_S = 5.0
# What the server lists is believed for this long: it forgets its adapters when it restarts.
LISTED_S = 5.0
LOOK_AGAIN_S = 30.0
# Requests that waited for the same answer of a hanging server all get it; each would wait for its own otherwise.
ASK_AGAIN_S = 1.0
_SIGHT_VERSION = 1

_log = logging.getLogger(__name__)


class RemoteModel:
    """A client of the server that MARKWISE_VLM_URL names; safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is connected yet."""
        key = settings.vlm_api_key
        self._settings = settings
        self._transport = Transport(
            str(settings.vlm_url),
            api_key=None if key is None else key.get_secret_value(),
            timeout_s=settings.vlm_timeout_s,
            max_connections=settings.vlm_concurrency,
            headers=for_model_server,
            waiting=waiting,
        )
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._backend: OpenAiBackend | None = None
        self._model = ServedModel(id="")
        self._failed: BackendDown | None = None
        self._ask_again_at = self._look_at = 0.0
        self._loaded: dict[str, float] = {}
        self._closed = threading.Event()

    def name(self) -> str | None:
        """The model's name as configured, else as the server gives it; None while neither is known."""
        if self._settings.vlm_model is not None:
            return self._settings.vlm_model
        try:
            return self.backend().name
        except BackendDown:
            return None

    def backend(self) -> OpenAiBackend:
        """The model; the first call asks the server what it serves. Raises BackendDown."""
        with self._lock:
            if self._backend is None:
                if self._failed is not None and time.monotonic() < self._ask_again_at:
                    raise type(self._failed)(str(self._failed)) from self._failed
                try:
                    self._backend = self._discovered()
                except BackendDown as error:
                    self._failed, self._ask_again_at = error, time.monotonic() + ASK_AGAIN_S
                    raise
            return self._backend

    def adapter(self, model: str, name: str, folder: Path) -> OpenAiBackend:
        """The adapter in `folder`, which the server calls `model` and answers call `name`; loaded unless the server has it.

        Raises BackendDown, BackendUnfit.
        """
        base = self.backend()
        with self._lock:
            if self._loaded.get(model, 0.0) < time.monotonic():
                if all(listed.id != model for listed in self._listed()):
                    load_adapter(self._transport, base, model, folder)
                self._loaded[model] = time.monotonic() + LISTED_S
        return base.adapter(model, name)

    def ready(self) -> None:
        """Raise BackendDown unless an answer can be expected now."""
        self.backend().ready()

    def look(self) -> None:
        """Find out whether the server shows whole pictures, unless that is known; a server that cuts them is refused.

        What was found good is remembered in the data folder, so that it is asked once and not by every process.
        """
        with self._looking:
            if not self._settings.vlm_probe or time.monotonic() < self._look_at:
                return
            try:
                backend = self.backend()
                memory = self._memory(backend)
                complaint = None if memory.is_file() else sight.look(backend).complaint
            except ModelError as error:
                _log.info("cannot look at the model server's eyes yet: %s", error)
                return
            self._transport.refuse(complaint)
            self._look_at = time.monotonic() + LOOK_AGAIN_S if complaint else float("inf")
            if complaint:
                _log.error("the model server is not used: %s", complaint)
            elif not memory.is_file():
                memory.parent.mkdir(parents=True, exist_ok=True)
                memory.write_text(
                    json.dumps({"server": self._settings.vlm_url, "model": backend.name}), encoding="utf-8"
                )

    def watch(self) -> None:
        """Look in the background until the server was found good; ends with `close`."""
        if self._settings.vlm_probe:
            threading.Thread(target=self._watch, name="model-server-eyes", daemon=True).start()

    def close(self) -> None:
        """Close all connections."""
        self._closed.set()
        self._transport.close()

    def _watch(self) -> None:
        pause_s = 0.5
        while self._look_at != float("inf") and not self._closed.is_set():
            self.look()
            self._closed.wait(pause_s)
            pause_s = min(2 * pause_s, LOOK_AGAIN_S)

    def _memory(self, backend: OpenAiBackend) -> Path:
        parts = (self._settings.vlm_url, self._model, backend.dialect, backend.input_px, _SIGHT_VERSION)
        digest = hashlib.sha256(repr(parts).encode()).hexdigest()
        return self._settings.data_folder / "cache" / "sight" / f"{digest[:32]}.json"

    def _listed(self) -> tuple[ServedModel, ...]:
        return served_models(self._transport.get("models", deadline_s=LIST_S))

    def _discovered(self) -> OpenAiBackend:
        settings = self._settings
        self._model = model = find_served(self._listed(), settings.vlm_model)
        manner = manner_of(model)
        dialect = manner.dialect if settings.vlm_dialect == "auto" else settings.vlm_dialect
        input_px = manner.input_px if settings.vlm_input_px is None else settings.vlm_input_px or None
        if dialect == "tiny" and input_px is None:
            raise BackendUnfit(
                "MARKWISE_VLM_DIALECT=tiny needs MARKWISE_VLM_INPUT_PX, the size the model was trained at"
            )
        return OpenAiBackend(self._transport, model.id, dialect=dialect, input_px=input_px)


def open_remote(settings: Settings) -> RemoteModel | None:
    """The configured server, if there is one."""
    return None if settings.vlm_url is None else RemoteModel(settings)
