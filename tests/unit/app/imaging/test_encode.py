"""Encoding our own pixels: lossless where it says so, the same bytes every time."""

import io

import numpy as np
import pytest
from PIL import Image

from app.imaging.encode import Encoding, cut_out, encode, read_canonical
from tests.unit.app.imaging.pictures import gradient

PIXELS = np.asarray(gradient(300, 200))


def test_png_is_lossless() -> None:
    assert np.array_equal(read_canonical(encode(PIXELS, "png")), PIXELS)


@pytest.mark.parametrize("encoding", Encoding)
def test_same_pixels_same_bytes(encoding: Encoding) -> None:
    assert encode(PIXELS, encoding) == encode(PIXELS.copy(), encoding)


@pytest.mark.parametrize("encoding", Encoding)
def test_bytes_are_what_the_media_type_says(encoding: Encoding) -> None:
    with Image.open(io.BytesIO(encode(PIXELS, encoding))) as image:
        assert Image.MIME[image.format] == encoding.media_type
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - PIXELS).mean() < 4


def test_a_view_with_odd_strides_is_encoded_as_seen() -> None:
    view = PIXELS[::2, ::-1]
    assert np.array_equal(read_canonical(encode(view)), view)


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        encode(array)


def test_a_part_is_cut_out_of_a_copy_and_ends_with_it() -> None:
    assert np.array_equal(read_canonical(cut_out(encode(PIXELS), (10, 20, 999, 60))), PIXELS[20:60, 10:])
    with pytest.raises(ValueError, match="expected"):
        cut_out(encode(PIXELS), (999, 0, 1010, 5))


def test_webp_ends_at_its_own_limit() -> None:
    with pytest.raises(ValueError, match="16383"):
        encode(np.zeros((1, 16_384, 3), np.uint8), "webp")


def test_damaged_canonical_bytes_are_a_value_error() -> None:
    data = encode(PIXELS)
    for damaged in (data[:-40], b"", b"\xff\xd8\xff"):
        with pytest.raises(ValueError, match="damaged"):
            read_canonical(damaged)
