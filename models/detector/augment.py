"""Cuts a training crop from a page and changes its looks: size, place, colours, light, blur, compression.

Used by `models.detector.data`. Geometry of the truth follows the pixels; what is cut off by more than 40 % is ignored.
"""

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from models.detector.targets import IGNORED

Image8 = NDArray[np.uint8]
_GREY = 114


def draw_scale(rng: random.Random, device_pixel_ratio: float) -> float:
    """Scale that brings a page to 0.6 .. 1.5 times its CSS size; half of all crops stay crisp at exactly 1."""
    base = 1.0 / device_pixel_ratio if rng.random() < 0.75 else 1.0
    if rng.random() < 0.5:
        return base
    return max(0.6 / device_pixel_ratio, base * float(np.exp(rng.uniform(np.log(0.6), np.log(1.5)))))


def cut(
    rng: random.Random,
    image: Image8,
    boxes: NDArray[np.float32],
    roles: NDArray[np.int64],
    *,
    scale: float,
    size_hw: tuple[int, int],
) -> tuple[Image8, NDArray[np.float32], NDArray[np.int64]]:
    """Return a crop of `size_hw` at `scale` with its boxes (N, 4) and roles (N,); mostly around some element."""
    height, width = image.shape[:2]
    window_w, window_h = size_hw[1] / scale, size_hw[0] / scale
    left, top = _place(rng, (width, height), (window_w, window_h), boxes, roles)
    part = image[top : min(height, int(top + window_h + 1)), left : min(width, int(left + window_w + 1))]
    if scale != 1.0:
        way = cv2.INTER_AREA if scale < 1 else rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC))
        part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=way)
    part = part[: size_hw[0], : size_hw[1]]
    crop = np.full((*size_hw, 3), _GREY, np.uint8)
    crop[: part.shape[0], : part.shape[1]] = part
    moved = (boxes - np.array([left, top, left, top], np.float32)) * np.float32(scale)
    return (crop, *clip_truth(moved, roles, (part.shape[0], part.shape[1])))


def clip_truth(
    boxes: NDArray[np.float32], roles: NDArray[np.int64], size_hw: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cut boxes (N, 4) at a frame; those that lose more than 40 % of their area become IGNORED, those outside go."""
    inside = np.clip(boxes, 0, np.array([size_hw[1], size_hw[0]] * 2, np.float32)).astype(np.float32)
    sides, whole = inside[:, 2:] - inside[:, :2], (boxes[:, 2:] - boxes[:, :2]).prod(1)
    there = (sides > 2).all(1)
    lost = sides.prod(1) < 0.6 * whole
    return inside[there], np.where(lost, IGNORED, roles)[there]


def change_looks(rng: random.Random, crop: Image8) -> Image8:
    """Return the crop with other colours: channels swapped, inverted, gamma, contrast, blur, JPEG; often unchanged."""
    if rng.random() < 0.25:
        crop = crop[:, :, rng.sample(range(3), 3)]
    if rng.random() < 0.12:
        crop = 255 - crop
    if rng.random() < 0.35:
        curve = np.linspace(0, 1, 256) ** np.exp(rng.uniform(-0.5, 0.5))
        curve = curve * rng.uniform(0.8, 1.1) + rng.uniform(-0.08, 0.08)
        crop = cv2.LUT(np.ascontiguousarray(crop), np.clip(curve * 255, 0, 255).astype(np.uint8))
    if rng.random() < 0.06:
        crop = np.repeat(cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_RGB2GRAY)[:, :, None], 3, 2)
    if rng.random() < 0.08:
        crop = cv2.GaussianBlur(np.ascontiguousarray(crop), (3, 3), rng.uniform(0.3, 0.9))
    if rng.random() < 0.12:
        quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(35, 92)]
        written = cv2.imencode(".jpg", np.ascontiguousarray(crop), quality)[1]
        crop = np.asarray(cv2.imdecode(written, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(crop)


def _place(
    rng: random.Random,
    page_wh: tuple[int, int],
    window_wh: tuple[float, float],
    boxes: NDArray[np.float32],
    roles: NDArray[np.int64],
) -> tuple[int, int]:
    """Left and top of a window: three are drawn, most of them around some element, and mostly the fullest is taken.

    Much of a page is empty; with one draw a third fewer elements were seen for the same work.
    """
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    places = []
    for _ in range(3):
        through: tuple[float, float] | None = None
        if len(boxes) and rng.random() < 0.8:
            through = (float((point := middles[_focus(rng, roles)])[0]), float(point[1]))
        left, top = (_start(rng, page_wh[i], window_wh[i], None if through is None else through[i]) for i in range(2))
        low, high = np.array([left, top]), np.array([left + window_wh[0], top + window_wh[1]])
        places.append((int(((middles >= low) & (middles < high)).all(1).sum()), left, top))
    _, left, top = max(places) if rng.random() < 0.7 else places[0]
    return left, top


def _focus(rng: random.Random, roles: NDArray[np.int64]) -> int:
    """An element to stand in the window: rare roles on the page are as likely as frequent ones."""
    wanted = rng.choice(np.unique(roles).tolist())
    return int(rng.choice(np.flatnonzero(roles == wanted).tolist()))


def _start(rng: random.Random, length: int, window: float, through: float | None) -> int:
    last = max(0, int(length - window))
    if through is None:
        return rng.randint(0, last)
    return min(last, max(0, int(through - rng.uniform(0.1, 0.9) * window)))
