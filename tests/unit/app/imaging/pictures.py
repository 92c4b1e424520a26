"""Small pictures for the imaging tests: seeds of every accepted format, and ways to spoil them."""

import io
import random
import struct
import zlib

import numpy as np
from PIL import Image


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    sink = io.BytesIO()
    image.save(sink, format_name, **options)
    return sink.getvalue()


def gradient(width: int = 40, height: int = 24) -> Image.Image:
    """A picture without symmetry: any turn or mirror of it differs."""
    down, across = np.mgrid[0:height, 0:width]
    pixels = np.stack([across * 255 // width, down * 255 // height, (across + 2 * down) % 256], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))


def frames(count: int = 3) -> list[Image.Image]:
    return [Image.new("RGB", (16, 12), (80 * index, 200 - 60 * index, 20)) for index in range(count)]


def animated(format_name: str) -> bytes:
    first, *rest = frames()
    return encoded(first, format_name, save_all=True, append_images=rest, duration=50)


def seeds() -> dict[str, bytes]:
    picture = gradient()
    alpha = picture.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(picture.size))
    return {
        "png": encoded(picture, "PNG"),
        "png-rgba": encoded(alpha, "PNG"),
        "png-palette": encoded(picture.quantize(16), "PNG"),
        "png-16": encoded(Image.fromarray(np.arange(960, dtype=np.uint16).reshape(24, 40) * 68), "PNG"),
        "jpeg": encoded(picture, "JPEG", quality=90),
        "jpeg-progressive": encoded(picture, "JPEG", progressive=True),
        "jpeg-cmyk": encoded(picture.convert("CMYK"), "JPEG"),
        "webp": encoded(picture, "WEBP"),
        "webp-lossless": encoded(alpha, "WEBP", lossless=True),
        "gif": encoded(picture.quantize(16), "GIF"),
        "gif-animated": animated("GIF"),
        "bmp": encoded(picture, "BMP"),
    }


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One random fault: flipped bytes, a cut, an insert, a repeated part or an extreme number."""
    spoilt = bytearray(data)
    at = rng.randrange(len(spoilt))
    match rng.randrange(5):
        case 0:
            for _ in range(rng.randint(1, 8)):
                spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        case 1:
            del spoilt[at:]
        case 2:
            spoilt[at:at] = rng.randbytes(rng.randint(1, 40))
        case 3:
            spoilt[at:at] = spoilt[at : at + rng.randint(1, 60)]
        case _:
            spoilt[at : at + 4] = rng.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\x80\0\0\0"])
    return bytes(spoilt)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, *chunks: bytes, rows: bytes = b"") -> bytes:
    """A 1-bit PNG whose header says what it likes."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(rows or bytes(64)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data + png_chunk(b"IEND", b"")
