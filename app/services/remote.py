"""The configured model server: which model it serves, how that one is asked, and whether it is fit for marks.

One per process, of the API and of a worker alike. Nothing is asked of the server before the first use, so that both start while it
is down. Knows no tenant and no question.
"""

import threading

from app.settings import Settings
from models.errors import BackendDown, BackendUnfit
from models.vlm.openai import OpenAiBackend
from models.vlm.served import find_served, manner_of, served_models
from models.vlm.transport import Transport

_LIST_S = 5.0


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
        )
        self._lock = threading.Lock()
        self._backend: OpenAiBackend | None = None

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
                self._backend = self._discovered()
            return self._backend

    def ready(self) -> None:
        """Raise BackendDown unless an answer can be expected now."""
        backend = self.backend()
        backend.ready()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def _discovered(self) -> OpenAiBackend:
        settings = self._settings
        listed = served_models(self._transport.get("models", deadline_s=_LIST_S))
        model = find_served(listed, settings.vlm_model)
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
