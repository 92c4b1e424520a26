"""The BlobStore protocol, the layout of its keys, and the one place that picks a store for a setting.

Called by services and workers. A blob is immutable: a key is written once, and for content-addressed keys a second
writer brings the same bytes. Whoever writes one keeps its SHA-256 beside it, and every whole read is held to that. Rows in the catalog
name keys; this module knows no rows.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

MAX_KEY_CHARACTERS = 512
# A part starts with a letter or digit, so "..", hidden files and our own temporary files are not keys.
KEY_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+-]{0,199}")
# What the second part of a key stands for; all others are pictures.
_NOUNS = {"models": "model", "adapters": "model", "imports": "uploaded file", "exports": "export"}
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class BlobError(Exception):
    """A blob could not be stored or read."""


class BadKey(BlobError):
    """The key does not have the form of a key."""


class BlobMissing(BlobError):
    """No blob has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no blob {key}")
        self.key = key

    @property
    def noun(self) -> str:
        """What was kept under the key, for a sentence: "image", "model", "uploaded file" or "export"."""
        kind = self.key.split("/")[1:2]
        return _NOUNS.get(kind[0] if kind else "", "image")


class BlobCorrupt(BlobError):
    """The stored bytes are not those that were written."""


class StoreUnavailable(BlobError):
    """The store did not answer, or has no room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobStat:
    """What a store knows about a blob without reading it."""

    key: str
    size_bytes: int
    modified_at: datetime  # aware, UTC


class BlobStore(Protocol):
    """Immutable bytes under keys; safe to share between threads. Every method may raise StoreUnavailable, BadKey."""

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Store `data` durably unless the key exists; True if this call wrote it. A reader never sees a part."""

    def get(self, key: str, *, sha256: str | None = None) -> bytes:
        """All bytes. BlobMissing; BlobCorrupt when they do not hash to `sha256` (hex), or without it to the sum kept when they were written.

        A blob that was written before sums were kept has none, and is returned as it is. 0.17 ms for a picture of 300 kB.
        """

    def open(self, key: str) -> BinaryIO:
        """A readable stream for large blobs, whose reader checks what it reads; the caller closes it. BlobMissing."""

    def stat(self, key: str) -> BlobStat:
        """Size and time. BlobMissing."""

    def exists(self, key: str) -> bool:
        """Whether the key is stored."""

    def delete(self, key: str) -> None:
        """Remove the blob; no error when there is none."""

    def list(self, prefix: str = "") -> Iterator[BlobStat]:
        """Blobs whose key starts with `prefix`, in key order: "t1/images/", or "" for all."""

    def check(self) -> None:
        """StoreUnavailable unless the store answers now (readiness)."""

    def close(self) -> None:
        """Give back what is held open; the store is not used afterwards."""


def image_key(tenant: str, sha256: str) -> str:
    """The canonical copy of the image whose received bytes hash to `sha256`."""
    return f"{_part(tenant)}/images/{_sha256(sha256)}"


def overlay_key(tenant: str, mark_set: str, style: str, extension: str) -> str:
    """A painted mark set in one style and format."""
    return f"{_part(tenant)}/overlays/{_part(mark_set)}/{_part(style)}.{_part(extension)}"


def thumbnail_key(tenant: str, of: str, side_px: int) -> str:
    """A small copy, its long side at most `side_px`: of an image by its sha256, of a marked picture by its mark set."""
    return f"{_part(tenant)}/thumbnails/{_part(of)}/{side_px}.webp"


def model_key(tenant: str, version: str, file: str) -> str:
    """One file of a registered model version."""
    return f"{_part(tenant)}/models/{_part(version)}/{_part(file)}"


def adapter_key(tenant: str, version: str, file: str) -> str:
    """One file of the LoRA adapter that a model version was trained as, beside the whole checkpoint."""
    return f"{_part(tenant)}/adapters/{_part(version)}/{_part(file)}"


def export_key(tenant: str, dataset: str, sha256: str, extension: str) -> str:
    """An exported dataset archive, by its content."""
    return f"{_part(tenant)}/exports/{_part(dataset)}/{_sha256(sha256)}.{_part(extension)}"


def import_key(tenant: str, sha256: str) -> str:
    """An uploaded annotation file, by its content."""
    return f"{_part(tenant)}/imports/{_sha256(sha256)}"


def tenant_prefix(tenant: str) -> str:
    """The prefix of everything that belongs to a tenant."""
    return f"{_part(tenant)}/"


def check_key(key: str) -> str:
    """The key itself, or BadKey: relative, plain ASCII parts, no "..", no empty part."""
    if len(key) > MAX_KEY_CHARACTERS or not all(KEY_PART.fullmatch(part) for part in key.split("/")):
        raise BadKey(f"not a blob key: {key[:80]!r}")
    return key


def check_prefix(prefix: str) -> str:
    """As check_key, for the start of a key; "" is every key."""
    whole, slash, rest = prefix.rpartition("/")
    if slash:
        check_key(whole)
    if rest:
        check_key(rest)
    return prefix


def verify(key: str, data: bytes, sha256: str | None) -> bytes:
    """`data` if it hashes to `sha256` or none was given; BlobCorrupt otherwise."""
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise BlobCorrupt(f"blob {key} does not match its checksum")
    return data


def open_blobs(location: str | Path) -> BlobStore:
    """The store for a setting: `s3://bucket/prefix`, `file:///folder` or a folder path."""
    text = str(location)
    if text.startswith("s3://"):
        from app.storage.s3 import S3Blobs  # boto3 costs 0.3 s and 30 MB; a folder needs none of it

        return S3Blobs.from_url(text)
    from app.storage.local import LocalBlobs

    return LocalBlobs(Path(text.removeprefix("file://")))


def _part(value: str) -> str:
    if not KEY_PART.fullmatch(value):
        raise BadKey(f"not a part of a blob key: {value[:80]!r}")
    return value


def _sha256(value: str) -> str:
    if not SHA256_HEX.fullmatch(value):
        raise BadKey(f"expected 64 lower-case hex digits, got {value[:80]!r}")
    return value
