"""Decoding: the displayed picture comes out, everything else is one of our own errors."""

import io
import random
import re
import zlib
from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from app.imaging.decode import FIRST_FRAME_NOTE, ImageDecoder
from app.imaging.encode import read_canonical
from app.imaging.errors import (
    BadPicture,
    Bomb,
    EmptyPicture,
    ImagingError,
    NotAnImage,
    TooLarge,
    Truncated,
    UnsupportedType,
)
from app.imaging.limits import ImageLimits
from tests.unit.app.imaging.pictures import animated, encoded, gradient, mutated, png_chunk, png_of, seeds

SEEDS = seeds()
LEAK = re.compile(r"0x[0-9a-f]{6,}|Traceback|/home|/tmp|PIL|object at", re.IGNORECASE)


@pytest.mark.parametrize("name", SEEDS)
def test_every_accepted_format_decodes_to_its_own_size(decoder: ImageDecoder, name: str) -> None:
    decoded = decoder.decode(SEEDS[name])
    expected = Image.open(io.BytesIO(SEEDS[name]))
    assert (decoded.width, decoded.height) == expected.size
    assert decoded.media_type == f"image/{name.partition('-')[0]}"


def test_lossless_pixels_survive_into_the_canonical_copy(decoder: ImageDecoder) -> None:
    expected = np.asarray(gradient())
    decoded = decoder.decode(SEEDS["png"])
    assert np.array_equal(read_canonical(decoded.canonical), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "JPEG"])
def test_exif_orientation_is_applied(decoder: ImageDecoder, orientation: int, format_name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"PNG": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}[format_name]
    data = encoded(gradient(), format_name, exif=exif, **options)
    plain = gradient()
    plain.info["exif"] = exif.tobytes()
    expected = np.asarray(ImageOps.exif_transpose(plain)).astype(int)
    pixels = decoder.decode_pixels(data)
    assert pixels.orientation == orientation
    assert pixels.image.shape == expected.shape
    assert np.abs(pixels.image - expected).max() <= (8 if format_name == "JPEG" else 0)


def test_broken_exif_does_not_reject_the_picture(decoder: ImageDecoder) -> None:
    data = encoded(gradient(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert decoder.decode(data).orientation == 1


def test_16_bit_is_scaled_and_not_clipped(decoder: ImageDecoder) -> None:
    deep = np.linspace(0, 65535, 960).astype(np.uint16).reshape(24, 40)
    pixels = decoder.decode_pixels(encoded(Image.fromarray(deep), "PNG"))
    assert np.array_equal(pixels.image[..., 0], ((deep.astype(int) + 128) // 257))


def test_alpha_is_composited_on_white(decoder: ImageDecoder) -> None:
    picture = Image.new("RGBA", (3, 1))
    picture.putdata([(200, 0, 0, 255), (200, 0, 0, 0), (0, 0, 0, 128)])
    pixels = decoder.decode_pixels(encoded(picture, "PNG"))
    assert pixels.image[0].tolist() == [[200, 0, 0], [255, 255, 255], [127, 127, 127]]


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_transparent_colour_is_white(decoder: ImageDecoder, mode: str) -> None:
    picture = Image.new(mode, (2, 1), 0)
    transparent = (0, 0, 0) if mode == "RGB" else 0
    pixels = decoder.decode_pixels(encoded(picture, "PNG", transparency=transparent))
    assert pixels.image[0].tolist() == [[255, 255, 255]] * 2


def test_a_16_bit_transparent_grey_is_white(decoder: ImageDecoder) -> None:
    deep = Image.fromarray(np.array([[0, 40_000]], dtype=np.uint16))
    data = encoded(deep, "PNG")
    at = data.index(b"IDAT") - 4
    data = data[:at] + png_chunk(b"tRNS", (40_000).to_bytes(2, "big")) + data[at:]
    assert decoder.decode_pixels(data).image[0, :, 0].tolist() == [0, 255]


def test_cmyk_keeps_its_colours(decoder: ImageDecoder) -> None:
    for ink, colour in {(0, 0, 0, 0): 255, (0, 0, 0, 255): 0}.items():
        pixels = decoder.decode_pixels(encoded(Image.new("CMYK", (8, 8), ink), "JPEG", quality=100))
        assert np.abs(pixels.image.astype(int) - colour).max() <= 3


def test_a_colour_profile_is_applied(decoder: ImageDecoder) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Red and blue primaries change places, and the description no longer says sRGB.
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "XXXX".encode("utf-16-be")).replace(b"sRGB", b"XXXX")
    red = Image.new("RGB", (4, 4), (255, 0, 0))

    def colour(profile: bytes) -> list[int]:
        pixels = decoder.decode_pixels(encoded(red, "PNG", icc_profile=profile))
        return [int(value) for value in pixels.image[0, 0]]

    assert colour(srgb) == [255, 0, 0]
    assert colour(b"not a profile" * 20) == [255, 0, 0]
    assert colour(swapped)[0] < 40
    assert colour(swapped)[2] > 215


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_its_first_frame_and_says_so(decoder: ImageDecoder, format_name: str) -> None:
    decoded = decoder.decode(animated(format_name))
    assert decoded.frames == 3
    assert decoded.notes == (FIRST_FRAME_NOTE,)
    assert np.abs(read_canonical(decoded.canonical)[0, 0].astype(int) - [0, 200, 20]).max() <= 4


def test_metadata_is_stripped(decoder: ImageDecoder) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    canonical = decoder.decode(encoded(gradient(), "JPEG", exif=exif, comment=b"secret comment")).canonical
    assert b"secret" not in canonical
    assert set(re.findall(rb"(?:tEXt|zTXt|iTXt|eXIf|iCCP|tIME)", canonical)) == set()


def test_no_bytes(decoder: ImageDecoder) -> None:
    with pytest.raises(EmptyPicture):
        decoder.decode(b"")


def test_too_many_bytes_are_refused_unread() -> None:
    with ImageDecoder(ImageLimits(max_bytes=100)) as small, pytest.raises(TooLarge) as refused:
        small.decode(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert refused.value.status == 413


OTHER_FORMATS = {
    "tiff": encoded(gradient(), "TIFF"),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "svg with declaration": b'\n <?xml version="1.0"?><svg/>',
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "pdf": b"%PDF-1.7\n",
    "psd": b"8BPS\0\1" + bytes(30),
    "ico": encoded(gradient(), "ICO"),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20),
    "avif": b"\0\0\0\x1cftypavif" + bytes(20),
    "heic": b"\0\0\0\x18ftypheic" + bytes(20),
    "ppm": encoded(gradient(), "PPM"),
}


@pytest.mark.parametrize("name", OTHER_FORMATS)
def test_other_formats_are_unsupported(decoder: ImageDecoder, name: str) -> None:
    with pytest.raises(UnsupportedType) as refused:
        decoder.decode(OTHER_FORMATS[name])
    assert refused.value.status == 415


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a/*<html><script>alert(1)</script>*/=1;",
        SEEDS["png"] + b"PK\x03\x04 a zip archive PK\x05\x06" + bytes(18),
        SEEDS["gif"] + b"<script>alert(1)</script>",
        SEEDS["jpeg"] + b"<?php system($_GET['c']); ?>",
        b"BM is how this sentence starts, and nothing in it is a bitmap",
        b"<html><body>not found</body></html>",
        b'{"error": "not an image"}',
        b"\0" * 64,
    ],
)
def test_lies_and_polyglots_are_refused(decoder: ImageDecoder, data: bytes) -> None:
    with pytest.raises((BadPicture, UnsupportedType)):
        decoder.decode(data)


def test_harmless_bytes_after_the_picture_are_dropped(decoder: ImageDecoder) -> None:
    # Phones append them: vendor trailers after JPEG, old picture data after a cropped PNG.
    for name in ("png", "jpeg"):
        decoded = decoder.decode(SEEDS[name] + b"SEFH vendor trailer" * 10)
        assert b"SEFH" not in decoded.canonical


def test_a_declared_type_has_to_be_true(decoder: ImageDecoder) -> None:
    for declared in (None, "", "image/png", "IMAGE/PNG; charset=binary", "application/octet-stream", "image/*"):
        assert decoder.decode(SEEDS["png"], declared).media_type == "image/png"
    for declared in ("image/jpeg", "text/html", "image/svg+xml"):
        with pytest.raises(UnsupportedType):
            decoder.decode(SEEDS["png"], declared)


@pytest.mark.parametrize(
    ("width", "height"), [(6325, 6325), (13_300, 13_300), (16_385, 300), (6_500, 100), (1, 2**31 - 1), (2**31 - 1, 1)]
)
def test_the_header_is_enough_to_refuse(decoder: ImageDecoder, width: int, height: int) -> None:
    with pytest.raises(Bomb) as refused:
        decoder.decode(png_of(width, height))
    assert refused.value.status == 422


def test_a_picture_of_no_width_is_not_an_image(decoder: ImageDecoder) -> None:
    with pytest.raises(BadPicture):
        decoder.decode(png_of(0, 10))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_compressed_metadata_cannot_unpack_without_end(decoder: ImageDecoder, kind: bytes) -> None:
    packed = zlib.compress(bytes(50 << 20), 9)
    separator = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"k\0\0"}[kind]
    data = png_of(8, 8, png_chunk(kind, separator + packed))
    with pytest.raises(BadPicture):
        decoder.decode(data)


@pytest.mark.parametrize("name", SEEDS)
def test_no_proper_prefix_is_taken_for_complete(decoder: ImageDecoder, name: str) -> None:
    data = SEEDS[name]
    cuts = sorted({*range(1, 40), *range(40, len(data), 37), *range(len(data) - 30, len(data))})
    accepted = []
    for cut in cuts:
        try:
            decoder.decode_pixels(data[:cut])
        except (BadPicture, UnsupportedType):
            continue
        accepted.append(cut)
    assert accepted == []


def test_a_cut_inside_the_data_says_truncated(decoder: ImageDecoder) -> None:
    for name in ("png", "jpeg", "gif", "webp", "bmp"):
        with pytest.raises(Truncated):
            decoder.decode(SEEDS[name][: len(SEEDS[name]) * 2 // 3])


@pytest.mark.parametrize("chunk", [b"IDAT", b"IEND"])
def test_a_wrong_checksum_is_noticed(decoder: ImageDecoder, chunk: bytes) -> None:
    data = bytearray(SEEDS["png"])
    at = data.index(chunk)
    data[at + 4 + int.from_bytes(data[at - 4 : at], "big")] ^= 1
    with pytest.raises(NotAnImage, match="checksum"):
        decoder.decode(bytes(data))


def test_500_mutated_images_give_pixels_or_our_own_errors(decoder: ImageDecoder) -> None:
    rng = random.Random(20261121)
    names = sorted(SEEDS)
    outcomes: Counter[str] = Counter()
    for _ in range(500):
        data = mutated(SEEDS[rng.choice(names)], rng)
        try:
            decoder.decode_pixels(data)
            outcomes["decoded"] += 1
        except ImagingError as refused:
            outcomes[refused.code] += 1
            bad = refused.status not in {413, 415, 422} or refused.code == "image.decoder_failed"
            if bad or LEAK.search(refused.detail):
                pytest.fail(f"{refused.code}: {refused.detail} for {data.hex()}")
    assert outcomes["decoded"] > 20
    assert outcomes["image.truncated"] > 20
