"""Puts together what several files say about one image, on disk: memory stays flat however large the files are.

Published files list images, objects and captions apart. Entries are dealt into as many shares as it takes to hold each
in memory (a hash join), and every image's entries lie in one share. Called by readers; knows no format.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Self

from models.sources.records import Tools

# A share is held as text while its images are put together: 8 MiB each, and 256 open files at most.
SHARE_BYTES = 8 * 2**20
MOST_SHARES = 256

Parts = dict[str, list[Any]]


class Gathering:
    """Fill it inside `with`, then ask for `groups` as often as needed. Not for several threads."""

    def __init__(self, tools: Tools, paths: Sequence[Path]) -> None:
        """Lies in the caller's scratch folder; the files to be put in tell how many shares it takes."""
        count = min(MOST_SHARES, 1 + sum(path.stat().st_size for path in paths) // SHARE_BYTES)
        self._beat = tools.beat
        self._paths = [tools.scratch / f"share-{number}" for number in range(count)]
        self._files: list[IO[bytes]] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Begin to take entries."""
        self._files = [self._open.enter_context(path.open("wb", 1 << 16)) for path in self._paths]
        return self

    def __exit__(self, *_: object) -> None:
        """Close the shares."""
        self._open.close()

    def put(self, key: str, part: str, value: Any) -> None:
        """Add an entry of an image; `part` is a word that tells entries of one kind from another."""
        self._beat()
        line = b"\t".join((json.dumps(key).encode(), part.encode(), json.dumps(value).encode()))
        self._files[zlib.crc32(key.encode()) % len(self._files)].write(line + b"\n")

    def count(self, *, beside: str | None = None) -> int:
        """Return how many images there are, or how many have anything `beside` this part. Reads the shares once."""
        total, passed_over = 0, None if beside is None else beside.encode()
        for path in self._paths:
            with path.open("rb") as share:
                keys = (line.split(b"\t", 2)[:2] for line in share)
                total += len({key for key, part in keys if part != passed_over})
        return total

    def groups(self) -> Iterator[tuple[str, Parts]]:
        """Yield each image with its entries by part, in the order they came; images by share, then in that order."""
        for path in self._paths:
            lines: dict[bytes, list[bytes]] = {}
            with path.open("rb") as share:
                for line in share:
                    key, _, rest = line.partition(b"\t")
                    lines.setdefault(key, []).append(rest)
            for key, entries in lines.items():
                yield json.loads(key), _parts(entries)


def _parts(entries: list[bytes]) -> Parts:
    found: Parts = {}
    for entry in entries:
        part, _, value = entry.partition(b"\t")
        found.setdefault(part.decode(), []).append(json.loads(value))
    return found
