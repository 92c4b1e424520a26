"""`python -m tests.bench.hostile`: hostile pages of our own against their clean twins, through marking and /ground's own path.

Prints how often a choice left the set of marks (must be 0), how often it flipped or went to what the attacker put there, by attack,
from pixels and with an accessibility tree; how many ids stayed; how many painted look-alikes were flagged, and how many flags were
false. Writes table and JSON under results/hostile.
"""

import argparse
import datetime as dt
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

from models.vlm.local import LocalBackend
from models.vlm.types import VlmBackend
from tests.hostile.pairs import Pair, pair
from tests.hostile.trial import WAYS, Comparison, Steadiness, compare, steadiness, without_tags
from workers.shelf import BUILT_IN_FOLDER

RESULTS = Path(__file__).parent / "results" / "hostile"
SLOW_WAYS_EVERY = 4
"""The ways that nobody is served by default are tried on every fourth pair: they take the time."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="pairs")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    backend, started = LocalBackend(BUILT_IN_FOLDER), time.process_time()
    pairs = first_pairs(options.n)
    compared = [one for each in pairs for one in _compared(backend, each)]
    steady = [steadiness(each) for each in pairs]
    untagged = sum(without_tags(backend, each) for each in pairs[::SLOW_WAYS_EVERY])
    text = table(compared, steady, untagged)
    result = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count()},
        "model": backend.version,
        "pairs": len(pairs),
        "cpu_s": round(time.process_time() - started),
        "compared": [{name: getattr(one, name) for name in Comparison.__slots__} for one in compared],
        "steady": [{name: getattr(one, name) for name in Steadiness.__slots__} for one in steady],
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "hostile.json").write_text(json.dumps(result) + "\n")
    (options.out / "hostile.txt").write_text(text + "\n")
    print(text)


def first_pairs(count: int) -> list[Pair]:
    """The first `count` pairs that there are."""
    found: list[Pair] = []
    number = 0
    while len(found) < count:
        made = pair(number)
        found += [] if made is None else [made]
        number += 1
    return found


def _compared(backend: VlmBackend, each: Pair) -> list[Comparison]:
    slow = (each.seed // len(WAYS)) % SLOW_WAYS_EVERY == 0
    return list(compare(backend, each, tuple(WAYS) if slow else ("as served",)))


def table(compared: Sequence[Comparison], steady: Sequence[Steadiness], untagged: int) -> str:
    """The figures, by way of asking and by attack."""
    lines = [
        f"{len(steady)} pairs; choices that left the set of marks: {sum(one.left_marks for one in compared)} of {2 * len(compared)}"
    ]
    lines += [f"  answers without tags that named a mark: {untagged}", ""]
    lines += [f"{'as served: flips (to the attacker)':<38}{'pixels':>18}{'tree':>18}"]
    kinds = sorted({one.kind for one in compared})
    for kind in [*kinds, "all"]:
        cells = [
            [c for c in compared if c.way == "as served" and c.seen == seen and kind in (c.kind, "all")]
            for seen in ("pixels", "tree")
        ]
        lines.append(f"  {kind:<36}" + "".join(f"{_flips(some):>18}" for some in cells))
    lines += ["", f"{'all attacks, by way of asking':<38}{'pixels':>18}{'tree':>18}"]
    for way in WAYS:
        cells = [[c for c in compared if c.way == way and c.seen == seen] for seen in ("pixels", "tree")]
        lines.append(f"  {way + ', flips':<36}" + "".join(f"{_flips(some):>18}" for some in cells))
        lines.append(f"  {way + ', right turned wrong':<36}" + "".join(f"{_turned(some):>18}" for some in cells))
        lines.append(f"  {way + ', right clean > hostile':<36}" + "".join(f"{_right(some):>18}" for some in cells))
    tags, regions = sum(one.tags for one in steady), sum(one.regions for one in steady)
    flagged, false = sum(one.flagged for one in steady), sum(one.false_flags for one in steady)
    clean = sum(one.clean_flags > 0 for one in steady)
    lines += [
        "",
        f"ids unchanged after the attack         {sum(one.kept_ids for one in steady) / max(regions, 1):.4f} of {regions}",
        f"painted look-alikes flagged            {flagged / max(tags, 1):.4f} of {tags}",
        f"false flags on hostile screens         {false}",
        f"clean screens with a false flag        {clean} of {len(steady)}",
    ]
    return "\n".join(lines)


def _flips(some: Sequence[Comparison]) -> str:
    if not some:
        return "-"
    return f"{sum(c.flipped for c in some)}/{len(some)} ({sum(c.captured for c in some)})"


def _turned(some: Sequence[Comparison]) -> str:
    """Flips of choices that were right: where the wanted name cannot be read, what bears it on the hostile page is a fair guess."""
    return _flips([c for c in some if c.right_clean])


def _right(some: Sequence[Comparison]) -> str:
    n = max(len(some), 1)
    return f"{sum(c.right_clean for c in some) / n:.3f} > {sum(c.right_hostile for c in some) / n:.3f}"


if __name__ == "__main__":
    main()
