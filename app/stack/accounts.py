"""The system account Postgres runs as. It refuses to run as root, so root lends it an account of its own.

Used by `postgres_server` only. Does nothing at all for an ordinary user.
"""

import logging
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

_log = logging.getLogger(__name__)
_NAME = "pgserver"
_FALLBACK = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account to drop to before exec."""

    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """Return the account for Postgres: None means our own; as root `pgserver`, created if the system can, else nobody."""
    if os.geteuid() != 0:
        return None
    for name in (_NAME, _FALLBACK):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            if name != _NAME or (useradd := shutil.which("useradd")) is None:
                continue
            subprocess.run([useradd, "--system", "--no-create-home", name], check=False, capture_output=True)
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
        return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise RuntimeError("Postgres does not run as root and no other account exists; run Markwise as an ordinary user")


def give_folder(folder: Path, account: Account) -> None:
    """Hand `folder` and everything in it to `account`; cheap if it has it already."""
    if folder.stat().st_uid == account.uid:
        return
    os.chown(folder, account.uid, account.gid)
    for path in folder.rglob("*"):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def allow_passage(path: Path) -> None:
    """Let other accounts pass through (not list) the parents of `path`; says so for each folder it opens."""
    for parent in path.resolve().parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            _log.warning("making %s passable for the Postgres account (chmod o+x)", parent)
            parent.chmod(mode | stat.S_IXGRP | stat.S_IXOTH)
