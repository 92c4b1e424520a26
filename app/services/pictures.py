"""Marked pictures of recent questions, kept in memory: a mark set never changes, and reading it again costs more than a short answer.

Of the API process only, for the direct path. The catalog is asked every time whether the caller may see the mark set, so nothing is
answered from here about what was deleted or belongs to another tenant.
"""

import threading
from collections import OrderedDict
from uuid import UUID

from app.catalog.mark_sets import marking_of, regions_of
from app.catalog.marks import StoredMark
from app.catalog.tables import ImageRow, MarkSetRow
from app.imaging.encode import read_canonical
from app.services.questions import marked_picture
from app.storage.blobs import BlobStore
from app.turns import waiting
from models.grounding import MarkedPicture
from models.marks import style_of
from models.vlm.pictures import keep_file

MAX_BYTES = 256 * 2**20  # 40 screenshots of 1280x800 with their overlays


class MarkedPictures:
    """The least recently asked picture goes first. Safe to share between threads; two may load the same one at once."""

    def __init__(self, blobs: BlobStore, *, max_bytes: int = MAX_BYTES) -> None:
        """`max_bytes` counts pixels; a picture beyond it is not kept."""
        self._blobs, self._max_bytes = blobs, max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[UUID, MarkedPicture] = OrderedDict()
        self._bytes = 0

    def find(self, mark_set_id: UUID) -> MarkedPicture | None:
        """Return a picture that is kept. The caller has made sure that its tenant has this mark set."""
        with self._lock:
            found = self._kept.get(mark_set_id)
            if found is not None:
                self._kept.move_to_end(mark_set_id)
            return found

    def load(self, row: MarkSetRow, marks: list[StoredMark], image: ImageRow) -> MarkedPicture:
        """Read a picture from the blob store and keep it. Its arrays are read-only. Raises BlobError."""
        with waiting():
            files = tuple(self._blobs.get(key) for key in (image.blob_key, row.overlay_blob_key))
            pixels, overlay = (read_canonical(file) for file in files)
        for array in (pixels, overlay):
            array.setflags(write=False)
        keep_file(overlay, files[1])
        picture = marked_picture(
            pixels,
            overlay,
            regions_of((image.height, image.width), marks),
            marking_of(row, marks, style_of(row.settings["style"])),
            row.settings,
            row.lookalikes,
        )
        self._keep(row.id, picture)
        return picture

    def _keep(self, mark_set_id: UUID, kept: MarkedPicture) -> None:
        size = _bytes_of(kept)
        if size > self._max_bytes:
            return
        with self._lock:
            if mark_set_id in self._kept:
                return
            self._kept[mark_set_id] = kept
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= _bytes_of(gone)


def _bytes_of(kept: MarkedPicture) -> int:
    return kept.image.nbytes + (0 if kept.overlay is None else kept.overlay.nbytes)
