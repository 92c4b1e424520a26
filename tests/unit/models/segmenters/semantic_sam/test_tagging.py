"""SoM-LLaVA's tags: which regions get one, in which order, and where they lie on the picture itself."""

import numpy as np
import pytest

from models.marks import mark
from models.regions import Regions
from models.segmenters.semantic_sam.tagging import PRESETS, STYLE, tagged_regions, worth_a_tag

SIZE = (640, 800)


def frame(*boxes: tuple[int, int, int, int]) -> Regions:
    masks = []
    for x0, y0, x1, y1 in boxes:
        mask = np.zeros(SIZE, np.bool_)
        mask[y0:y1, x0:x1] = True
        masks.append(mask)
    return Regions.from_masks(SIZE, masks)


def test_smaller_regions_come_first_take_their_pixels_and_leave_at_least_110():
    regions = frame(
        (0, 0, 400, 300),  # the largest: last
        (10, 10, 20, 20),  # 100 pixels: no tag
        (5, 5, 22, 17),  # 204, of which the one of 100 takes 70: 134 left
        (500, 500, 511, 510),  # 110 exactly
        (500, 500, 515, 512),  # 180, of which the one above takes 110: 70 left
    )
    kept = worth_a_tag(regions)
    assert kept.ids == ("3", "2", "0")


def test_the_published_rule_written_out_gives_the_same_on_random_masks():
    rng = np.random.default_rng(0)
    boxes = [
        (x, y, x + rng.integers(5, 90), y + rng.integers(5, 90)) for x, y in rng.integers(0, 200, (90, 2)).tolist()
    ]
    regions = frame(*boxes)
    taken, expected = np.zeros(SIZE, np.bool_), []
    for index in sorted(range(len(regions)), key=regions.area_px):
        left = regions.mask(index) & ~taken
        taken |= left
        if left.sum() >= 110:
            expected.append(str(index))
    assert list(worth_a_tag(regions).ids) == expected
    assert 5 < len(expected) < len(regions)


class Stated:
    """Finds what it is told to, and notes at which levels it was asked."""

    def __init__(self, regions: Regions) -> None:
        self.regions, self.asked = regions, []

    def everything(self, image, levels):
        self.asked.append(levels)
        return self.regions


@pytest.mark.parametrize(("preset", "level"), [("som-llava-training", 2), ("som-llava-inference", 1)])
def test_a_preset_asks_for_its_level_and_maps_back_to_the_picture(preset, level):
    image = np.full((1280, 1600, 3), 90, np.uint8)
    stated = Stated(frame((100, 100, 300, 200), (110, 110, 130, 130), (0, 0, 9, 9)))
    regions = tagged_regions(image, PRESETS[preset], stated)
    assert stated.asked == [(level,)]
    assert regions.size_hw == (1280, 1600)
    assert [regions.bounds(index) for index in range(2)] == [(220, 220, 260, 260), (200, 200, 600, 400)]
    _, marking = mark(image, regions, STYLE)
    assert marking.style.name == "som-llava"
    assert marking.style.draw == ("mark",)
    assert [(found.id, found.region_id) for found in marking.marks] == [("1", "1"), ("2", "0")]
    (x, y), box = marking.marks[1].point_xy_px, regions.bounds(1)
    assert box[0] <= x < box[2]
    assert box[1] <= y < box[3]
    assert not (220 <= x < 260 and 220 <= y < 260)
