"""The program that touches untrusted image bytes: one image in, plain RGB numbers out, over one socket on fd 0.

Started by decode.py as a file, isolated (`python -I`), with an empty environment. It imports Pillow and nothing of
ours, limits itself before it reads the first byte, and answers with a fixed-size struct and raw pixels: whatever an
image does to it, its parent never parses anything it produced.
"""

import io
import os
import resource
import socket
import struct
import sys
import warnings

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
# Imported now because the limits below leave no room to import later; TIFF and MPO serve EXIF and phone JPEGs.
PLUGINS = (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

REQUEST = struct.Struct("!BIIIII")  # index in FORMATS, bytes that follow, max pixels, max side, max aspect, CPU seconds
REPLY = struct.Struct("!BIIBI")  # status, width, height, EXIF orientation, frames; then width * height * 3 if DONE

DONE, NOT_AN_IMAGE, TRUNCATED, TOO_MANY_PIXELS, OUT_OF_MEMORY = range(5)

STRIP_ROWS = 256
ORIENTATION_TAG = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class TooManyPixels(Exception):
    """The header promises more pixels than asked for."""

    def __init__(self, size_wh: tuple[int, int]) -> None:
        super().__init__("too many pixels")
        self.size_wh = size_wh


def limit_process(memory_bytes: int) -> None:
    """Give up what a decoder never needs: memory, files, processes, core dumps."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_pillow() -> None:
    """Make Pillow strict: incomplete files fail, bombs fail, compressed text stays small."""
    Image.preinit()
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    PngImagePlugin.MAX_TEXT_CHUNK = 1 << 20
    PngImagePlugin.MAX_TEXT_MEMORY = 4 << 20
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def allow_cpu(seconds: int) -> None:
    """Let this process burn `seconds` more of CPU time; the kernel ends it beyond that."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def open_checked(data: bytes, format_name: str, max_pixels: int, max_side: int, max_aspect: int) -> Image.Image:
    """Open by one named decoder and refuse by the header, before any pixel is unpacked."""
    # Pillow checks this itself, with the warning turned into an error above, where a frame can outgrow the header.
    Image.MAX_IMAGE_PIXELS = max_pixels
    image = Image.open(io.BytesIO(data), formats=[format_name])
    width, height = image.size
    long, short = max(width, height), min(width, height)
    if width * height > max_pixels or long > max_side or long > short * max_aspect:
        raise TooManyPixels(image.size)
    return image


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation, 1 when absent or unreadable: a broken EXIF block does not spoil the pixels."""
    # Pillow would fall back on XMP; browsers do not, and coordinates have to be those of the picture as displayed.
    for key in ("XML:com.adobe.xmp", "xmp"):
        image.info.pop(key, None)
    try:
        value = image.getexif().get(ORIENTATION_TAG, 1)
    except MemoryError:
        raise
    except Exception:
        return 1
    return value if value in TURNS else 1


def scale_16_bit(image: Image.Image) -> Image.Image:
    """16-bit grey to 8-bit grey on white, linear: Pillow's own convert() clips everything above 255."""
    transparent = image.info.get("transparency")
    wide = image.convert("I")
    grey = wide.point([(value + 128) // 257 for value in range(65536)], "L")
    if isinstance(transparent, int):
        grey.paste(255, mask=wide.point([255 * (value == transparent) for value in range(65536)], "L"))
    return grey


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB from RGB, grey or CMYK; an unusable colour profile is ignored, as browsers do."""
    if profile and image.mode in {"RGB", "CMYK", "L"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in (source.profile.profile_description or ""):
                turned = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
                if turned is not None:
                    return turned
        except MemoryError:
            raise
        except Exception:
            return image.convert("RGB")
    return image.convert("RGB")


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow mode to RGB, transparency composited on white."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        return scale_16_bit(image).convert("RGB")
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        if layered.getchannel("A").getextrema() == (255, 255):
            return to_srgb(layered.convert("RGB"), profile)
        flat = Image.new("RGB", layered.size, (255, 255, 255))
        flat.paste(layered, mask=layered.getchannel("A"))
        return to_srgb(flat, profile)
    return to_srgb(image, profile)


def decode(data: bytes, format_name: str, limits: tuple[int, int, int]) -> tuple[Image.Image, int, int]:
    """The displayed picture in RGB, the orientation it was stored in, and its frame count."""
    image = open_checked(data, format_name, *limits)
    frames = 1 if format_name in {"GIF", "JPEG"} else int(getattr(image, "n_frames", 1))
    image.load()
    if image.size[0] * image.size[1] > limits[0]:
        raise TooManyPixels(image.size)
    orientation = orientation_of(image)
    image = to_rgb(image)
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    return image, orientation, min(max(frames, 1), 0xFFFFFFFF)


def answer(channel: socket.socket, request: tuple[int, int, int, int, int, int]) -> bool:
    """Decode one image and send the reply; False when this process has to be replaced after it."""
    format_index, size, *limits, cpu_s = request
    allow_cpu(cpu_s)
    try:
        image, orientation, frames = decode(
            receive(channel, size), FORMATS[format_index], (limits[0], limits[1], limits[2])
        )
        width, height = image.size
        channel.sendall(REPLY.pack(DONE, width, height, orientation, frames))
        for top in range(0, height, STRIP_ROWS):
            channel.sendall(image.crop((0, top, width, min(top + STRIP_ROWS, height))).tobytes())
        return True
    except MemoryError:
        channel.sendall(REPLY.pack(OUT_OF_MEMORY, 0, 0, 1, 1))
        return False
    except TooManyPixels as refused:
        width, height = refused.size_wh
        channel.sendall(REPLY.pack(TOO_MANY_PIXELS, width, height, 1, 1))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        channel.sendall(REPLY.pack(TOO_MANY_PIXELS, 0, 0, 1, 1))
    except OSError as failed:
        if isinstance(failed, ConnectionError):
            raise
        # The message only chooses between two fixed codes; it is not sent.
        status = TRUNCATED if "truncated" in str(failed) else NOT_AN_IMAGE
        channel.sendall(REPLY.pack(status, 0, 0, 1, 1))
    except Exception:
        # Pillow raised RuntimeError, SyntaxError, ValueError and TypeError on 0.6 % of mutated images.
        channel.sendall(REPLY.pack(NOT_AN_IMAGE, 0, 0, 1, 1))
    return True


def receive(channel: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes; EOFError when the parent is gone."""
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        count = channel.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return bytes(buffer)


def main() -> int:
    """Serve images until the parent closes its end."""
    limit_pillow()
    limit_process(int(sys.argv[1]))
    with socket.socket(fileno=os.dup(0)) as channel:
        try:
            while answer(channel, REQUEST.unpack(receive(channel, REQUEST.size))):
                pass
        except (EOFError, ConnectionError):
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
