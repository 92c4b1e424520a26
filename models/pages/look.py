"""Draws the stored truth on rendered pages, to be looked at. Run: python -m models.pages.look SHARD --out sheet.png.

The prototype lost much to wrong labels; nothing replaces looking. Colours stand for roles, grey for `ignore`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.pages.colors import hsl
from models.pages.pen import ROLES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shard", type=Path)
    parser.add_argument("--from", dest="start", type=int, default=0)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--width", type=int, default=900, help="of one page on the sheet")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = [json.loads(line) for line in (options.shard / "pages.jsonl").read_text().splitlines()]
    cells = []
    for row in rows[options.start : options.start + options.count]:
        image = np.asarray(cv2.imread(str(options.shard / f"{row['seed']}.png")), np.uint8)
        drawn = draw_truth(image, row["elements"])
        scale = options.width / drawn.shape[1]
        cells.append(cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[: options.width])
        print(row["seed"], row["layout"], row["device_pixel_ratio"], len(row["elements"]))
    high = max(cell.shape[0] for cell in cells)
    padded = [np.pad(cell, ((0, high - cell.shape[0]), (0, 8), (0, 0))) for cell in cells]
    lines = [np.concatenate(padded[i : i + 2], 1) for i in range(0, len(padded) - len(padded) % 2, 2)] or padded[:1]
    cv2.imwrite(str(options.out), np.concatenate(lines, 0))


def draw_truth(image: NDArray[np.uint8], elements: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """Return `image` (BGR) with one outline per element."""
    out = image.copy()
    for one in elements:
        x0, y0, x1, y1 = (round(value) for value in one["bbox_xyxy_px"])
        color = (140, 140, 140)
        if one["role"] in ROLES:
            text = hsl(360 * ROLES.index(one["role"]) / len(ROLES), 1, 0.5)
            color = (int(text[5:7], 16), int(text[3:5], 16), int(text[1:3], 16))
        cv2.rectangle(out, (x0, y0), (x1 - 1, y1 - 1), color, 2)
    return out


if __name__ == "__main__":
    main()
