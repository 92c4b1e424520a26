"""What is remembered is bounded and keyed by pixels."""

import numpy as np

from models.segmenters.ocr.memory import Memory, pixel_key


def test_the_value_asked_for_longest_ago_gives_way():
    memory = Memory(2)
    memory.put(b"a", 1)
    memory.put(b"b", 2)
    assert memory.get(b"a") == 1
    memory.put(b"c", 3)
    assert (memory.get(b"a"), memory.get(b"b"), memory.get(b"c"), len(memory)) == (1, None, 3, 2)


def test_a_memory_of_nothing_keeps_nothing():
    memory = Memory(0)
    memory.put(b"a", 1)
    assert (memory.get(b"a"), len(memory)) == (None, 0)


def test_a_key_tells_content_shape_and_circumstance_apart_but_not_where_a_crop_lies():
    page = np.random.default_rng(0).integers(0, 9, (40, 60, 3), dtype=np.uint8)
    page[20:30, 30:50] = page[0:10, 0:20]
    assert pixel_key(page[0:10, 0:20]) == pixel_key(page[20:30, 30:50])
    assert pixel_key(page[0:10, 0:20]) != pixel_key(page[0:10, 1:21])
    assert pixel_key(np.zeros((2, 6, 3), np.uint8)) != pixel_key(np.zeros((3, 4, 3), np.uint8))
    assert pixel_key(page, 1) != pixel_key(page, 2)
