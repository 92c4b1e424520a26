"""Opens what a measurement without a service needs: the model, the judge, pictures, segmenters, and a bar that counts.

The model is the one that serves: a checkpoint folder, else the server of MARKWISE_VLM_URL, else the built-in one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli import Failure
from app.imaging.decode import ImageDecoder
from app.services.remote import open_remote
from app.settings import Settings
from app.storage.blobs import open_blobs
from models.evaluation.runs.pictures import PictureAt
from models.protocols import SegmentRequest
from models.regions import Regions
from models.registry import choose_segmenter, segmenter
from models.vlm.types import VlmBackend
from models.writers.teachers import BackendTeacher
from models.writers.types import Teacher
from workers.direct.annotated import bytes_of, decoding
from workers.resources import install_segmenters
from workers.shelf import BUILT_IN_FOLDER, ModelShelf


@contextmanager
def open_backend(settings: Settings, folder: Path | None) -> Iterator[VlmBackend]:
    """Yield the model that is measured."""
    remote = open_remote(settings) if folder is None else None
    if remote is None:
        from models.vlm.local import LocalBackend

        yield LocalBackend(folder or settings.local_model or BUILT_IN_FOLDER)
        return
    try:
        yield remote.backend()
    finally:
        remote.close()


@contextmanager
def open_teacher(settings: Settings, name: str) -> Iterator[Teacher]:
    """Yield a model of MARKWISE_TEACHERS; raises Failure for another name."""
    if name not in settings.teachers:
        known = ", ".join(settings.teachers) or "none"
        raise Failure(f"there is no judge {name}; MARKWISE_TEACHERS names them, now: {known}")
    shelf = ModelShelf(settings, open_blobs(settings.blobs_place))
    try:
        # A model of the settings is not looked up in the catalog, so it needs no session.
        yield BackendTeacher(shelf.teacher(cast("Any", None), name)[0])
    finally:
        shelf.close()


def decoded(decoder: ImageDecoder, image: PictureAt) -> Any:
    """Return the pixels of a picture, decoded as carefully as an upload; raises BadImage."""
    return decoding(decoder)(image if isinstance(image, bytes) else bytes_of(Path(image)))


def segmenting(settings: Settings, name: str, granularity: int | None) -> Callable[[Any], Regions]:
    """Return what finds the regions of a picture; raises BadInput for an unknown segmenter when it is used."""
    install_segmenters(settings)

    def segment(pixels: Any) -> Regions:
        request = SegmentRequest(granularity=granularity)
        return segmenter(choose_segmenter(name, pixels, request)).segment(pixels, request)

    return segment


def progress_bar() -> Progress:
    """Return a bar on stderr that counts questions."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
