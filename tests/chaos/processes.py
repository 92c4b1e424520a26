"""The processes of the service that a driver started, by what they are. Nothing else is ever found here, so nothing else is killed."""

import psutil


def api() -> list[psutil.Process]:
    """The API's; decoders are their children."""
    return _called("app.stack.api_process")


def workers() -> list[psutil.Process]:
    """The pool."""
    return _called("workers.main")


def redis() -> psutil.Process:
    """The one server; raises ValueError while it is down."""
    (server,) = _called("redis-server")
    return server


def postgres() -> psutil.Process:
    """The server itself, not one of its children; raises ValueError while it is down."""
    (server,) = [one for one in _family() if one.name() == "postgres" and one.parent().name() != "postgres"]
    return server


def connections() -> list[psutil.Process]:
    """Postgres' processes that serve the application's role."""
    return [one for one in _called("markwise_app") if one.name() == "postgres"]


def _called(part: str) -> list[psutil.Process]:
    return [one for one in _family() if part in " ".join(one.cmdline())]


def _family() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)
