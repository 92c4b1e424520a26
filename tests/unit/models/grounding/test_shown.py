import gc

import numpy as np

from models.grounding.shown import ShownPictures


def frozen() -> np.ndarray:
    image = np.zeros((4, 4, 3), np.uint8)
    image.setflags(write=False)
    return image


def test_a_picture_is_painted_once_for_each_marking_and_selection() -> None:
    shown, image, made = ShownPictures(), frozen(), []
    marking, other = object(), object()

    def paint() -> np.ndarray:
        made.append(1)
        return np.full((2, 2, 3), len(made), np.uint8)

    first = shown.get(image, marking, ("1", "2"), paint)
    assert shown.get(image, marking, ("1", "2"), paint) is first
    assert not first.flags.writeable
    assert shown.get(image, marking, ("1",), paint) is not first
    assert shown.get(image, other, ("1", "2"), paint) is not first
    assert len(made) == 3


def test_a_picture_that_may_change_is_painted_anew() -> None:
    shown, image = ShownPictures(), frozen().copy()
    made = [shown.get(image, None, (), lambda: np.zeros((2, 2, 3), np.uint8)) for _ in range(2)]
    assert made[0] is not made[1]
    assert len(shown) == 0


def test_nothing_outlives_the_picture() -> None:
    shown = ShownPictures()
    for number in range(20):
        image = frozen()
        shown.get(image, None, number, lambda: np.zeros((2, 2, 3), np.uint8))
    del image
    gc.collect()
    assert len(shown) == 0
