"""Judges where labels stand, ours and supervision's, at equal size, and how many marks jitter renumbers."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.marks import STYLES, Marking, MarkStyle, Previous, place
from models.regions import Regions
from tests.bench.mark_quality import Quality, quality
from tests.bench.marks_masks import coco_masks
from tests.bench.marks_speed import STYLE, Supervision
from tests.bench.synthetic import Case, case, jittered, shifted

# Published for SoM's Visualizer at N = 150, its labels 34 x 27 px in the median; the rest of its columns is not.
SOM = {"labels": 150, "touching": 83, "hidden_25": 32, "hidden_50": 14, "cut": 6, "centre_in_mask": 125,
       "centre_on_visible": 101, "centre_or_leader": 101, "over_half": 69, "hiding_roomy": None, "hiding_any": None}  # fmt: skip
SOM_STYLE = replace(STYLES["som"], order="reading", max_marks=1000)
_SEEDS = range(3)  # cases per count
_JITTERS = range(4)  # of each


def placement(one: Case) -> dict[str, dict[str, Any]]:
    """Return the counts of every program on one case."""
    rows: dict[str, dict[str, Any]] = {
        "ours": asdict(_ours(one.masks, STYLE)),
        "ours, default sizes": asdict(_ours(one.masks, replace(STYLES["markwise"], max_marks=1000))),
        "ours, SoM's size": asdict(_ours(one.masks, SOM_STYLE)),
    }
    for name, anchor, smart in (
        ("supervision, centre of mass", "centre of mass", False),
        ("supervision, centre of mass, smart", "centre of mass", True),
        ("supervision, bbox centre", "bbox centre", False),
    ):
        rows[name] = asdict(quality(one.masks, Supervision(one, anchor, smart=smart).labels()))
    if len(one.masks) == SOM["labels"]:
        rows["SoM, published"] = SOM
    return rows


def coco(folder: Path) -> dict[str, Any]:
    """Return the sum of our counts over all pictures of COCO's own masks."""
    truth = json.loads((folder / "instances.json").read_text())
    total: Quality | None = None
    for image in truth["images"]:
        masks = coco_masks(truth, image)
        if masks:
            found = _ours(masks, STYLES["markwise"])
            total = found if total is None else total + found
    return {"ours, default sizes": asdict(total)} if total else {}


def _ours(masks: Sequence[NDArray[np.bool_]], style: MarkStyle) -> Quality:
    marks = place(Regions.from_masks(masks[0].shape, masks), style).marks
    return quality(
        [masks[mark.region_index] for mark in marks],
        [mark.label_bbox_xyxy_px for mark in marks],
        [mark.leader for mark in marks],
    )


def renumbered(count: int) -> dict[str, dict[str, float]]:
    """Return the mean and median share of marks with another id after jitter, and after losing a mask."""
    shares: dict[str, list[float]] = {}
    for seed in _SEEDS:
        masks = case(count, seed).masks
        size_hw = masks[0].shape
        before = Regions.from_masks(size_hw, masks)
        marking = place(before, STYLE)
        previous = Previous(regions=before, marking=marking)
        for jitter in _JITTERS:
            for name, change in (("edges +-1 px", jittered), ("places +-1 px", shifted)):
                after = Regions.from_masks(size_hw, change(masks, jitter))
                shares.setdefault(name, []).append(_share(marking, place(after, STYLE)))
                followed = place(after, STYLE, previous=previous)
                shares.setdefault(f"{name}, previous given", []).append(_share(marking, followed))
            lost = int(np.random.default_rng(jitter).integers(count))
            kept = [k for k in range(count) if k != lost]
            followed = place(before.take(kept), STYLE, previous=previous)
            shares.setdefault("a mask dropped, previous given", []).append(_share(marking, followed, kept))
    return {name: {"mean": statistics.mean(v), "median": statistics.median(v)} for name, v in shares.items()}


def _share(before: Marking, after: Marking, kept: Sequence[int] | None = None) -> float:
    """Return the share of regions, those still there, whose id has changed; `kept[i]` was the index of region i."""
    first = {mark.region_index: mark.id for mark in before.marks}
    second = {mark.region_index if kept is None else kept[mark.region_index]: mark.id for mark in after.marks}
    return sum(first[index] != name for index, name in second.items()) / max(1, len(second))


def table(result: dict[str, Any]) -> list[str]:
    """The tables of placement and numbering, as lines of Markdown."""
    columns = tuple(asdict(quality([], [])))
    head = "| " + " | ".join(name.replace("_", " ") for name in ("placement", *columns)) + " |"
    lines = [head, "|---" * (len(columns) + 1) + "|"]
    show: Callable[[Any], str] = lambda value: "" if value is None else str(value)  # noqa: E731 - one use below
    for title, rows in [
        *((f"N={count}, ", rows) for count, rows in result["placement"].items()),
        ("COCO, ", result.get("coco", {})),
    ]:
        for name, row in rows.items():
            lines.append(f"| {title}{name} | " + " | ".join(show(row[column]) for column in columns) + " |")
    counts = list(result["renumbered"])
    lines += ["", "| % renumbered, mean (median) | " + " | ".join(f"N={n}" for n in counts) + " |"]
    lines.append("|---" * (len(counts) + 1) + "|")
    for name in result["renumbered"][counts[0]]:
        cells = [result["renumbered"][n][name] for n in counts]
        shown = " | ".join(f"{100 * cell['mean']:.1f} ({100 * cell['median']:.1f})" for cell in cells)
        lines.append(f"| {name} | {shown} |")
    return lines
