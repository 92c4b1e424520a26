"""A BlobStore in an S3 bucket, or in any store that speaks S3 (MinIO, R2, Ceph).

Called through app.storage.blobs.open_blobs. boto3 finds credentials, region and AWS_ENDPOINT_URL in its usual places;
this module knows none of them.
"""

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any, BinaryIO, Self, cast
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError

from app.storage.blobs import (
    BlobCorrupt,
    BlobError,
    BlobMissing,
    BlobStat,
    StoreUnavailable,
    check_key,
    check_prefix,
    verify,
)

MISSING_CODES = {"NoSuchKey", "404", "NotFound"}
# Not every store that speaks S3 gives back the checksum of the upload; what is said about an object, all of them do.
SUM = "sha256"
ALREADY_THERE_CODES = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
# A caller waits 30 s and a worker holds a lease: a store that is silent is given up after four times 6 s, where 20 made it 80.
CLIENT_SETTINGS = Config(
    connect_timeout=3, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=32
)


class S3Blobs:
    """Blobs as objects below `prefix` in `bucket`. The boto3 client is safe to share between threads."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self._client = client
        self.bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    @classmethod
    def from_url(cls, url: str) -> Self:
        """From `s3://bucket/prefix`; ValueError for a URL without a bucket."""
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc:
            raise ValueError(f"expected s3://bucket/prefix, got {url!r}")
        # A session of our own: boto3's default session is not safe to create from two threads at once.
        client = boto3.session.Session().client("s3", config=CLIENT_SETTINGS)
        return cls(client, parts.netloc, parts.path)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See BlobStore. Atomic by `If-None-Match: *`; the store checks the bytes by their checksum."""
        name = self._name(key)
        # Given as a header: left to boto3 it travels as a trailer over https, which some S3 look-alikes refuse.
        digest = hashlib.sha256(data)
        checksum = base64.b64encode(digest.digest()).decode()
        try:
            with _translated(key):
                self._client.put_object(
                    Bucket=self.bucket,
                    Key=name,
                    Body=data,
                    IfNoneMatch="*",
                    ChecksumSHA256=checksum,
                    Metadata={SUM: digest.hexdigest()},
                )
        except _AlreadyThere:
            return False
        return True

    def get(self, key: str, *, sha256: str | None = None) -> bytes:
        """See BlobStore."""
        found = self._found(key)
        with _stream(found) as stream, _translated(key):
            data = stream.read()
        return verify(key, data, sha256 or found.get("Metadata", {}).get(SUM))

    def open(self, key: str) -> BinaryIO:
        """See BlobStore. The stream can be read once, forwards."""
        return _stream(self._found(key))

    def stat(self, key: str) -> BlobStat:
        """See BlobStore."""
        with _translated(key):
            found = self._client.head_object(Bucket=self.bucket, Key=self._name(key))
        return BlobStat(key=key, size_bytes=found["ContentLength"], modified_at=found["LastModified"].astimezone(UTC))

    def exists(self, key: str) -> bool:
        """See BlobStore."""
        try:
            self.stat(key)
        except BlobMissing:
            return False
        return True

    def delete(self, key: str) -> None:
        """See BlobStore."""
        with _translated(key):
            self._client.delete_object(Bucket=self.bucket, Key=self._name(key))

    def list(self, prefix: str = "") -> Iterator[BlobStat]:
        """See BlobStore. S3 lists in key order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self._prefix + check_prefix(prefix)
        )
        with _translated(prefix):
            for page in pages:
                for found in page.get("Contents", ()):
                    yield BlobStat(
                        key=found["Key"].removeprefix(self._prefix),
                        size_bytes=found["Size"],
                        modified_at=found["LastModified"].astimezone(UTC),
                    )

    def check(self) -> None:
        """See BlobStore. Asks for the bucket; whether it can be written to shows on the first write."""
        try:
            with _translated("(check)"):
                self._client.head_bucket(Bucket=self.bucket)
        except BlobMissing:
            raise StoreUnavailable(f"there is no bucket {self.bucket}") from None

    def close(self) -> None:
        """See BlobStore. Ends the pooled connections."""
        self._client.close()

    def _found(self, key: str) -> dict[str, Any]:
        with _translated(key):
            found: dict[str, Any] = self._client.get_object(Bucket=self.bucket, Key=self._name(key))
        return found

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)


def _stream(found: dict[str, Any]) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_Body(found["Body"])))


class _AlreadyThere(BlobError):
    """The store refused to overwrite."""


class _Body(io.RawIOBase):
    """botocore's streaming body as a raw stream, so that BufferedReader gives it the rest of BinaryIO."""

    def __init__(self, body: Any) -> None:
        super().__init__()
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk: bytes = self._body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Errors of boto3 as errors of a store; its messages hold URLs and request ids, so only codes pass."""
    try:
        yield
    except ClientError as failed:
        code = failed.response.get("Error", {}).get("Code", "unknown")
        if code in MISSING_CODES:
            raise BlobMissing(key) from None
        if code in ALREADY_THERE_CODES:
            raise _AlreadyThere from None
        raise StoreUnavailable(f"the object store refused {key}: {code}") from failed
    except FlexibleChecksumError as failed:
        raise BlobCorrupt(f"the object store sent other bytes for {key} than it was given") from failed
    except (BotoCoreError, OSError) as failed:
        raise StoreUnavailable(f"the object store did not answer for {key}: {type(failed).__name__}") from failed
