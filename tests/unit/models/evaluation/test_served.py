"""Drawings as the service asks about them: resized before they are painted, with any ids, and answered by them."""

from random import Random

import numpy as np
import pytest
import torch

from models.drawings import HELD_OUT_SEEDS
from models.evaluation import served
from models.evaluation.served import WAYS, Way, evaluate_served, numbered, resized
from models.marks.for_model import PAD_RGB
from models.training.varied import scene_of
from workers.shelf import BUILT_IN_FOLDER

SEED = HELD_OUT_SEEDS.start + 5000


@pytest.mark.parametrize("size", [0.7, 1.3])
def test_a_drawing_is_resized_with_all_that_is_known_of_it(size):
    drawing = scene_of(SEED, size)
    other = resized(drawing, size)
    height, width = drawing.regions.size_hw
    assert other.regions.size_hw == other.image.shape[:2] == (round(height / size), round(width / size))
    assert other.names == drawing.names
    for i in range(len(drawing.regions)):
        (x0, y0), crop = drawing.regions.crop(i)
        (u0, v0), moved = other.regions.crop(i)
        assert np.array_equal(crop, moved)  # whole: none was cut off
        high, wide = crop.shape
        before = drawing.image[y0 : y0 + high, x0 : x0 + wide]
        assert np.array_equal(before, other.image[v0 : v0 + high, u0 : u0 + wide])
    assert (tuple(other.image[0, 0]) == PAD_RGB) == (size < 1)
    assert resized(drawing, 1.0) is drawing


def test_ids_are_of_the_wanted_kind():
    regions = scene_of(SEED).regions
    ways = (Way(), Way(kind="letter"), Way(gaps=True))
    ids = [[one.id for one in numbered(regions, way, Random(1)).marks] for way in ways]
    count = len(regions)
    assert ids[0] == [str(number + 1) for number in range(count)]
    assert ids[1] == list("ABCDEFGHIJ"[:count])
    assert ids[2] != ids[0]
    assert ids[2] == sorted(ids[2], key=int)


def test_the_shipped_model_answers_in_any_ids(monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setattr(served, "WAYS", {name: WAYS[name] for name in ("2-10", "letters", "ids to 99")})
    found = evaluate_served(BUILT_IN_FOLDER, 2, SEED)
    for task in ("list-item", "what", "which"):
        assert found[f"2-10: {task}"] >= 0.7
        assert found[f"letters: {task}"] == found[f"ids to 99: {task}"] >= 0.7
    assert {"2-10: yes-no", "2-10: which-none"} <= set(found)
