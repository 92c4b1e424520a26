"""The picture a model sees must not move: models were trained on it, and their marks are read pixel by pixel.

A failure here means that every shipped checkpoint has to be trained again. The drawing's own hash tells whether the
painter changed or only the drawing it was given.
"""

import hashlib

import numpy as np
import pytest

from models.drawings import HELD_OUT_SEEDS, scene, screen
from models.marks import mark_for_model
from models.regions import Regions
from tests.unit.models.marks.geometry import blobs, random_boxes

STYLES = ("markwise", "som", "som-llava")

# (kind, offset of the held-out seed, size in px): hash of the drawing, hash of its pictures in all styles with their marks
FROZEN = {
    ("scene", 0, 224): ("6dd2c8da081ee5c6", "ce029c776c8a4d7b"),
    ("scene", 1, 224): ("85cf59c2c5659528", "5e9219c71a7cedb4"),
    ("scene", 2, 336): ("93f652c1e149f24b", "1558a71c5123f3d8"),
    ("screen", 0, 224): ("03d25777be0af866", "209894d2cab4358f"),
    ("screen", 1, 224): ("d6c4ee9a23509b45", "7e75b2ad7db1baf4"),
    ("screen", 2, 224): ("c396724f7527fb8e", "25919ef52155d4b1"),
    ("screen", 3, 448): ("5a990139a61fbd7a", "07659b6d9e1a702a"),
}
CROWDED = "595b72cd54f787d3"


def digest(*arrays):
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(np.ascontiguousarray(array).tobytes())
    return sha256.hexdigest()[:16]


def shown(image, regions, size_px):
    ids = [str(7 * i % 99 + 1) for i in range(len(regions))]
    pictures, geometry = [], []
    for style in STYLES:
        picture, marks = mark_for_model(image, regions, ids, style, size_px)
        pictures.append(picture)
        geometry += [(*mark.label_bbox_xyxy_px, *mark.point_xy_px) for mark in marks]
    return digest(*pictures, np.asarray(geometry, np.float64))


@pytest.mark.parametrize(("kind", "offset", "size_px"), FROZEN)
def test_the_models_picture_of_a_drawing_has_not_moved_by_a_byte(kind, offset, size_px):
    source, picture = FROZEN[kind, offset, size_px]
    drawing = (scene if kind == "scene" else screen)(HELD_OUT_SEEDS.start + offset)
    if digest(drawing.image, drawing.regions.boxes_xyxy_px) != source:
        pytest.skip("the drawing itself has changed, so its picture says nothing about the painter")
    assert shown(drawing.image, drawing.regions, size_px) == picture


def test_the_models_picture_of_a_crowded_one_has_not_moved_by_a_byte():
    size_hw = (300, 400)
    image = (np.indices(size_hw).sum(0) % 256).astype(np.uint8)[:, :, None].repeat(3, 2)
    regions = Regions.concat(
        Regions.from_masks(size_hw, blobs(40, size_hw)), random_boxes(50, size_hw), random_boxes(9, size_hw, high=0.02)
    )
    assert shown(image, regions, 224) == CROWDED
