"""Backgrounds that are a little like photographs: clouds of noise in several sizes, shaded shapes, light, blur and grain.

Called by `examples`. Seeded by the caller's generator; nothing else is read.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Canvas = NDArray[np.uint8]  # (H, W, 3) RGB
Mask = NDArray[np.bool_]  # (H, W)


def photo_like(rng: np.random.Generator, size_hw: tuple[int, int]) -> tuple[Canvas, list[Mask]]:
    """Return a picture and the shapes in it, as they show: what is nearer covers what is behind."""
    canvas = _clouds(rng, size_hw)
    masks: list[Mask] = []
    for _ in range(int(rng.integers(3, 15))):
        mask = _shape(rng, size_hw)
        x, y, w, h = cv2.boundingRect(mask.view(np.uint8))
        if w and h:
            part = mask[y : y + h, x : x + w]
            canvas[y : y + h, x : x + w][part] = _surface(rng, (h, w))[part]
            masks = [*(other & ~mask for other in masks), mask]
    canvas *= _light(rng, size_hw)
    if rng.random() < 0.5:
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.4, 1.6)))
    canvas += rng.normal(0, rng.uniform(0, 7), (*size_hw, 1))
    return np.clip(canvas, 0, 255).astype(np.uint8), [mask for mask in masks if mask.sum() > 120]


def _clouds(rng: np.random.Generator, size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Noise whose large waves are stronger than its small ones, as in photographs."""
    small = (max(1, size_hw[0] // 2), max(1, size_hw[1] // 2))
    total = np.zeros((*small, 3), np.float32)
    total += _muted(rng)
    roughness = rng.uniform(0.4, 0.8)
    for octave in range(6):
        cells = 2 ** (octave + 1)
        coarse = rng.normal(0, 40 * roughness**octave, (cells, cells, 3)).astype(np.float32)
        coarse = coarse.mean(axis=2, keepdims=True) * 1.2 + 0.35 * coarse
        total += cv2.resize(coarse, small[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(total, size_hw[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _muted(rng: np.random.Generator) -> NDArray[np.float32]:
    """A colour, rarely a strong one."""
    grey, strength = rng.uniform(10, 245), rng.uniform(5, 90)
    return np.asarray(grey + rng.uniform(-strength, strength, 3), np.float32)


def _surface(rng: np.random.Generator, size_hw: tuple[int, int]) -> NDArray[np.float32]:
    base = np.broadcast_to(_muted(rng), (*size_hw, 3)).astype(np.float32)
    match int(rng.integers(4)):
        case 0:
            return base
        case 1:
            return 0.6 * base + 0.4 * _clouds(rng, size_hw)
        case 2:
            width, angle = rng.uniform(4, 30), rng.uniform(0, np.pi)
            y, x = np.ogrid[: size_hw[0], : size_hw[1]]
            wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / width) > 0
            return np.asarray(base + wave[..., None] * rng.uniform(-90, 90, 3), np.float32)
        case _:
            ramp = np.linspace(-1, 1, size_hw[1])[None, :, None] * rng.uniform(-70, 70)
            return np.asarray(base + ramp, np.float32)


def _shape(rng: np.random.Generator, size_hw: tuple[int, int]) -> Mask:
    """A blob, a polygon, an ellipse or a box, small or large."""
    mask = np.zeros(size_hw, np.uint8)
    x, y = int(rng.integers(size_hw[1])), int(rng.integers(size_hw[0]))
    reach = min(size_hw) * rng.uniform(0.03, 0.3)
    match int(rng.integers(3)):
        case 0:
            axes = (max(3, int(reach)), max(3, int(reach * rng.uniform(0.4, 1))))
            cv2.ellipse(mask, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
        case 1:
            w, h = max(4, int(reach * rng.uniform(0.5, 1.5))), max(4, int(reach * rng.uniform(0.5, 1.5)))
            cv2.rectangle(mask, (x - w, y - h), (x + w, y + h), 1, -1)
        case _:
            count = int(rng.integers(3, 11))
            angles = np.sort(rng.uniform(0, 2 * np.pi, count))
            far = reach * rng.uniform(0.5, 1.2, count)
            corners = np.stack([x + far * np.cos(angles), y + far * np.sin(angles)], 1)
            cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
    return mask.astype(np.bool_)


def _light(rng: np.random.Generator, size_hw: tuple[int, int]) -> NDArray[np.float32]:
    coarse = rng.uniform(0.6, 1.25, (3, 3, 1)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, size_hw[::-1], interpolation=cv2.INTER_CUBIC)[..., None], np.float32)
