"""The API process (`python -m app.stack.api_process`): uvicorn, on a socket that `serve` has bound or on one of its own.

The descriptor is opened without naming a family: uvicorn's own `--fd` calls it AF_UNIX, and asyncio then leaves
Nagle's algorithm on, which costs up to 40 ms per answer.
"""

import argparse
import contextlib
import gc
import socket
import sys

import uvicorn

from app.main import create_app
from app.settings import Settings
from app.stack.patience import PatientProtocol, PatientServer
from app.telemetry.logs import start_logging
from app.telemetry.traces import start_tracing

# Python's 5 ms let one thread's JSON keep the event loop and all other answers waiting.
SWITCH_S = 0.0005
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def main() -> None:
    """Serve until SIGTERM or SIGINT; who waits for a worker is answered 202 then, and streams of jobs end where they can go on."""
    parser = argparse.ArgumentParser(description="the API process of Markwise")
    parser.add_argument("--fd", type=int, help="descriptor of a bound, listening socket")
    parser.add_argument("--host", default="127.0.0.1", help="without --fd; anything but loopback makes keys a must")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    settings = Settings()
    sys.setswitchinterval(SWITCH_S)
    if arguments.fd is None and arguments.host not in LOOPBACK:
        settings = settings.model_copy(update={"require_keys": True})
    start_logging(settings, "api")
    start_tracing(settings, "api")
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=arguments.host,
        port=arguments.port,
        http=PatientProtocol,
        log_level=settings.log_level.lower(),
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=max(1, int(settings.stop_grace_s / 2)),
    )
    given = None if arguments.fd is None else [socket.socket(fileno=arguments.fd)]
    # What was imported lives as long as the process: looking through it for garbage cost every answer 1 % of its CPU time.
    gc.collect()
    gc.freeze()

    def let_go() -> None:
        app.state.web.listener.let_go()

    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again when it has stopped
        PatientServer(config, let_go, leave_s=settings.leave_s).run(sockets=given)


if __name__ == "__main__":
    main()
