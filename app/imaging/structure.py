"""What a file claims to be and whether it is whole, by its bytes alone: no pixel is decoded here.

Called by decode.py before the child sees anything. Pillow takes some files without their end for complete (a GIF
without its trailer, a PNG with a wrong checksum), so the containers are walked here; a walk only compares lengths.
"""

import re
import zlib
from dataclasses import dataclass

from app.imaging.errors import NotAnImage, Truncated, UnsupportedType

MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
SAME_TYPE = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/apng": "image/png",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "image/x-bmp": "image/bmp",
}
UNDECLARED = {"", "image/*", "*/*", "application/octet-stream", "binary/octet-stream"}

# Formats that are recognised only to say "unsupported" rather than "not an image".
OTHER_MAGIC = re.compile(
    rb"II\*\0|MM\0\*|II\+\0|MM\0\+|%PDF|%!PS|\xc5\xd0\xd3\xc6|8BPS|SIMPLE  =|\0\0\0\x0cjP  |\xff\x4f\xff\x51"
    rb"|.{4}ftyp(?:avif|avis|heic|heix|mif1|msf1|hevc)|\0\0\x01\0|\xff\x0a|\0\0\0\x0cJXL |P[1-7][ \n]|\x76\x2f\x31\x01"
    rb"|qoif|icns|\xd0\xcf\x11\xe0|gimp xcf|(?:\xef\xbb\xbf)?\s*<(?:\?xml|svg|!DOCTYPE svg|!--)",
    re.DOTALL | re.IGNORECASE,
)
# A second file appended to an image (zip, web page) marks an upload meant for another reader than us.
APPENDED_FILE = re.compile(rb"PK\x05\x06|PK\x03\x04|<script|<html|<\?php|%PDF-", re.IGNORECASE)
JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
CRITICAL_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the bytes say they are: a name in the decoder's allow-list, its media type, frames where countable."""

    format_name: str
    media_type: str
    frames: int


def examine(data: bytes, declared_media_type: str | None = None) -> Claim:
    """Recognise the format and walk the container to its end.

    UnsupportedType for a format outside the allow-list or another one than declared, NotAnImage, Truncated.
    """
    format_name = _recognise(data)
    media_type = MEDIA_TYPES[format_name]
    declared = (declared_media_type or "").partition(";")[0].strip().lower()
    if declared not in UNDECLARED and SAME_TYPE.get(declared, declared) != media_type:
        raise UnsupportedType("The declared media type is not that of the image.")
    frames = 1
    match format_name:
        case "PNG":
            end = _walk_png(data)
        case "JPEG":
            end = _walk_jpeg(data)
        case "WEBP":
            end = 8 + int.from_bytes(data[4:8], "little")
        case "GIF":
            end, frames = _walk_gif(data)
        case _:
            end = int.from_bytes(data[2:6], "little")
    if end > len(data):
        raise Truncated
    if APPENDED_FILE.search(data, end):
        raise NotAnImage("The image is followed by another kind of file.")
    return Claim(format_name=format_name, media_type=media_type, frames=frames)


def _recognise(data: bytes) -> str:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    # "BM" is two letters of prose too: the four reserved bytes and a known header size make it a bitmap.
    if data.startswith(b"BM") and len(data) >= 18 and data[6:10] == bytes(4):
        return "BMP"
    if OTHER_MAGIC.match(data):
        raise UnsupportedType
    raise NotAnImage


def _walk_png(data: bytes) -> int:
    """The offset after IEND; the checksum of every critical chunk is compared."""
    at = 8
    while at + 12 <= len(data):
        body = at + 8
        size = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : body]
        at = body + size + 4
        if at > len(data):
            raise Truncated
        if kind in CRITICAL_CHUNKS:
            expected = int.from_bytes(data[body + size : at], "big")
            if zlib.crc32(memoryview(data)[body - 4 : body + size]) != expected:
                raise NotAnImage("A checksum in the image does not match its data.")
        if kind == b"IEND":
            return at
    raise Truncated


def _walk_jpeg(data: bytes) -> int:
    """The offset after the end-of-image marker of the first picture in the file."""
    at = 2
    while found := JPEG_MARKER.search(data, at):
        marker = data[found.start() + 1]
        at = found.end()
        if marker == 0xD9:
            return at
        # 0x01 stands alone; every other marker here carries its own length, which may hide a thumbnail's end marker.
        if marker != 0x01:
            size = int.from_bytes(data[at : at + 2], "big")
            if size < 2:
                raise Truncated if at + 2 > len(data) else NotAnImage
            at += size
    raise Truncated


def _walk_gif(data: bytes) -> tuple[int, int]:
    """The offset after the trailer, and the number of frames before it."""
    frames = 0
    at = 13 + _palette_bytes(data, 10)
    while at < len(data):
        kind = data[at]
        if kind == 0x3B:
            return at + 1, max(frames, 1)
        if kind == 0x2C:
            frames += 1
            at = _skip_blocks(data, at + 11 + _palette_bytes(data, at + 9))
        elif kind == 0x21:
            at = _skip_blocks(data, at + 2)
        else:
            raise NotAnImage
    raise Truncated


def _palette_bytes(data: bytes, flags_at: int) -> int:
    if flags_at >= len(data):
        raise Truncated
    flags = data[flags_at]
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(data: bytes, at: int) -> int:
    while at < len(data):
        size = data[at]
        at += size + 1
        if size == 0:
            return at
    raise Truncated
