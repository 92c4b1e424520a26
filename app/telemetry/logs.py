"""Log lines of every process, for people or as JSON (`MARKWISE_LOG_FORMAT=json`), each with the request and the job it belongs to.

Called once at the start of a process. What a line says is its writer's business.
"""

import logging
from datetime import UTC, datetime

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from app.settings import Settings
from app.telemetry.context import labels

_TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def start_logging(settings: Settings, process: str) -> None:
    """Send this process's log lines to stderr in the wanted form; `process` names it in JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Json(process) if settings.log_format == "json" else _Text(_TEXT))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)


class _Text(logging.Formatter):
    """One line for people; labels stand at its end."""

    def format(self, record: logging.LogRecord) -> str:
        said = super().format(record)
        belongs = " ".join(f"{name}={value}" for name, value in labels().items())
        if not belongs:
            return said
        first, newline, rest = said.partition("\n")
        return f"{first} {belongs}{newline}{rest}"


class _Json(JsonFormatter):
    """One object per line: time, level, logger, message, labels, whatever `extra` holds, and the trace of an exception."""

    def __init__(self, process: str) -> None:
        super().__init__("%(message)s", reserved_attrs=[*RESERVED_ATTRS, "color_message"])
        self._process = process

    def add_fields(
        self, log_data: dict[str, object], record: logging.LogRecord, message_dict: dict[str, object]
    ) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat()
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["process"] = self._process
        log_data.update(labels())
        super().add_fields(log_data, record, message_dict)
