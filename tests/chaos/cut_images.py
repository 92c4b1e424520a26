"""F5: files that end too soon. Run: python -m tests.chaos.cut_images.

Every prefix of a file of each accepted format, about 20 kB each, goes through the decoder: none may pass for a whole picture.
"""

from PIL import Image

from app.imaging.decode import ImageDecoder
from app.imaging.errors import ImagingError
from tests.chaos.table import Row, run
from tests.unit.app.imaging.pictures import encoded, gradient, seeds


def files() -> dict[str, bytes]:
    """Return files of every format, larger than the seeds of F1: their inner structure repeats."""
    noise = Image.effect_noise((110, 90), 60).convert("RGB")
    large = {
        "png-noise": encoded(noise.quantize(64), "PNG"),
        "jpeg-noise": encoded(noise, "JPEG", quality=85, progressive=True),
        "webp-noise": encoded(noise, "WEBP", quality=80),
        "gif-noise": encoded(noise.quantize(64), "GIF"),
        "bmp-gradient": encoded(gradient(80, 60), "BMP"),
    }
    return seeds() | large


def measure(step: int = 1) -> Row:
    """Decode every `step`-th prefix of every file."""
    taken: list[str] = []
    strange: list[str] = []
    count = 0
    with ImageDecoder() as decoder:
        for name, data in files().items():
            for end in range(1, len(data), step):
                count += 1
                try:
                    decoder.decode_pixels(data[:end])
                    taken.append(f"{name}[:{end}] of {len(data)}")
                except ImagingError as refused:
                    if refused.status not in {415, 422}:
                        strange.append(f"{name}[:{end}]: {refused.code}")
    return Row(
        id="F5",
        fault="files that end too soon",
        load=f"{count} prefixes of {len(files())} files",
        survived=count - len(taken) - len(strange),
        lost=len(taken) + len(strange),
        failures=tuple([f"taken as whole: {', '.join(taken[:3])}"] if taken else []) + tuple(strange[:3]),
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
