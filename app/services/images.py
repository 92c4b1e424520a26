"""Accept bytes, a URL or an id -> one immutable image, named by the sha256 of the bytes received.

Decoding and fetching happen before any transaction is opened; the blob is in place before the row that names it.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from ipaddress import ip_network
from uuid import UUID

from sqlalchemy import Engine

from app.catalog.holdings import Holdings
from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.catalog.storage_use import StorageUses
from app.catalog.tables import ImageRow
from app.errors import StorageFull, Unprocessable
from app.imaging.decode import ImageDecoder
from app.imaging.fetch import FetchPolicy, fetch
from app.settings import Settings
from app.storage.blobs import BlobStore, image_key


def fetch_policy(settings: Settings) -> FetchPolicy:
    """Which image URLs may be fetched; raises ValueError for a setting that is no network or port."""
    networks = tuple(ip_network(text.strip()) for text in settings.fetch_networks.split(",") if text.strip())
    ports = frozenset(int(text) for text in settings.fetch_ports.split(","))
    return FetchPolicy(ports=ports, allow_networks=networks)


class BadBase64(Unprocessable):
    """The image data is not base64"""

    code = "image.base64"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDoor:
    """What it takes to let an image in."""

    engine: Engine
    blobs: BlobStore
    decoder: ImageDecoder
    fetch_policy: FetchPolicy

    def from_url(
        self, tenant_id: UUID, url: str, labels: list[str], *, key_id: UUID | None = None
    ) -> tuple[ImageRow, bool]:
        """Fetch and store; raises ImagingError when the URL is refused, fails or is no image, and StorageFull."""
        return self.from_bytes(tenant_id, fetch(url, self.fetch_policy).data, labels, source="url", key_id=key_id)

    def from_base64(
        self, tenant_id: UUID, data: str, labels: list[str], *, key_id: UUID | None = None
    ) -> tuple[ImageRow, bool]:
        """Decode base64 (a data: URL's prefix is tolerated) and store; raises BadBase64, ImagingError or StorageFull."""
        if data.startswith("data:"):
            data = data.partition(",")[2]
        try:
            received = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise BadBase64("`data` must be standard base64.") from None
        return self.from_bytes(tenant_id, received, labels, source="base64", key_id=key_id)

    def from_bytes(
        self, tenant_id: UUID, received: bytes, labels: list[str], *, source: str = "upload", key_id: UUID | None = None
    ) -> tuple[ImageRow, bool]:
        """Store an image on account of a key and return its row and whether it is new; raises ImagingError or StorageFull."""
        sha256 = hashlib.sha256(received).hexdigest()
        known = self._known(tenant_id, sha256, labels, key_id)
        if known is not None:
            return known, False
        decoded = self.decoder.decode(received)
        key = image_key(str(tenant_id), sha256)
        ours = self.blobs.put_if_absent(key, decoded.canonical)
        row = ImageRow(
            sha256=sha256,
            media_type=decoded.media_type,
            width=decoded.width,
            height=decoded.height,
            bytes=len(received),
            orientation=decoded.orientation,
            labels=list(dict.fromkeys(labels)),
            source=source,
            blob_key=key,
            stored_bytes=len(decoded.canonical),
            key_id=key_id,
        )
        try:
            with transaction(self.engine, tenant_id) as session:
                images = ImageRepository(session)
                stored, new = images.add(row)
                images.add_labels(stored.id, labels)
        except StorageFull:
            if ours:
                self._take_back(tenant_id, key, decoded.canonical)
            raise
        # Somebody may have deleted the same picture between our look at its blob and our commit, see `forgetting`.
        if new and not self.blobs.exists(key):
            self.blobs.put_if_absent(key, decoded.canonical)
        return stored, new

    def _known(self, tenant_id: UUID, sha256: str, labels: list[str], key_id: UUID | None) -> ImageRow | None:
        with transaction(self.engine, tenant_id) as session:
            images = ImageRepository(session)
            row = images.find_by_sha256(sha256)
            if row is None:
                # Before the picture is decoded: a full account must not cost the work of an image a time.
                StorageUses(session).check(key_id, room_for=1)
            else:
                images.add_labels(row.id, labels)
            return row

    def _take_back(self, tenant_id: UUID, key: str, canonical: bytes) -> None:
        """Remove the copy of a refused image, unless somebody else's row names it by now, see `forgetting`."""
        self.blobs.delete(key)
        with transaction(self.engine, tenant_id) as session:
            wanted = Holdings(session).named([key])
        if wanted:
            self.blobs.put_if_absent(key, canonical)
