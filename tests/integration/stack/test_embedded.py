"""The embedded servers: one owner per folder, nothing reachable from outside, and a clean start after a kill."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from app.settings import Settings
from app.stack import embedded
from app.stack.layout import LONGEST_SOCKET_PATH_BYTES, DataFolder, DataFolderUnusable
from app.stack.lock import AlreadyRunning
from app.stack.processes import leftovers
from tests.conftest import FAST

ROOT = Path(__file__).resolve().parents[3]

# Starts the servers, says so, and waits to be killed. With `orphans` they do not die with it, as on macOS.
HOLDER = """
import sys, time
from pathlib import Path
from app.settings import Settings
from app.stack import embedded, processes
if "orphans" in sys.argv:
    processes._die_with_parent = lambda *_: (lambda: None)
with embedded.started(Settings(home=Path(sys.argv[1]), profile="embedded"), postgres_options=(("fsync", "off"),)):
    print("up", flush=True)
    time.sleep(300)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="mw-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, profile="embedded")


def killed_run(home: Path, *how: str) -> None:
    """Run the servers in another process and kill that without warning."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home), *how],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"up\n"
    with psycopg.connect(str(embedded.addresses(settings_of(home)).database_url)) as connection:
        connection.execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7);")
    holder.send_signal(signal.SIGKILL)
    holder.wait(10)
    holder.stdout.close()


def servers_of(home: Path) -> list[psutil.Process]:
    folder = DataFolder(home=home)
    return leftovers("postgres", folder.postgres) + leftovers("redis-server", folder.redis)


def kept(settings: Settings) -> object:
    with psycopg.connect(str(settings.database_url)) as connection:
        return connection.execute("SELECT n FROM kept").fetchone()


def test_a_second_start_says_who_is_there(stack: Settings) -> None:
    with pytest.raises(AlreadyRunning) as caught, embedded.started(stack):
        pass
    assert caught.value.pid == os.getpid()
    assert str(stack.home) in str(caught.value)


def test_a_command_beside_a_running_stack_uses_its_servers(stack: Settings) -> None:
    with embedded.available(settings_of(stack.home)) as found:
        assert found.database_url == stack.database_url


def test_only_unix_sockets_of_our_own_listen(stack: Settings) -> None:
    folder = DataFolder(home=stack.home)
    for process in servers_of(stack.home):
        assert [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN] == []
    for socket in (folder.redis_socket, folder.postgres_sockets / ".s.PGSQL.5432"):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of a killed process")
def test_servers_die_with_a_killed_parent(home: Path) -> None:
    killed_run(home)
    deadline = time.monotonic() + 10
    while servers_of(home):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_orphans_of_a_killed_run_are_stopped_and_the_data_is_there(home: Path) -> None:
    killed_run(home, "orphans")
    assert len(servers_of(home)) > 1
    with embedded.started(settings_of(home), postgres_options=FAST) as settings:
        assert kept(settings) == (7,)
    assert servers_of(home) == []


def test_a_pid_file_that_names_a_stranger_is_ignored(home: Path) -> None:
    with embedded.started(settings_of(home), postgres_options=FAST):
        pass
    folder = DataFolder(home=home)
    # As in a container after a restart: the number belongs to somebody else now.
    stale = f"{os.getpid()}\n{folder.postgres}\n1700000000\n5432\n{folder.postgres_sockets}\n\n 1 1\nready\n"
    (folder.postgres / "postmaster.pid").write_text(stale)
    (folder.postgres_sockets / ".s.PGSQL.5432.lock").write_text(stale)
    folder.redis_socket.touch()
    (folder.run / "lock").write_text(f"{os.getpid()}\n")
    with embedded.started(settings_of(home), postgres_options=FAST):
        pass


def test_a_home_too_deep_for_a_socket_puts_them_elsewhere(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    folder = DataFolder(home=deep)
    assert len(os.fsencode(folder.redis_socket)) <= LONGEST_SOCKET_PATH_BYTES
    assert not folder.sockets.is_relative_to(deep)
    try:
        with embedded.started(settings_of(deep), postgres_options=FAST) as settings:
            psycopg.connect(str(settings.database_url)).close()
        assert stat.S_IMODE(folder.sockets.stat().st_mode) & 0o022 == 0
    finally:
        shutil.rmtree(folder.sockets, ignore_errors=True)


def test_a_socket_folder_of_somebody_else_is_refused(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    folder = DataFolder(home=deep)
    folder.sockets.symlink_to(home)
    try:
        with pytest.raises(DataFolderUnusable, match="another user"):
            folder.create()
    finally:
        folder.sockets.unlink()


def test_the_data_of_another_postgres_is_left_alone(home: Path) -> None:
    folder = DataFolder(home=home)
    folder.create()
    (folder.postgres / "PG_VERSION").write_text("15\n")
    with pytest.raises(DataFolderUnusable, match="Postgres 15"), embedded.started(settings_of(home)):
        pass
