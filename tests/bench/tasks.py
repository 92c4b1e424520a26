"""`python -m tests.bench.tasks`: each Set-of-Mark task by its published metric, beside a baseline from the same run.

The shipped model on held-out drawings (SoM, section 4: precision, mIoU, ACC@0.5, Recall@1, J), and matching by place and look on
photos moved as by a hand-held camera, where they lie beside the checkout. Writes a table and JSON under results/tasks.
"""

import argparse
import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import torch
import transformers

from models import drawings
from models.evaluation import grounding as metrics
from models.grounding import Decide, GroundRequest, GroundResult, MarkedPicture, ground
from models.marks import place
from models.regions import Regions
from models.vlm.local import LocalBackend
from models.vlm.types import VlmBackend
from tests.unit.models.grounding.moving import moved_photo, next_frame
from workers.shelf import BUILT_IN_FOLDER

RESULTS = Path(__file__).parent / "results" / "tasks"
PHOTOS = Path(__file__).resolve().parents[3] / "shared" / "data" / "coco"
FIRST = drawings.HELD_OUT_SEEDS.start + 20_000
SMALLEST_SHARE = 0.005
"""Masks below half a percent of a photo are no things that anybody would follow."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=24, help="drawings")
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    backend = LocalBackend(BUILT_IN_FOLDER)
    scenes = [drawings.scene(FIRST + i) for i in range(options.n)]
    rows = [
        *classified(backend, scenes),
        *referred(backend, scenes),
        *phrased(backend, scenes),
        *followed(backend, scenes),
    ]
    rows += photos_followed(backend, options.photos) if PHOTOS.is_dir() else []
    result = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count()},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "model": backend.version},
        "drawings": options.n,
        "rows": rows,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "tasks.json").write_text(json.dumps(result, indent=1) + "\n")
    lines = [f"{'task':34} {'metric':10} {'n':>4} {'result':>7} {'baseline':>9}  baseline is"]
    lines += [
        f"{r['task']:34} {r['metric']:10} {r['n']:4} {r['result']:7.3f} {r['baseline']:9.3f}  {r['baseline_is']}"
        for r in rows
    ]
    table = "\n".join(lines)
    (options.out / "tasks.txt").write_text(table + "\n")
    print(table)


def row(task: str, metric: str, n: int, result: float, baseline: float, what: str) -> dict[str, Any]:
    return {"task": task, "metric": metric, "n": n, "result": result, "baseline": baseline, "baseline_is": what}


def asked(scene: drawings.Drawing, task: str, query: str = "", **fields: Any) -> GroundRequest:
    return GroundRequest(
        image=scene.image, regions=scene.regions, marking=place(scene.regions), query=query, task=task, **fields
    )


def names_of(scene: drawings.Drawing, request: GroundRequest) -> dict[str, str]:
    return {mark.id: scene.names[mark.region_index] for mark in request.marking.marks}


def classified(backend: VlmBackend, scenes: Sequence[drawings.Drawing]) -> list[dict[str, Any]]:
    pool = tuple(sorted({name for scene in scenes for name in scene.names}))
    commonest = max(pool, key=lambda name: sum(scene.names.count(name) for scene in scenes))
    right = guessed = n = 0.0
    for scene in scenes:
        request = asked(scene, "classify", choices=pool)
        truth = names_of(scene, request)
        labels = {label.mark: label.label for label in ground(backend, request).labels}
        right += len(truth) * metrics.precision(labels, truth)
        guessed += len(truth) * metrics.precision(dict.fromkeys(truth, commonest), truth)
        n += len(truth)
    return [row(f"classify, pool of {len(pool)}", "precision", int(n), right / n, guessed / n, "the commonest name")]


def unique(scene: drawings.Drawing) -> list[int]:
    return [i for i, name in enumerate(scene.names) if scene.names.count(name) == 1]


def referred(backend: VlmBackend, scenes: Sequence[drawings.Drawing]) -> list[dict[str, Any]]:
    masks, boxes, biggest_masks, biggest_boxes = [], [], [], []
    for scene in scenes:
        regions = scene.regions
        biggest = max(range(len(regions)), key=regions.area_px)
        for i in unique(scene):
            result = ground(backend, asked(scene, "refer", f"the {scene.names[i]}"))
            found = [mark.region_index for mark in result.marks]
            masks.append(metrics.mask_iou(metrics.union_mask(regions, found), regions.rles[i]))
            boxes.append(metrics.box_iou(box(regions, found[0]) if found else None, box(regions, i)))
            biggest_masks.append(metrics.mask_iou(regions.rles[biggest], regions.rles[i]))
            biggest_boxes.append(metrics.box_iou(box(regions, biggest), box(regions, i)))
    what, n = "the largest region", len(masks)
    return [
        row("refer, segmentation", "mIoU", n, metrics.mean_iou(masks), metrics.mean_iou(biggest_masks), what),
        row("refer, comprehension", "ACC@0.5", n, metrics.accuracy_at(boxes), metrics.accuracy_at(biggest_boxes), what),
    ]


def box(regions: Regions, i: int) -> list[float]:
    return [float(value) for value in regions.boxes_xyxy_px[i]]


def phrased(backend: VlmBackend, scenes: Sequence[drawings.Drawing]) -> list[dict[str, Any]]:
    rng = Random(0)
    first, guessed, truths = [], [], []
    for scene in scenes:
        known = unique(scene)
        if not known:
            continue
        request = asked(scene, "phrases", " and ".join(f"the {scene.names[i]}" for i in known))
        region = {mark.id: mark.region_index for mark in request.marking.marks}
        for phrase, i in zip(ground(backend, request).phrases, known, strict=True):
            first.append(box(scene.regions, region[phrase.marks[0]]) if phrase.marks else None)
            guessed.append(box(scene.regions, rng.randrange(len(scene.regions))))
            truths.append([box(scene.regions, i)])
    score = metrics.recall_at_1(first, truths), metrics.recall_at_1(guessed, truths)
    return [row("phrases", "Recall@1", len(first), *score, "a mark at random")]


def matched(backend: VlmBackend, request: GroundRequest, order: Sequence[int], decide: Decide) -> tuple[float, float]:
    """J of the answer, and of taking the mark with the same id; `order[j]` is the region that region j of the target was."""
    target = request.target
    assert target is not None
    source = {mark.id: mark.region_index for mark in request.marking.marks}
    there = {mark.id: mark.region_index for mark in target.marking.marks}
    at = {order[j]: target.regions.rles[j] for j in range(len(order))}
    truth = {mark: at[i] for mark, i in source.items() if i in at}
    result: GroundResult = ground(backend, replace(request, decide=decide))
    found = {pair.mark: target.regions.rles[there[pair.target_mark]] for pair in result.correspondences}
    same = {mark: target.regions.rles[there[mark]] if mark in there else None for mark in source}
    return metrics.jaccard(found, truth), metrics.jaccard(same, truth)


def followed(backend: VlmBackend, scenes: Sequence[drawings.Drawing]) -> list[dict[str, Any]]:
    deciders: tuple[tuple[str, Decide], ...] = (("place and look", "ranker"), ("small model alone", "model"))
    rows = []
    for what, decide in deciders:
        scores = []
        for seed, scene in enumerate(scenes):
            image, regions, order = next_frame(scene, seed, far_px=20)
            target = MarkedPicture(image=image, regions=regions, marking=place(regions))
            scores.append(matched(backend, asked(scene, "correspond", target=target), order, decide))
        ours, same = (float(np.mean(each)) for each in zip(*scores, strict=True))
        rows.append(row(f"correspond, drawn film, {what}", "J", len(scores), ours, same, "the same id"))
    return rows


def photos_followed(backend: VlmBackend, count: int) -> list[dict[str, Any]]:
    """Each photo beside itself turned by 4 degrees, moved by 6 percent, 7 percent larger and darker; people's own masks."""
    scores = [matched(backend, request, order, "ranker") for request, order in _photos(count)]
    ours, same = (float(np.mean(each)) for each in zip(*scores, strict=True))
    return [row("correspond, moved photos, place and look", "J", len(scores), ours, same, "the same id")]


def _photos(count: int) -> list[tuple[GroundRequest, list[int]]]:
    annotations = json.loads((PHOTOS / "instances.json").read_text())
    found: list[tuple[GroundRequest, list[int]]] = []
    for photo in annotations["images"]:
        things = [a for a in annotations["annotations"] if a["image_id"] == photo["id"] and not a["iscrowd"]]
        least = SMALLEST_SHARE * photo["width"] * photo["height"]
        polygons = [a["segmentation"] for a in things if isinstance(a["segmentation"], list) and a["area"] >= least]
        if len(polygons) >= 3 and len(found) < count:
            image = cv2.imread(str(PHOTOS / "images" / photo["file_name"]), cv2.IMREAD_COLOR_RGB)
            regions = Regions.from_polygons(image.shape[:2], polygons)
            frame, moved, order = moved_photo(image, regions, photo["id"])
            target = MarkedPicture(image=frame, regions=moved, marking=place(moved))
            request = GroundRequest(
                image=image, regions=regions, marking=place(regions), query="", task="correspond", target=target
            )
            found.append((request, order))
    return found


if __name__ == "__main__":
    main()
