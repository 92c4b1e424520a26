"""Backgrounds of drawn scenes: plain, gradient, noisy, blotchy or lined, never as saturated as an object.

`scenes` draws objects on top. Seeded by the caller's generator; nothing else is read.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Canvas = NDArray[np.uint8]  # (H, W, 3) RGB


def background(rng: np.random.Generator, size_hw: tuple[int, int]) -> Canvas:
    """One background of `size_hw` pixels."""
    base = _muted(rng)
    match int(rng.integers(5)):
        case 0:
            canvas = np.broadcast_to(base, (*size_hw, 3)).astype(np.float32)
        case 1:
            canvas = _gradient(rng, size_hw, base)
        case 2:
            canvas = base + _blotches(rng, size_hw, cells=int(rng.integers(40, 90)), spread=rng.uniform(6, 16))
        case 3:
            canvas = base + _blotches(rng, size_hw, cells=int(rng.integers(3, 9)), spread=rng.uniform(8, 22))
        case _:
            canvas = _lines(rng, size_hw, base)
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _muted(rng: np.random.Generator) -> NDArray[np.float32]:
    """A grey with a light tint: light, middle or dark, so that neither white nor dark tags always stand out."""
    grey = float(rng.choice([rng.uniform(25, 70), rng.uniform(95, 160), rng.uniform(185, 225)], p=[0.3, 0.3, 0.4]))
    return (grey + rng.uniform(-14, 14, 3)).astype(np.float32)


def _gradient(rng: np.random.Generator, size_hw: tuple[int, int], base: NDArray[np.float32]) -> NDArray[np.float32]:
    high, wide = size_hw
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * np.linspace(-1, 1, wide)[None, :] + np.sin(angle) * np.linspace(-1, 1, high)[:, None]
    return np.asarray(base + ramp[..., None] * rng.uniform(-28, 28, 3), np.float32)


def _blotches(rng: np.random.Generator, size_hw: tuple[int, int], *, cells: int, spread: float) -> NDArray[np.float32]:
    coarse = rng.normal(0, spread, (cells, cells, 1 if rng.random() < 0.5 else 3)).astype(np.float32)
    fine = cv2.resize(coarse, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine.reshape(*size_hw, -1), np.float32)


def _lines(rng: np.random.Generator, size_hw: tuple[int, int], base: NDArray[np.float32]) -> NDArray[np.float32]:
    canvas = np.broadcast_to(base, (*size_hw, 3)).astype(np.float32).copy()
    ink = (base + rng.choice([-1, 1]) * rng.uniform(10, 40)).tolist()
    high, wide = size_hw
    for _ in range(int(rng.integers(4, 14))):
        x0, x1 = (int(value) for value in rng.integers(0, wide, 2))
        y0, y1 = (int(value) for value in rng.integers(0, high, 2))
        cv2.line(canvas, (x0, y0), (x1, y1), ink, int(rng.integers(1, 4)))
    return canvas
