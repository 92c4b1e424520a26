"""Where everything lies under MARKWISE_HOME; used by the stack and by commands that write logs or backups.

Creates folders with the least permissions that work. It starts nothing.
"""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

# sun_path holds 104 bytes on macOS and 108 on Linux, with the closing NUL.
LONGEST_SOCKET_PATH_BYTES = 103
_POSTGRES_SOCKET = ".s.PGSQL.5432"


class DataFolderUnusable(Exception):
    """The data folder cannot be used as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """Paths of one installation. `run` holds sockets and the lock; it moves when the home path is too long."""

    home: Path

    @property
    def postgres(self) -> Path:
        """The Postgres cluster."""
        return self.home / "postgres"

    @property
    def redis(self) -> Path:
        """Working folder of Redis; nothing in it matters."""
        return self.home / "redis"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.home / "logs"

    @property
    def backups(self) -> Path:
        """Dumps taken before a migration."""
        return self.home / "backups"

    @property
    def run(self) -> Path:
        """Lock file and state of the running stack."""
        return self.home / "run"

    @property
    def sockets(self) -> Path:
        """Folder of the sockets: under `run` if its path fits into sun_path, else a private folder in the temp dir."""
        near = self.run / "pg" / _POSTGRES_SOCKET
        if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH_BYTES:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:10]
        return Path(tempfile.gettempdir()) / f"markwise-{os.getuid()}-{digest}"

    @property
    def postgres_sockets(self) -> Path:
        """Folder that Postgres owns and puts its socket in."""
        return self.sockets / "pg"

    @property
    def redis_socket(self) -> Path:
        """The socket of Redis, mode 0600."""
        return self.sockets / "redis.sock"

    def create(self) -> None:
        """Make the folders that are missing; raises DataFolderUnusable if one belongs to somebody else."""
        # 0711 where Postgres runs as another account (we are root): it must pass through, but may not list.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            self.home.mkdir(mode=mode, parents=True, exist_ok=True)
            for folder in (self.redis, self.logs, self.backups):
                folder.mkdir(mode=0o700, exist_ok=True)
            for folder in (self.run, self.sockets):
                folder.mkdir(mode=mode, exist_ok=True)
            for folder in (self.postgres, self.postgres_sockets):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as exc:
            raise DataFolderUnusable(f"cannot write to the data folder {self.home}: {exc.strerror}") from exc
        found = self.sockets.lstat()
        # In a shared temp dir somebody else could have put this name, or a link, there first.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise DataFolderUnusable(f"{self.sockets} belongs to another user; remove it or set TMPDIR")
        self.sockets.chmod(mode)
