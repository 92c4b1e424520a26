"""What the commands without a server share: reading a picture, its regions and marks, and the options for them.

A picture given here is decoded in the same limited child process as one that is posted.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import click
import numpy as np
from numpy.typing import NDArray

from app.cli import Failure
from app.formats.exports import read_regions
from app.imaging.decode import ImageDecoder
from app.imaging.errors import ImagingError
from app.settings import Settings
from models.errors import BadInput, ModelError
from models.grounding import Caption, MarkedPicture
from models.marks import STYLES, Mark, find_lookalikes, place
from models.protocols import SegmentRequest
from models.regions import Regions
from models.registry import choose_segmenter, read_lines, segmenter
from models.segmenters.gui import GuiSegmenter
from models.segmenters.semantic_sam.levels import level_set
from models.segmenters.semantic_sam.segmenter import SemanticSamSegmenter
from models.segmenters.semantic_sam.tagging import PRESETS, LevelSegmenter, tagged_regions
from workers.resources import install_segmenters

Picture = NDArray[np.uint8]
picture_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout and nothing else.")
segmenter_option = click.option(
    "--segmenter",
    default="auto",
    show_default=True,
    help="auto, gui (screenshots) or regions (photos, drawings); with weights: sam, sam2, semantic-sam ...",
)


class Levels(click.ParamType[tuple[int, ...]]):
    """One granularity, or several with commas between them."""

    name = "LEVEL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the levels in the given order."""
        try:
            return level_set([int(part) for part in str(value).split(",")])
        except (ValueError, BadInput):
            self.fail(f"{value!r} is no level from 1 to 6, and no list of different ones like 6,1,2.", param, ctx)


granularity_option = click.option(
    "--granularity",
    type=Levels(),
    default=None,
    help="How fine the regions are, 1 (coarsest) to 6 (finest); semantic-sam also takes several: 1,2,6.",
)
style_option = click.option("--style", type=click.Choice(list(STYLES)), default="markwise", show_default=True)


def read_picture(file: Path) -> Picture:
    """Decode a file as carefully as an upload; a bad one is a sentence."""
    try:
        with ImageDecoder() as decoder:
            return decoder.decode_pixels(file.read_bytes()).image
    except ImagingError as exc:
        raise Failure(f"{file}: {exc.detail}") from None


def regions_of_picture(
    pixels: Picture, name: str, stated: Path | None = None, levels: tuple[int, ...] | None = None
) -> tuple[str, Regions]:
    """Segment a picture, or take the regions of a file; returns the segmenter's name and the regions."""
    if levels is not None and len(levels) > 1 and name != SemanticSamSegmenter.name:
        raise click.UsageError(f"only {SemanticSamSegmenter.name} takes several levels; give {name} one")
    try:
        install_segmenters(Settings())
        complete = None if stated is None else _read_regions(stated, (pixels.shape[0], pixels.shape[1]))
        granularity, several = (levels[0], ()) if levels and len(levels) == 1 else (None, levels or ())
        request = SegmentRequest(complete=complete, granularity=granularity, levels=several)
        chosen = segmenter(choose_segmenter(name, pixels, request))
        return f"{chosen.name} {chosen.version}", chosen.segment(pixels, request)
    except ModelError as exc:
        raise Failure(str(exc)) from None


def regions_for_tags(pixels: Picture, preset: str) -> tuple[str, Regions]:
    """Find the regions that a preset of the papers tags; returns the segmenter's name and the regions."""
    install_segmenters(Settings())
    chosen = segmenter(SemanticSamSegmenter.name)
    try:
        return f"{chosen.name} {chosen.version}", tagged_regions(
            pixels, PRESETS[preset], cast("LevelSegmenter", chosen)
        )
    except ModelError as exc:
        raise Failure(str(exc)) from None


def _read_regions(file: Path, size_hw: tuple[int, int]) -> Regions:
    """Read COCO, LabelMe or YOLO; the names of YOLO's classes stand in classes.txt beside it, one a line, if anywhere."""
    names = file.with_name("classes.txt")
    try:
        text = file.read_text(encoding="utf-8")
        return read_regions(text, size_hw, names.read_text(encoding="utf-8").splitlines() if names.is_file() else ())
    except (OSError, UnicodeDecodeError):
        raise Failure(f"{file} is no text") from None


def marked_picture(file: Path, segmenter: str, style: str, levels: tuple[int, ...] | None = None) -> MarkedPicture:
    """Read a picture and put marks on what the segmenter finds; raises Failure."""
    pixels = read_picture(file)
    name, regions = regions_of_picture(pixels, segmenter, levels=levels)

    def captions() -> list[Caption]:
        return [Caption(text=text, bbox_xyxy_px=box) for text, box in read_lines(pixels)]

    return MarkedPicture(
        image=pixels,
        regions=regions,
        marking=place(regions, style),
        lookalikes=find_lookalikes(pixels),
        captions=captions if name.startswith(f"{GuiSegmenter.name} ") else None,
    )


def show_marks(marks: Iterable[Mark]) -> None:
    """Print a line per mark."""
    for found in marks:
        x, y = found.point_xy_px
        click.echo(f"{found.id:>4}  {found.role or 'region':10}  ({x:.0f}, {y:.0f})  {found.text or ''}")
