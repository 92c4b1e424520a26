"""Two frames of a little film: a drawn scene whose things each moved a little, and a photo seen by a moved camera."""

import cv2
import numpy as np

from models.drawings import Drawing
from models.regions import Regions


def next_frame(drawing: Drawing, seed: int, far_px: int = 14) -> tuple[np.ndarray, Regions, list[int]]:
    """Return the next frame, its regions in a shuffled order, and for each of them the region it was."""
    rng = np.random.default_rng(seed)
    height, width = drawing.regions.size_hw
    covered = np.zeros((height, width), bool)
    for i in range(len(drawing.regions)):
        covered |= drawing.regions.mask(i)
    ground = np.median(drawing.image[~covered], axis=0).astype(np.uint8)
    frame = drawing.image.copy()
    frame[covered] = ground
    masks = []
    for i in range(len(drawing.regions)):
        dx, dy = (int(v) for v in rng.integers(-far_px, far_px + 1, 2))
        mask = np.zeros((height, width), bool)
        ys, xs = np.nonzero(drawing.regions.mask(i))
        inside = (ys + dy >= 0) & (ys + dy < height) & (xs + dx >= 0) & (xs + dx < width)
        mask[ys[inside] + dy, xs[inside] + dx] = True
        frame[ys[inside] + dy, xs[inside] + dx] = drawing.image[ys[inside], xs[inside]]
        masks.append(mask)
    # A camera's noise: no pixel stays what it was.
    noisy = np.clip(frame.astype(int) + rng.integers(-6, 7, frame.shape), 0, 255).astype(np.uint8)
    order = [int(i) for i in rng.permutation(len(masks))]
    return noisy, Regions.from_masks((height, width), [masks[i] for i in order]), order


def moved_photo(image: np.ndarray, regions: Regions, seed: int) -> tuple[np.ndarray, Regions, list[int]]:
    """Return the photo turned by 4 degrees, 7 percent larger, moved by 6 percent and darker, like `next_frame`.

    Regions that left the picture are gone.
    """
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 4.0, 1.07)
    turn[:, 2] += (0.06 * width, -0.06 * height)
    frame = np.clip(cv2.warpAffine(image, turn, (width, height)).astype(np.float32) * 0.85, 0, 255).astype(np.uint8)
    dense = [regions.mask(i).view(np.uint8) for i in range(len(regions))]
    masks = [cv2.warpAffine(mask, turn, (width, height)).astype(bool) for mask in dense]
    kept = [int(i) for i in np.random.default_rng(seed).permutation(len(masks)) if masks[i].any()]
    return frame, Regions.from_masks((height, width), [masks[i] for i in kept]), kept
