"""Pages from shards: reads pictures and truth, keeps a turning pool of decoded pages, makes training batches.

Used by training and evaluation. New shards that appear in the folder while training runs are picked up.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.detector.augment import change_looks, cut, draw_scale
from models.detector.losses import Targets
from models.detector.net import STRIDES
from models.detector.targets import IGNORED, target_maps
from models.pages.pen import ROLES

# Equal areas. In the first alone, nothing wider than 900 px was ever seen whole: rows, sheets of text, wide fields.
CROPS_HW = ((512, 640), (512, 640), (256, 1280))
_POOL = 96
_RESCAN_PAGES = 200  # of all, at random; then the folder is looked at again


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTruth:
    """Where a page's picture lies and what is on it."""

    picture: Path
    device_pixel_ratio: float
    boxes: NDArray[np.float32]  # (N, 4) pixels of the picture
    roles: NDArray[np.int64]  # (N,) index into ROLES, or IGNORED

    def read(self) -> NDArray[np.uint8]:
        """The picture, (H, W, 3) uint8 RGB."""
        image = np.asarray(cv2.imread(str(self.picture), cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(image[:, :, ::-1])


def read_pages(folder: Path) -> list[PageTruth]:
    """All pages of the complete shards in `folder`, in order."""
    pages = []
    for listing in sorted(folder.glob("shard-*/pages.jsonl")):
        for line in listing.read_text().splitlines():
            row = json.loads(line)
            elements = row["elements"]
            roles = [ROLES.index(one["role"]) if one["role"] in ROLES else IGNORED for one in elements]
            pages.append(
                PageTruth(
                    picture=listing.parent / f"{row['seed']}.png",
                    device_pixel_ratio=row["device_pixel_ratio"],
                    boxes=np.array([one["bbox_xyxy_px"] for one in elements], np.float32).reshape(-1, 4),
                    roles=np.array(roles, np.int64),
                )
            )
    return pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Crops (B, H, W, 3) uint8 and what the network should say about them, one Targets per stride."""

    pixels: torch.Tensor
    targets: tuple[Targets, ...]

    def to(self, device: torch.device) -> "Batch":
        """Copy to a device."""
        moved = tuple(
            Targets(**{name: getattr(level, name).to(device, non_blocking=True) for name in Targets.__slots__})
            for level in self.targets
        )
        return Batch(pixels=self.pixels.to(device, non_blocking=True), targets=moved)


class Crops(torch.utils.data.IterableDataset[Batch]):
    """Endless batches. Decoding a page costs as much as a tenth of a step, so each page gives several crops."""

    def __init__(self, folder: Path, *, size: int, seed: int, crops_per_page: int = 4, augment: bool = True) -> None:
        """Draw batches of `size` crops from the pages in `folder`; each page serves about `crops_per_page` in a row."""
        super().__init__()
        self._folder, self._size, self._seed = folder, size, seed
        self._per_page, self._augment = crops_per_page, augment

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        rng = random.Random(self._seed * 1000 + (worker.id if worker else 0))
        coming = self._order(rng)
        pool: list[tuple[PageTruth, NDArray[np.uint8]]] = []
        drawn = 0
        while True:
            crops, size_hw = [], rng.choice(CROPS_HW)
            for _ in range(self._size):
                if len(pool) < 8 or drawn % self._per_page == 0:
                    page = next(coming)
                    pool.append((page, page.read()))
                    if len(pool) > _POOL:
                        pool.pop(rng.randrange(len(pool) - 1))
                drawn += 1
                crops.append(self._crop(rng, *rng.choice(pool), size_hw))
            yield collate(crops)

    def _order(self, rng: random.Random) -> Iterator[PageTruth]:
        while True:
            pages = read_pages(self._folder)
            if not pages:
                raise FileNotFoundError(f"no complete shard in {self._folder}; run models.pages.render first")
            rng.shuffle(pages)
            yield from pages[:_RESCAN_PAGES]

    def _crop(
        self, rng: random.Random, page: PageTruth, image: NDArray[np.uint8], size_hw: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int64]]:
        scale = draw_scale(rng, page.device_pixel_ratio) if self._augment else 1.0 / page.device_pixel_ratio
        crop, boxes, roles = cut(rng, image, page.boxes, page.roles, scale=scale, size_hw=size_hw)
        return (change_looks(rng, crop) if self._augment else crop), boxes, roles


def collate(crops: list[tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int64]]]) -> Batch:
    """Stack crops and their target maps."""
    size_hw = (crops[0][0].shape[0], crops[0][0].shape[1])
    levels = []
    for stride in STRIDES:
        maps = [target_maps(boxes, roles, size_hw, stride) for _, boxes, roles in crops]
        stacked = {name: torch.from_numpy(np.stack([getattr(one, name) for one in maps])) for name in Targets.__slots__}
        levels.append(Targets(**stacked))
    return Batch(pixels=torch.from_numpy(np.stack([crop for crop, _, _ in crops])), targets=tuple(levels))
