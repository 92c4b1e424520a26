"""F2: decompression bombs. Run: python -m tests.chaos.bombs.

Small files that unpack to millions or billions of pixels, or to megabytes of metadata, go to a running service while its memory is
watched. Each is refused; neither the API nor its decoders grow by more than 32 MB. How long a refusal takes is told.
"""

import io
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
from PIL import Image

from tests.acceptance.service import drawn, serving
from tests.chaos import processes
from tests.chaos.table import Row, run
from tests.unit.app.imaging.pictures import encoded, gradient, png_chunk, png_of

GROWTH_MB = 32.0
SLOWEST_S = 1.0
_UNPACKED = 50 << 20


def bombs() -> dict[str, bytes]:
    """Return bombs by name, none larger than a few hundred kilobytes."""
    packed = zlib.compress(bytes(_UNPACKED), 9)
    found = {
        "png 40 Mpx and more": png_of(6_400, 6_400, rows=bytes(801 * 6_400)),
        "png 4 Gpx": png_of(65_535, 65_535),
        "png 1 x 2^31": png_of(1, 2**31 - 1),
        "png 2^31 x 1": png_of(2**31 - 1, 1),
        "png 268 Mpx whole": png_of(16_384, 16_384, rows=bytes(2_049 * 16_384)),
        "png zTXt": png_of(8, 8, png_chunk(b"zTXt", b"k\0\0" + packed)),
        "png iTXt": png_of(8, 8, png_chunk(b"iTXt", b"k\0\1\0\0\0" + packed)),
        "png iCCP": png_of(8, 8, png_chunk(b"iCCP", b"k\0\0" + packed)),
        "png four zTXt": png_of(8, 8, *[png_chunk(b"zTXt", b"k\0\0" + packed)] * 4),
    }
    gif = bytearray(encoded(gradient().quantize(16), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_535, 65_535)
    found["gif 4 Gpx"] = bytes(gif)
    jpeg = bytearray(encoded(gradient(), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    found["jpeg 4 Gpx"] = bytes(jpeg)
    bmp = bytearray(encoded(gradient(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60_000, 60_000)
    found["bmp 3.6 Gpx"] = bytes(bmp)
    found["webp 168 Mpx"] = _large_webp()
    return found


def _large_webp() -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (13_000, 3_300)).save(sink, "WEBP", lossless=True, method=0, quality=0)
    return sink.getvalue()


@contextmanager
def watched(family: list[psutil.Process]) -> Iterator[dict[str, float]]:
    """Watch the memory of processes and what they start; gives `growth_mb`, the peak over the beginning."""
    assert family, "there is nothing to watch"
    found, over = {"growth_mb": 0.0}, threading.Event()
    begin = _rss(family)

    def look() -> None:
        while not over.wait(0.005):
            found["growth_mb"] = max(found["growth_mb"], (_rss(family) - begin) / 2**20)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _rss(family: list[psutil.Process]) -> int:
    total = 0
    for process in family:
        try:
            total += sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])
        except psutil.NoSuchProcess:
            continue
    return total


def thrown(url: str, rounds: int) -> tuple[int, float, float, list[str]]:
    """Throw every bomb `rounds` times; returns how many, the growth in MB, the slowest refusal in s, and faults."""
    made, faults, slowest, count = bombs(), [], 0.0, 0
    with httpx.Client(base_url=url, timeout=60) as client:
        for seed in range(12):  # both decoders warm, and what a small picture takes is taken
            client.post("/v1/images", files={"file": drawn(seed)})
        with watched(processes.api()) as memory:
            for _ in range(rounds):
                for name, data in made.items():
                    started = time.monotonic()
                    response = client.post("/v1/images", files={"file": data})
                    took = time.monotonic() - started
                    slowest, count = max(slowest, took), count + 1
                    if response.status_code not in {413, 415, 422}:
                        faults.append(f"{name}: {response.status_code} {response.text[:120]}")
        if client.post("/v1/images", files={"file": drawn(99)}).status_code != 201:
            faults.append("a good picture is not taken any more")
    return count, memory["growth_mb"], slowest, faults


def measure(rounds: int = 20) -> Row:
    """Throw the bombs at a service and see what they cost it."""
    with serving() as url:
        count, growth_mb, slowest_s, faults = thrown(url, rounds)
    failures = (*faults[:3], *([f"memory grew by {growth_mb:.0f} MB"] if growth_mb > GROWTH_MB else []))
    return Row(
        id="F2",
        fault="decompression bombs",
        load=f"{count} files, {len(bombs())} kinds",
        survived=count - len(faults),
        lost=len(faults),
        failures=failures,
        seen=f"memory {growth_mb:+.0f} MB at the peak; slowest refusal {1000 * slowest_s:.0f} ms",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
