"""A BlobStore in a directory, for one machine: what the embedded profile uses.

Called through app.storage.blobs.open_blobs. A blob is written to a temporary file, synced and linked into place, so a
crash leaves either the whole blob or none. Its SHA-256 lies in a folder of sums.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from app.storage.blobs import (
    SHA256_HEX,
    BadKey,
    BlobMissing,
    BlobStat,
    StoreUnavailable,
    check_key,
    check_prefix,
    verify,
)

# Both start with a dot: no key can name them.
TEMPORARY_FOLDER = ".tmp"
SUMS_FOLDER = ".sums"


class LocalBlobs:
    """Blobs as files below `root`; the folder is made on the first write, mode 0700."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See BlobStore. Atomic among processes: link() fails for all but the first."""
        path = self._path(key)
        if path.is_file():
            return False
        if path.is_dir():
            raise BadKey(f"{key} is a folder of other blobs")
        with _translated(key, writing=True):
            temporary = self._write_temporary(data)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                temporary.unlink()
            self._keep_sum(key, data)
            _sync_folders(path.parent, self.root)
            return True

    def get(self, key: str, *, sha256: str | None = None) -> bytes:
        """See BlobStore."""
        with _translated(key):
            data = self._path(key).read_bytes()
        return verify(key, data, sha256 or self._sum(key))

    def open(self, key: str) -> BinaryIO:
        """See BlobStore."""
        with _translated(key):
            return self._path(key).open("rb")

    def stat(self, key: str) -> BlobStat:
        """See BlobStore."""
        path = self._path(key)
        with _translated(key):
            if not path.is_file():
                raise FileNotFoundError
            found = path.stat()
        return BlobStat(key=key, size_bytes=found.st_size, modified_at=datetime.fromtimestamp(found.st_mtime, tz=UTC))

    def exists(self, key: str) -> bool:
        """See BlobStore."""
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """See BlobStore. Empty folders stay: removing one could race with a writer."""
        # The sum first: what is written next under this key must not meet it.
        for path in (self._sum_path(key), self._path(key)):
            with suppress(BlobMissing), _translated(key):
                path.unlink()

    def list(self, prefix: str = "") -> Iterator[BlobStat]:
        """See BlobStore."""
        start = self.root / check_prefix(prefix).rpartition("/")[0]
        paths = (path for path in start.rglob("*") if path.is_file())
        keys = sorted(path.relative_to(self.root).as_posix() for path in paths)
        for key in keys:
            if key.startswith(prefix) and not key.startswith("."):
                # Another process may have deleted it since it was listed.
                with suppress(BlobMissing):
                    yield self.stat(key)

    def check(self) -> None:
        """See BlobStore."""
        with _translated("(check)", writing=True):
            self._write_temporary(b"ready").unlink()

    def close(self) -> None:
        """See BlobStore. A folder holds nothing open."""

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _sum_path(self, key: str) -> Path:
        return self.root / SUMS_FOLDER / f"{check_key(key)}.sha256"

    def _keep_sum(self, key: str, data: bytes) -> None:
        """Not synced, unlike the blob, and no reason to fail: what has lost its sum is not checked, and a second sync would double the wait."""
        path = self._sum_path(key)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(hashlib.sha256(data).hexdigest())

    def _sum(self, key: str) -> str | None:
        try:
            kept = self._sum_path(key).read_text(errors="replace")
        except OSError:
            return None
        return kept if SHA256_HEX.fullmatch(kept) else None

    def _write_temporary(self, data: bytes) -> Path:
        folder = self.root / TEMPORARY_FOLDER
        # A mode given with parents=True would be that of the last folder only.
        self.root.parent.mkdir(parents=True, exist_ok=True)
        self.root.mkdir(exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as sink:
                sink.write(data)
                sink.flush()
                os.fsync(sink.fileno())
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name)


@contextmanager
def _translated(key: str, *, writing: bool = False) -> Iterator[None]:
    """Errors of the file system as errors of a store."""
    try:
        yield
    except OSError as failed:
        if not writing and isinstance(failed, FileNotFoundError | IsADirectoryError | NotADirectoryError):
            raise BlobMissing(key) from None
        raise StoreUnavailable(
            f"the blob folder cannot be used for {key}: {os.strerror(failed.errno or 0)}"
        ) from failed


def _sync_folders(folder: Path, root: Path) -> None:
    """Make the new name durable, and the folders that may be new with it."""
    while True:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if folder in {root, folder.parent}:
            return
        folder = folder.parent
