"""Screenshots are told from photos and drawings by their pixels."""

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from models.drawings import scene, screen
from models.protocols import SegmentRequest
from models.segmenters.choose import choose, choose_with_tree

SHARED = Path(__file__).resolve().parents[5] / "shared" / "data"


def pictures(folder, pattern):
    paths = sorted((SHARED / folder).glob(pattern))
    if not paths:
        pytest.skip(f"no pictures in {SHARED / folder}")
    return [np.array(Image.open(path).convert("RGB")) for path in paths]


def test_every_real_screenshot_is_one_even_as_a_jpeg():
    for page in pictures("gui", "*.png"):
        packed = io.BytesIO()
        Image.fromarray(page).save(packed, "JPEG", quality=80)
        assert choose(page) == "gui"
        assert choose(np.array(Image.open(packed))) == "gui"


def test_photos_are_none():
    photos = pictures("coco/images", "*.jpg")
    assert sum(choose(photo) == "regions" for photo in photos) >= 0.98 * len(photos)


def test_drawn_scenes_are_told_from_drawn_screens():
    seeds = range(1_000_200, 1_000_240)
    assert sum(choose(scene(seed).image) == "regions" for seed in seeds) >= 38
    assert sum(choose(screen(seed).image) == "gui" for seed in seeds) >= 38


def sparse_page(words, size_wh=(800, 500), ground=(245, 245, 248)):
    """A mock page as people draw them: a few boxes, a short word in each."""
    page = Image.new("RGB", size_wh, ground)
    pen = ImageDraw.Draw(page)
    for row, word in enumerate(words):
        pen.rounded_rectangle((60, 60 + 90 * row, 260, 110 + 90 * row), 8, fill=(30, 90, 200))
        pen.text((95, 72 + 90 * row), word, fill="white", font_size=20)
    return np.array(page)


@pytest.mark.parametrize("words", [["Sign in", "Help"], ["Save", "Cancel", "Delete"]])
@pytest.mark.parametrize("ground", [(245, 245, 248), (30, 32, 38)])
def test_a_page_of_few_words_is_a_page(words, ground):
    assert choose(sparse_page(words, ground=ground)) == "gui"


def test_boxes_without_words_are_none():
    assert choose(sparse_page(["", "", ""])) == "regions"


def page_under(photo, high):
    """Lines of letters on white below a busy picture that takes `high` of 600 px."""
    rng = np.random.default_rng(1)
    page = Image.new("RGB", (800, 600), "white")
    page.paste(
        Image.fromarray(rng.integers(0, 256, (high, 800, 3), dtype=np.uint8)) if photo else "navy", (0, 0, 800, high)
    )
    pen = ImageDraw.Draw(page)
    for line in range(4):
        pen.text((40, high + 10 + 24 * line), "Words that stand below the picture", fill="black", font_size=18)
    return np.array(page)


@pytest.mark.parametrize("photo", [True, False])
def test_a_page_with_a_large_picture_is_still_a_page(photo):
    assert choose(page_under(photo, 480)) == "gui"


def test_a_page_of_ours_with_its_accessibility_tree_is_known_by_it():
    request = SegmentRequest(accessibility_tree={"role": "button", "name": "A", "bbox": [0, 0, 9, 9]})
    assert choose_with_tree(page_under(photo=True, high=480), request) == "provided"


def test_a_flat_colour_and_noise_are_no_screenshots():
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert choose(np.full((300, 400, 3), 255, np.uint8)) == "regions"
    assert choose(noise) == "regions"


def test_a_large_picture_costs_no_more_than_a_small_one():
    page = np.repeat(np.repeat(screen(1_000_200).image, 4, axis=0), 4, axis=1)
    best = min(_seconds(page) for _ in range(5))
    assert best < 0.1, f"{best:.3f} s for {page.shape}"


def _seconds(page):
    started = time.process_time()
    choose(page)
    return time.process_time() - started
