"""Dataset items as WebDataset: a tar in which `<key>.png` and `<key>.json` of one sample stand side by side.

The tar leaves in pieces and is the same bytes every time: no owner, no time. Pictures come from the caller.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from typing_extensions import Buffer

from app.catalog.tables import DatasetItemRow
from app.formats.llava import facts_of, sample_of

PictureOf = Callable[[DatasetItemRow], bytes | None]


def tar_pieces(items: Iterable[DatasetItemRow], picture_of: PictureOf) -> Iterator[bytes]:
    """The tar of these items; a sample's key is its position, because an id may come several times."""
    pipe = _Pipe()
    # The old format: every reader knows it, and names of ours are short.
    with tarfile.open(fileobj=pipe, mode="w|", format=tarfile.USTAR_FORMAT, bufsize=tarfile.BLOCKSIZE) as tar:
        for item in items:
            key = f"{item.position:09d}"
            picture = picture_of(item)
            if picture is not None:
                _add(tar, f"{key}{PurePosixPath(str(item.image)).suffix.lower() or '.jpg'}", picture)
            body = json.dumps({**sample_of(item), **facts_of(item)}, ensure_ascii=False)
            _add(tar, f"{key}.json", body.encode())
            yield pipe.taken()
    yield pipe.taken()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


class _Pipe(io.RawIOBase):
    """What tarfile writes, to be taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Buffer) -> int:
        """Keep a piece."""
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        """Everything since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
