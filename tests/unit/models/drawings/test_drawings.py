"""Drawings are reproducible, and their truth agrees with their pixels."""

import numpy as np
import pytest

from models import drawings
from models.drawings import words

SEEDS = range(2_000_000, 2_000_012)


@pytest.mark.parametrize("draw", [drawings.scene, drawings.screen])
def test_a_seed_always_gives_the_same_drawing(draw):
    first, again, other = draw(2_000_003), draw(2_000_003), draw(2_000_004)
    assert np.array_equal(first.image, again.image)
    assert first.names == again.names
    assert first.regions.rles == again.regions.rles
    assert first.image.shape != other.image.shape or not np.array_equal(first.image, other.image)


def test_seed_ranges_do_not_overlap():
    ranges = (drawings.TRAIN_SEEDS, drawings.VALIDATION_SEEDS, drawings.HELD_OUT_SEEDS)
    for one in ranges:
        assert all(one == other or one.stop <= other.start or other.stop <= one.start for other in ranges)


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_of_a_scene_have_their_own_names_and_places(seed):
    scene = drawings.scene(seed)
    assert 2 <= len(scene.regions) <= 8
    assert len(set(scene.names)) == len(scene.names) == len(scene.regions)
    together = sum(scene.regions.mask(i).astype(int) for i in range(len(scene.regions)))
    assert together.max() == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shape_is_painted_in_the_color_it_is_named_after(seed):
    scene = drawings.scene(seed)
    for i, name in enumerate(scene.names):
        color, kind = name.split(" ")
        if kind in words.SHAPES:
            x0, y0, x1, y1 = scene.regions.boxes_xyxy_px[i].astype(int)
            middle = scene.image[(y0 + y1) // 2 - 2 :, (x0 + x1) // 2 - 2 :][:5, :5]
            inside = np.median(middle.reshape(-1, 3), axis=0)
            nearest = min(words.COLORS, key=lambda other: np.abs(inside - words.COLORS_RGB[other]).sum())
            assert nearest == color


def test_the_number_of_objects_can_be_chosen():
    assert [len(drawings.scene(2_000_001, objects=count).regions) for count in (2, 4)] == [2, 4]


@pytest.mark.parametrize("seed", SEEDS)
def test_widgets_of_a_screen_are_named_by_role_and_text(seed):
    screen = drawings.screen(seed)
    assert 2 <= len(screen.regions) <= 20
    for name, role, text in zip(screen.names, screen.regions.roles, screen.regions.texts, strict=True):
        assert role in words.ROLES
        assert name == (f'{role} "{text}"' if text else role)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_widget_left_ink_in_its_box(seed):
    screen = drawings.screen(seed)
    for x0, y0, x1, y1 in screen.regions.boxes_xyxy_px.astype(int):
        assert screen.image[y0:y1, x0:x1].reshape(-1, 3).std(axis=0).max() > 0
