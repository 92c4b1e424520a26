"""A place in the picture as people see it is that place in the pixels: every EXIF orientation in every pixel mode and format.

A light spot is drawn on the displayed picture, stored turned and mirrored as a camera would, and found again after decoding.
"""

import numpy as np
import pytest
from PIL import Image

from app.imaging.decode import ImageDecoder
from tests.unit.app.imaging.pictures import encoded

SIZE_WH = (61, 37)
SPOT_XY = (44.5, 11.5)  # the middle of pixel (44, 11)
KINDS = [
    *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    *(("WEBP", mode) for mode in ("RGB", "RGBA")),
]
# What a viewer does to the stored picture to show it (EXIF 2.32, tag 0x0112); the camera did the opposite.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def displayed() -> Image.Image:
    """A dark picture with one light spot of 5 x 5 pixels."""
    pixels = np.full((SIZE_WH[1], SIZE_WH[0]), 20, np.uint8)
    x, y = (int(value) for value in SPOT_XY)
    pixels[y - 2 : y + 3, x - 2 : x + 3] = 240
    return Image.fromarray(pixels)


def stored(orientation: int, format_name: str, mode: str) -> bytes:
    picture = displayed()
    turn = STORED[orientation]
    picture = picture if turn is None else picture.transpose(turn)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    elif mode == "1":
        picture = picture.point(lambda value: 255 * (value > 128)).convert("1")
    elif mode in {"P", "LA"}:
        picture = picture.convert(mode)
    else:
        picture = picture.convert("RGB").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(format_name, {})
    return encoded(picture, format_name, exif=exif, **options)


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize(("format_name", "mode"), KINDS)
def test_a_place_stays_where_people_see_it(
    decoder: ImageDecoder, orientation: int, format_name: str, mode: str
) -> None:
    decoded = decoder.decode_pixels(stored(orientation, format_name, mode))
    assert decoded.image.shape == (SIZE_WH[1], SIZE_WH[0], 3)
    light = decoded.image.mean(axis=2)
    light = np.where(light > (light.min() + light.max()) / 2, light, 0)
    y, x = ((np.indices(light.shape) + 0.5) * light).sum(axis=(1, 2)) / light.sum()
    assert abs(x - SPOT_XY[0]) <= 0.5
    assert abs(y - SPOT_XY[1]) <= 0.5


@pytest.mark.parametrize(
    "ink",
    [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (128, 64, 0, 32), (0, 0, 0, 128)],
)
def test_inks_without_a_profile_take_away_light(decoder: ImageDecoder, ink: tuple[int, int, int, int]) -> None:
    data = encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100)
    black = (255 - ink[3]) / 255
    expected = [(255 - value) * black for value in ink[:3]]
    assert np.abs(decoder.decode_pixels(data).image[8, 8].astype(float) - expected).max() <= 3
