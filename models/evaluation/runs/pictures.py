"""Finds the pictures that question files name, inside their folder and nowhere else, and reads those inside a sheet."""

import base64
import binascii
from pathlib import Path

from models.errors import BadEvaluation

PictureAt = Path | bytes | str
"""A file, the bytes of one, or a name that whoever reads pictures knows."""


def picture_file(images: Path | None, name: str) -> Path:
    """Return the file of a picture; raises BadEvaluation where no folder is given or the name leads out of it."""
    if images is None:
        raise BadEvaluation(f"the questions name pictures such as {name}; say in which folder they are")
    path = (images / name).resolve()
    if not path.is_relative_to(images.resolve()):
        raise BadEvaluation(f"the picture {name} lies outside of {images}")
    return path


def unpacked(text: str, index: int) -> bytes:
    """Return the bytes of a picture in base64; raises BadEvaluation that names the question."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadEvaluation(f"the picture of question {index} is not base64") from exc
