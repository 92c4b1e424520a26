"""`markwise serve`: the whole service on one machine, from an empty folder or a killed run to a listening API.

Called by the CLI. Starts Postgres and Redis if the profile is embedded, migrates, then API, workers and housekeeping
as child processes. Knows them by module name only.
"""

import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_address

import httpx

from app.settings import Settings
from app.stack import lock, migrate, postgres_server, redis_server
from app.stack.embedded import addresses, data_folder, lock_path
from app.stack.processes import ProcessSpec
from app.stack.supervisor import Supervisor, stop_on_signals

START_LIMIT_S = 120.0


class PortTaken(Exception):
    """The address cannot be listened on."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind before anything starts: a taken port is a clear error, and a restarted API loses no connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise PortTaken(f"cannot listen on {host}:{port}: {exc.strerror}") from exc
    listener.listen(2048)
    return listener


def child_specs(settings: Settings, listener: socket.socket) -> Iterator[ProcessSpec]:
    """The processes of one installation, besides its servers."""
    environment = settings.child_environment() | {"PYTHONUNBUFFERED": "1"}
    shared = _shared_metrics(settings)

    def python(name: str, *argv: str) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            argv=[sys.executable, "-m", *argv],
            environment=environment,
            stop_grace_s=settings.stop_grace_s,
        )

    descriptor = listener.fileno()
    for number in range(settings.api_processes):
        # One socket for all of them: whoever is idle accepts, and while one is started again the others answer.
        api = python(f"api-{number + 1}" if number else "api", "app.stack.api_process", "--fd", str(descriptor))
        yield replace(
            api,
            inherited_descriptors=(descriptor,),
            environment=environment | shared,
            stop_grace_s=settings.stop_grace_s + settings.leave_s,
        )
    yield python("housekeeping", "workers.housekeeping")
    for queue, concurrency in (
        ("interactive", settings.interactive_concurrency),
        ("batch", settings.batch_concurrency),
        ("train", settings.train_concurrency),
    ):
        yield python(f"worker-{queue}", "workers.main", "--queues", queue, "--concurrency", str(concurrency))


def _shared_metrics(settings: Settings) -> dict[str, str]:
    """Where several API processes count together, empty at the start: Prometheus reads one of them and means all."""
    if settings.api_processes == 1:
        return {}
    shutil.rmtree(settings.metrics_folder, ignore_errors=True)
    settings.metrics_folder.mkdir(parents=True)
    return {"PROMETHEUS_MULTIPROC_DIR": str(settings.metrics_folder)}


def _servers(settings: Settings, supervisor: Supervisor) -> Settings:
    """Start the embedded servers if the profile has them; return settings with working addresses."""
    if not settings.embedded:
        return settings
    folder = data_folder(settings)
    redis_alive = supervisor.start(redis_server.spec(folder))
    postgres_alive = supervisor.start(postgres_server.spec(folder))
    redis_server.wait_ready(folder, redis_alive)
    postgres_server.wait_ready(folder, postgres_alive)
    postgres_server.create_database(folder)
    return addresses(settings)


def _healthy(url: str) -> Callable[[], bool]:
    def check() -> bool:
        try:
            return httpx.get(f"{url}/healthz", timeout=1.0, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return check


def _public_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(settings: Settings, host: str, port: int, *, on_ready: Callable[[str], None] = lambda _url: None) -> None:
    """Run the service until SIGTERM or SIGINT, then stop everything; `on_ready` gets the URL once the API answers.

    Raises AlreadyRunning, PortTaken, DataFolderUnusable or ChildKeepsFailing; each is one sentence for the user.
    """
    folder = data_folder(settings)
    folder.create()
    with ExitStack() as stack:
        stack.enter_context(lock.exclusive(lock_path(folder), home=folder.home))
        listener = stack.enter_context(listening_socket(host, port))
        supervisor = Supervisor(folder.logs)
        stack.callback(supervisor.stop)
        stop_on_signals(supervisor)
        found = _servers(settings, supervisor)
        if found.database_url is not None:
            migrate.migrate(found)
        for spec in child_specs(found, listener):
            supervisor.start(spec)
        url = _public_url(listener)
        supervisor.run(until=_healthy(url), timeout_s=START_LIMIT_S)
        if not supervisor.stopping:
            on_ready(url)
        supervisor.run()
