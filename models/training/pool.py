"""A pool of painted drawings on disk: drawn once, read many times by every rank through a memory map.

Drawing and painting cost about as much as a training step on the same picture, and each is seen a few times, so they
are kept. Called by the stages that need pixels.
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from models import drawings
from models.drawings import Drawing
from models.marks import paint_for_model
from models.tiny.config import GRID, INPUT_PX
from models.training.patches import COLUMNS, patch_labels
from models.training.varied import View, served_view, show_labelled, training_view
from models.vlm.prompts import TableRow, table_row

CHUNK: Final = 250
VIEWS: Final = {"varied": training_view, "served": served_view}
STYLES: Final = ("markwise",) * 7 + ("som-llava",) * 2 + ("som",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is known of one picture of the pool, in mark order."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[TableRow, ...]  # empty for a scene


Chunk = tuple[NDArray[np.uint8], NDArray[np.uint8], list[Item]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """N pictures, their patch labels (zeros for screens) and their items."""

    images: NDArray[np.uint8]  # (N, 224, 224, 3), memory-mapped
    labels: NDArray[np.uint8]  # (N, 196, 6), memory-mapped
    items: tuple[Item, ...]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.items)


def open_pool(folder: Path, kind: str, count: int, first_seed: int, processes: int = 1) -> Pool:
    """The pool of `count` drawings of `kind` (scene, screen, varied or served) from `first_seed` on; drawn now if it is not there."""
    home = folder / f"{kind}-{first_seed}-{count}"
    if not (home / "items.json").exists():
        _draw_pool(home, kind, count, first_seed, processes)
    records = json.loads((home / "items.json").read_text())
    items = tuple(
        Item(ids=tuple(r["ids"]), names=tuple(r["names"]), rows=tuple(TableRow(**row) for row in r["rows"]))
        for r in records
    )
    return Pool(images=np.load(home / "images.npy", "r"), labels=np.load(home / "labels.npy", "r"), items=items)


def paint_drawing(drawing: Drawing, rng: Random) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Item]:
    """Give the regions ids and paint them as serving does: picture (224, 224, 3), labels (196, 6), item."""
    if drawing.kind == "scene":
        drawing = drawing.shuffled(rng)
    ids = _ids(rng, len(drawing.regions))
    painted = paint_for_model(drawing.image, drawing.regions, ids, rng.choice(STYLES), INPUT_PX)
    labels = np.zeros((GRID * GRID, len(COLUMNS)), np.uint8)
    rows: tuple[TableRow, ...] = ()
    if drawing.kind == "scene":
        labels = patch_labels(painted, drawing.regions, ids, drawing.names, drawing.regions.size_hw)
    else:
        rows = rows_of(drawing, ids)
    return painted, labels, Item(ids=tuple(ids), names=drawing.names, rows=rows)


def _paint_view(made: tuple[Drawing, View]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Item]:
    drawing, view = made
    painted, labels = show_labelled(drawing, view)
    return painted, labels, Item(ids=view.ids, names=drawing.names, rows=())


def rows_of(drawing: Drawing, ids: Sequence[str]) -> tuple[TableRow, ...]:
    """The mark table of a screen, one row per region, as serving builds it."""
    regions = drawing.regions
    rows = []
    for i, mark_id in enumerate(ids):
        x0, y0, x1, y1 = (float(v) for v in regions.boxes_xyxy_px[i])
        rows.append(table_row(mark_id, (x0, y0, x1, y1), regions.size_hw, role=regions.roles[i], text=regions.texts[i]))
    return tuple(rows)


def _ids(rng: Random, count: int) -> list[str]:
    """Mostly 1..N, sometimes any numbers up to 99, because a catalog keeps ids when regions come and go."""
    draw = rng.random()
    if draw < 0.78:
        return [str(number) for number in range(1, count + 1)]
    top = 20 if draw < 0.9 else 99
    return [str(number) for number in sorted(rng.sample(range(1, top + 1), count))]


def _draw_pool(home: Path, kind: str, count: int, first_seed: int, processes: int) -> None:
    home.mkdir(parents=True, exist_ok=True)
    images = open_memmap(home / "images.npy", "w+", np.uint8, (count, INPUT_PX, INPUT_PX, 3))
    labels = open_memmap(home / "labels.npy", "w+", np.uint8, (count, GRID * GRID, len(COLUMNS)))
    starts = range(0, count, CHUNK)
    records: list[dict[str, object]] = []
    for at, chunk in zip(starts, _chunks(kind, first_seed, count, processes), strict=True):
        stop = at + len(chunk[2])
        images[at:stop], labels[at:stop] = chunk[:2]
        records += [asdict(item) for item in chunk[2]]
    images.flush()
    labels.flush()
    (home / "items.json").write_text(json.dumps(records))


def _chunks(kind: str, first_seed: int, count: int, processes: int) -> Iterator[Chunk]:
    tasks = [(kind, first_seed + at, min(CHUNK, count - at)) for at in range(0, count, CHUNK)]
    if processes == 1:
        yield from (_draw_chunk(*task) for task in tasks)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as workers:
        jobs = [workers.submit(_draw_chunk, *task) for task in tasks]
        yield from (job.result() for job in jobs)


def _draw_chunk(kind: str, first_seed: int, count: int) -> Chunk:
    seeds = range(first_seed, first_seed + count)
    if kind in VIEWS:
        done = [_paint_view(VIEWS[kind](seed)) for seed in seeds]
    else:
        draw = drawings.scene if kind == "scene" else drawings.screen
        done = [paint_drawing(draw(seed), Random(f"pool-{kind}-{seed}")) for seed in seeds]
    return np.stack([one[0] for one in done]), np.stack([one[1] for one in done]), [one[2] for one in done]
