"""Regions found again by place and look: on photos with people's own masks, and where it must not be sure."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.grounding.frames import Frame, sure_pairs
from models.regions import Regions
from tests.unit.models.grounding.moving import moved_photo


@pytest.mark.parametrize("number", range(5))
def test_things_on_a_photo_are_found_again_by_a_moved_camera(shared_data: Path, number: int) -> None:
    annotations = json.loads((shared_data / "coco" / "instances.json").read_text())
    photo = annotations["images"][7 * number]
    image = cv2.imread(str(shared_data / "coco" / "images" / photo["file_name"]), cv2.IMREAD_COLOR_RGB)
    least = 0.005 * image.shape[0] * image.shape[1]
    polygons = [
        a["segmentation"]
        for a in annotations["annotations"]
        if a["image_id"] == photo["id"] and isinstance(a["segmentation"], list) and a["area"] >= least
    ]
    regions = Regions.from_polygons(image.shape[:2], polygons)
    frame, moved, order = moved_photo(image, regions, number)
    pairs = sure_pairs(Frame(image=image, regions=regions), Frame(image=frame, regions=moved))
    assert all(order[j] == i for i, j in pairs.items())
    assert len(pairs) >= 0.5 * len(moved)


def flat(colors: list[tuple[int, int, int]]) -> Frame:
    """Squares of these colours in a row."""
    image = np.full((60, 40 * len(colors), 3), 200, np.uint8)
    boxes = [[40 * i + 5, 15, 40 * i + 35, 45] for i in range(len(colors))]
    for (x0, y0, x1, y1), color in zip(boxes, colors, strict=True):
        image[y0:y1, x0:x1] = color
    return Frame(image=image, regions=Regions.from_boxes(image.shape[:2], np.array(boxes, np.float32)))


RED, BLUE, GREEN = (200, 20, 20), (20, 20, 200), (20, 160, 20)


def test_a_thing_of_another_colour_in_its_place_is_another_thing() -> None:
    assert sure_pairs(flat([RED, GREEN]), flat([BLUE, GREEN])) == {1: 1}


def test_twins_are_told_by_their_places_and_others_that_changed_places_by_their_looks() -> None:
    assert sure_pairs(flat([RED, RED]), flat([RED, RED])) == {0: 0, 1: 1}
    assert sure_pairs(flat([RED, BLUE]), flat([BLUE, RED])) == {0: 1, 1: 0}


def test_a_frame_of_another_size_is_the_same_frame() -> None:
    first = flat([RED, BLUE, GREEN])
    size = (120, 240)
    larger = cv2.resize(first.image, size[::-1], interpolation=cv2.INTER_NEAREST)
    assert sure_pairs(first, Frame(image=larger, regions=first.regions.scaled(size))) == {0: 0, 1: 1, 2: 2}


def test_nothing_matches_nothing() -> None:
    empty = Frame(image=np.zeros((9, 9, 3), np.uint8), regions=Regions.empty((9, 9)))
    assert sure_pairs(empty, flat([RED])) == sure_pairs(flat([RED]), empty) == {}
