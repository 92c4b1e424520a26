"""Patch labels agree with what was painted."""

from random import Random

import numpy as np
import pytest

from models import drawings
from models.drawings import words
from models.marks import paint_for_model
from models.regions import Regions
from models.tiny.config import GRID
from models.training.patches import COLUMNS, patch_labels, signs
from models.training.pool import open_pool, paint_drawing


@pytest.mark.parametrize(("mark", "classes"), [("1", (1, 2)), ("9", (1, 10)), ("10", (2, 1)), ("99", (10, 10))])
def test_digits_of_a_mark(mark, classes):
    assert signs(mark) == classes


def test_labels_of_a_hand_made_picture():
    image = np.full((224, 224, 3), 200, np.uint8)
    image[32:96, 32:96] = words.COLORS_RGB["red"]
    regions = Regions.from_boxes((224, 224), [[32, 32, 96, 96]])
    painted = paint_for_model(image, regions, ["47"], "som-llava", 224)
    labels = patch_labels(painted, regions, ["47"], ["red square"], (224, 224)).reshape(GRID, GRID, -1)
    inside = np.zeros((GRID, GRID), bool)
    inside[2:6, 2:6] = True
    wanted = (*signs("47"), words.KINDS.index("square") + 1, words.COLORS.index("red") + 1)
    assert (labels[inside][:, :4] == wanted).all()
    assert (labels[~inside] == 0).all()
    tag = labels[..., 4] > 0
    assert 1 <= tag.sum() <= 6
    assert (labels[tag][:, 4:] == signs("47")).all()


def test_labels_follow_a_picture_that_is_padded():
    image = np.full((112, 224, 3), 90, np.uint8)
    regions = Regions.from_boxes((112, 224), [[0, 0, 64, 64]])
    painted = paint_for_model(image, regions, ["1"], "markwise", 224)
    labels = patch_labels(painted, regions, ["1"], ["red square"], (112, 224)).reshape(GRID, GRID, -1)
    rows, columns = np.nonzero(labels[..., 0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 7, 0, 3)  # 56 px of padding above


@pytest.mark.parametrize("seed", range(1_000_000, 1_000_006))
def test_every_object_and_every_tag_of_a_scene_has_a_patch(seed):
    _, labels, item = paint_drawing(drawings.scene(seed), Random(seed))
    for mark, name in zip(item.ids, item.names, strict=True):
        tens, ones = signs(mark)
        color, kind = name.split(" ")
        mine = labels[(labels[:, 0] == tens) & (labels[:, 1] == ones)]
        assert len(mine)
        assert (mine[:, 2:4] == (words.KINDS.index(kind) + 1, words.COLORS.index(color) + 1)).all()
        assert ((labels[:, 4] == tens) & (labels[:, 5] == ones)).any()


def test_a_pool_is_drawn_once_and_read_back(tmp_path):
    first = open_pool(tmp_path, "scene", 3, 1_000_100)
    again = open_pool(tmp_path, "scene", 3, 1_000_100)
    assert len(again) == 3
    assert np.array_equal(first.images, again.images)
    assert again.images.shape == (3, 224, 224, 3)
    assert again.labels.shape == (3, GRID * GRID, len(COLUMNS))
    assert first.items == again.items


def test_screens_carry_their_table(tmp_path):
    pool = open_pool(tmp_path, "screen", 2, 1_000_200)
    for number, item in enumerate(pool.items):
        screen = drawings.screen(1_000_200 + number)
        assert tuple(row.text for row in item.rows) == screen.regions.texts
        assert tuple(row.role for row in item.rows) == screen.regions.roles
