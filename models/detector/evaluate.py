"""Scores an exported detector on rendered pages. Run: python -m models.detector.evaluate --held DIR [--weights FILE].

Prints recall at 1.6 marks per element and at the file's own threshold, per role, and the time per page. `scored` and
`table` serve the bench on real screenshots too.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.detector.data import PageTruth, read_pages
from models.detector.measure import Result, Scored, at_marks_per_element, at_threshold
from models.pages.pen import ROLES
from models.segmenters.detector import WEIGHTS, ElementDetector

LOWEST = 0.04


def scored(
    detector: ElementDetector,
    image: NDArray[np.uint8],
    true_boxes: NDArray[np.float32],
    true_roles: NDArray[np.int64],
    *,
    device_pixel_ratio: float = 1.0,
) -> Scored:
    """Return the detector's marks down to a score of 0.04 beside the truth of one page, in the image's pixels."""
    found = detector.detect(image, device_pixel_ratio, threshold=LOWEST)
    return Scored(
        boxes=found.boxes_xyxy_px,
        scores=found.scores,
        roles=np.array([ROLES.index(role) for role in found.roles], np.int64),
        true_boxes=true_boxes,
        true_roles=true_roles,
    )


def table(name: str, pages: Sequence[Scored], own_threshold: float) -> tuple[str, dict[str, float]]:
    """Return a printed table and its figures: at 1.0, 1.3 and 1.6 marks per element and at the file's own threshold."""
    rows = {f"{allowed} marks/element": at_marks_per_element(pages, allowed) for allowed in (1.0, 1.3, 1.6, 2.0)}
    rows["own threshold"] = at_threshold(pages, own_threshold)
    elements = sum(count for _, count in rows["own threshold"].by_role.values())
    lines = [
        f"{name}: {len(pages)} pages, {elements} elements",
        f"{'':22}recall inside marks/el precision role threshold",
    ]
    lines += [_row(title, result) for title, result in rows.items()]
    best = rows["1.6 marks/element"]
    by_role = sorted(best.by_role.items(), key=lambda item: -item[1][1])
    lines.append(
        "  by role at 1.6: " + ", ".join(f"{ROLES[role]} {got}/{count}" for role, (got, count) in by_role if role >= 0)
    )
    figures = {f"{key}, {field}": round(float(getattr(result, field)), 4) for key, result in rows.items() for field in ("recall", "inside", "marks_per_element", "role_accuracy", "threshold")}  # fmt: skip
    return "\n".join(lines), figures


def _row(title: str, result: Result) -> str:
    values = (result.recall, result.inside, result.marks_per_element, result.precision, result.role_accuracy)
    return f"  {title:20}" + "".join(f"{value:8.3f}" for value in values) + f"{result.threshold:8.3f}"


def score_rendered(detector: ElementDetector, pages: Sequence[PageTruth]) -> tuple[list[Scored], list[float]]:
    """Score rendered pages; also the process CPU seconds each page took."""
    out, seconds = [], []
    for page in pages:
        image = page.read()
        started = time.process_time()
        out.append(scored(detector, image, page.boxes, page.roles, device_pixel_ratio=page.device_pixel_ratio))
        seconds.append(time.process_time() - started)
    return out, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    detector = ElementDetector(options.weights, threads=options.threads)
    pages, seconds = score_rendered(detector, read_pages(options.held)[: options.pages])
    print(table(str(options.held.name), pages, detector.threshold)[0])
    print(f"  {statistics.median(seconds):.3f} s CPU per page (median)")


if __name__ == "__main__":
    main()
