"""F1: spoilt images. Run: python -m tests.chaos.spoilt_images.

Seeds of every accepted format, spoilt by a seeded generator, go through the decoder as uploads do, and through a running service.
An image is decoded or refused in our words, within a second, in 512 MB; nothing else may happen. `make test` runs a short form.
"""

import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import psutil

from app.imaging.decode import ImageDecoder
from app.imaging.errors import ImagingError
from tests.acceptance.service import serving
from tests.chaos.table import Row, run
from tests.unit.app.imaging.pictures import mutated, seeds

LEAK = re.compile(r"0x[0-9a-f]{8,}|Traceback|/home|/tmp|/work|PIL|object at", re.IGNORECASE)
SLOWEST_S = 1.0
MOST_RSS_MB = 512
SEED = 20261121


@dataclass(slots=True)
class Outcome:
    """What came of a run: how often what, the slowest image's CPU-bound time, and what must not be."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    rss_mb: float = 0.0
    grown_mb: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many images there were."""
        return self.counts.total()


def in_process(count: int, seed: int = SEED) -> Outcome:
    """Decode `count` spoilt images by the pool of children; a fault names the bytes that it takes to see it again."""
    found, rng, whole = Outcome(), random.Random(seed), seeds()
    names, before_mb = sorted(whole), resident_mb()
    with ImageDecoder() as decoder:
        for _ in range(count):
            data = whole[rng.choice(names)]
            for _ in range(rng.choice((1, 1, 1, 2, 4))):
                data = mutated(data, rng) if data else data
            started = time.process_time()
            _decode(decoder, data, found)
            found.slowest_s = max(found.slowest_s, time.process_time() - started)
        found.rss_mb = resident_mb()
    found.grown_mb = found.rss_mb - before_mb
    return found


def _decode(decoder: ImageDecoder, data: bytes, found: Outcome) -> None:
    try:
        decoder.decode_pixels(data)
        found.counts["decoded"] += 1
    except ImagingError as refused:
        found.counts[refused.code] += 1
        if refused.status not in {413, 415, 422} or refused.code == "image.decoder_failed":
            found.faults.append(f"{refused.code} ({refused.status}) for {data.hex()}")
        if LEAK.search(refused.detail):
            found.faults.append(f"{refused.detail!r} for {data.hex()}")
    except Exception as error:
        found.counts["error"] += 1
        found.faults.append(f"{error!r} for {data.hex()}")


def over_http(url: str, count: int, seed: int = SEED) -> Outcome:
    """Post `count` spoilt images to a service."""
    found, rng, whole = Outcome(), random.Random(f"http-{seed}"), seeds()
    names = sorted(whole)
    with httpx.Client(base_url=url, timeout=60) as client:
        for _ in range(count):
            data = mutated(whole[rng.choice(names)], rng)
            started = time.monotonic()
            response = client.post("/v1/images", files={"file": ("x", data)})
            found.slowest_s = max(found.slowest_s, time.monotonic() - started)
            found.counts[str(response.status_code)] += 1
            if response.status_code not in {200, 201, 413, 415, 422}:
                found.faults.append(f"{response.status_code} {response.text[:200]} for {data.hex()}")
            elif response.status_code > 201 and LEAK.search(response.text):
                found.faults.append(f"{response.text[:300]} for {data.hex()}")
        if client.get("/readyz").status_code != 200:
            found.faults.append("the service is not ready any more")
    return found


def resident_mb() -> float:
    """Return the memory of this process and its children."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(one.memory_info().rss for one in family if one.is_running()) / 2**20


def measure(count: int = 200_000, http: int = 2_000) -> Row:
    """Spoil `count` images for the decoder and `http` for a service."""
    inside = in_process(count)
    with serving() as url:
        outside = over_http(url, http)
    faults = inside.faults + outside.faults
    failures = (
        *([f"{len(faults)} faults, the first: {faults[0][:300]}"] if faults else []),
        *([f"an image took {inside.slowest_s:.1f} s"] if inside.slowest_s > SLOWEST_S else []),
        *([f"{inside.rss_mb:.0f} MB"] if inside.rss_mb > MOST_RSS_MB else []),
    )
    return Row(
        id="F1",
        fault="spoilt images",
        load=f"{inside.count} in process, {outside.count} over HTTP",
        survived=inside.count + outside.count - len(faults),
        lost=len(faults),
        failures=failures,
        seen=f"{inside.counts['decoded']} decoded; slowest {1000 * inside.slowest_s:.0f} ms; {inside.rss_mb:.0f} MB",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
