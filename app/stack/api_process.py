"""The API as a child of `serve`: uvicorn on a socket that the parent has bound (`python -m app.stack.api_process`).

The descriptor is opened without naming a family: uvicorn's own `--fd` calls it AF_UNIX, and asyncio then leaves
Nagle's algorithm on, which costs up to 40 ms per answer.
"""

import argparse
import logging
import socket

import uvicorn

from app.main import create_app
from app.settings import Settings


def main() -> None:
    """Serve until SIGTERM; open streams get a few seconds to end."""
    parser = argparse.ArgumentParser(description="the API process of markwise serve")
    parser.add_argument("--fd", type=int, required=True, help="descriptor of a bound, listening socket")
    arguments = parser.parse_args()
    settings = Settings()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    config = uvicorn.Config(
        create_app(settings),
        log_level=settings.log_level.lower(),
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=max(1, int(settings.stop_grace_s / 2)),
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=arguments.fd)])


if __name__ == "__main__":
    main()
