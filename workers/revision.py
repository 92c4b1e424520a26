"""Which code is running: the release, the commit where the tree is a checkout, and a hash of the model library's sources.

Written beside what was trained. The hash tells a changed checkout from the commit it was made of.
"""

import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).resolve().parents[1]


class CodeBody(TypedDict):
    """Release, commit (null outside a checkout) and hash of `models/`."""

    release: str
    commit: str | None
    models_sha256: str


@cache
def code() -> CodeBody:
    """The code of this process; read once, because the files may be replaced under a running worker."""
    whole = hashlib.sha256()
    for path in sorted((ROOT / "models").rglob("*.py")):
        whole.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return {
        "release": importlib.metadata.version("markwise"),
        "commit": commit_of(ROOT / ".git"),
        "models_sha256": whole.hexdigest(),
    }


def commit_of(git: Path) -> str | None:
    """The commit that a `.git` folder has checked out, None where there is none; git itself need not be installed."""
    head = git / "HEAD"
    if not head.is_file():
        return None
    said = head.read_text(encoding="utf-8").strip()
    if not said.startswith("ref: "):
        return said
    name = said.removeprefix("ref: ")
    if (git / name).is_file():
        return (git / name).read_text(encoding="utf-8").strip()
    packed = git / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.split(" ", 1)[0] for line in lines if line.endswith(f" {name}")), None)
