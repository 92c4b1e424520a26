"""`markwise mark`: a picture file becomes a marked picture, and its marks text, JSON or another tool's format."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from app.catalog.marks import stored_mark
from app.formats.bodies import mark_body
from app.formats.exports import Format, export
from app.formats.lookalikes import warnings
from app.formats.yolo import class_names
from app.imaging.encode import encode
from models.marks import Marking, find_lookalikes
from models.marks import mark as paint_marks
from models.regions import Regions
from models.segmenters.semantic_sam.tagging import PRESETS, STYLE
from workers.direct.pictures import (
    granularity_option,
    json_option,
    picture_argument,
    read_picture,
    regions_for_tags,
    regions_of_picture,
    segmenter_option,
    show_marks,
    style_option,
)


@click.command()
@picture_argument
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the marked picture goes (PNG).")
@segmenter_option
@granularity_option
@style_option
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    help="Tag as SoM-LLaVA did: semantic-sam at level 2 (training) or 1 (inference), in the style som-llava.",
)
@click.option("--max-marks", type=click.IntRange(1, 1000), help="Keep the most useful ones.")
@click.option(
    "--regions",
    "stated",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Mark the regions of this file (COCO, LabelMe or YOLO) instead of looking for some.",
)
@click.option(
    "--export",
    "exported",
    type=(click.Choice(["coco", "yolo", "labelme"]), click.Path(dir_okay=False, path_type=Path)),
    metavar="FORMAT FILE",
    help="Also write the marks as coco, yolo (outlines, with classes.txt beside) or labelme.",
)
@json_option
def mark(
    file: Path,
    out: Path | None,
    segmenter: str,
    granularity: tuple[int, ...] | None,
    style: str,
    preset: str | None,
    max_marks: int | None,
    stated: Path | None,
    exported: tuple[Format, Path] | None,
    as_json: bool,
) -> None:
    r"""Split the picture FILE into regions and paint a mark on each.

    Without --out the marked picture lands beside FILE as NAME.marked.png.

    \b
    markwise mark screenshot.png
    markwise mark photo.jpg --segmenter regions --granularity 2 --out marked.png
    markwise mark screenshot.png --json
    """
    if preset is not None and (segmenter, granularity, style, stated) != ("auto", None, "markwise", None):
        raise click.UsageError("--preset says which segmenter, granularity and style to take; give it alone")
    pixels = read_picture(file)
    if preset is None:
        name, regions = regions_of_picture(pixels, segmenter, stated, granularity)
    else:
        name, regions = regions_for_tags(pixels, preset)
        granularity, style = PRESETS[preset].levels, str(STYLE["name"])
    overlay, marking = paint_marks(pixels, regions, style if preset is None else STYLE, max_marks=max_marks)
    if exported is not None:
        _write_export(exported[1], exported[0], regions, marking, file)
    if out is None and not as_json:
        out = file.with_name(f"{file.stem}.marked.png")
    if out is not None:
        out.write_bytes(encode(overlay))
    told = warnings(find_lookalikes(pixels), {found.id: found.bbox_xyxy_px for found in marking.marks})
    if as_json:
        shown = {"style": style, "overlay": None if out is None else str(out)}
        click.echo(json.dumps(_set_body(name, granularity, regions, marking, told) | shown))
        return
    show_marks(marking.marks)
    for warning in told:
        click.echo(f"the picture itself shows something like the mark {warning['text']}", err=True)
    click.echo(f"{len(marking.marks)} marks by {name}, {marking.omitted_regions} regions omitted -> {out}")


def _set_body(
    name: str,
    levels: tuple[int, ...] | None,
    regions: Regions,
    marking: Marking,
    told: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    height, width = regions.size_hw
    granularity = levels[0] if levels and len(levels) == 1 else levels
    segmenter_name, _, version = name.partition(" ")
    return {
        "object": "mark_set",
        "image": {"width": width, "height": height},
        "segmenter": {"name": segmenter_name, "version": version, "granularity": granularity},
        "marks": mark_bodies(marking, regions, {warning["mark"] for warning in told}),
        "omitted_regions": marking.omitted_regions,
        "warnings": told,
    }


def _write_export(out: Path, format: Format, regions: Regions, marking: Marking, picture: Path) -> None:
    """Write the marks in another tool's format; YOLO's class names go to classes.txt beside it, where its tools look."""
    kept = regions.take([found.region_index for found in marking.marks])
    kept = replace(kept, points_xy_px=tuple(found.point_xy_px for found in marking.marks))
    text, _, _ = export(format, kept, [found.id for found in marking.marks], picture.name, masks=True)
    out.write_text(text, encoding="utf-8")
    if format == "yolo":
        names = "".join(f"{' '.join(name.split())}\n" for name in class_names(kept))
        out.with_name("classes.txt").write_text(names, encoding="utf-8")


def mark_bodies(marking: Marking, regions: Regions, painted: Collection[str | None] = ()) -> list[Any]:
    """Marks as the HTTP contract shows them; `painted` are the ids of those that show a look-alike."""
    height, width = regions.size_hw
    return [
        mark_body(stored_mark(mark, regions), width=width, height=height, lookalike=mark.id in painted)
        for mark in marking.marks
    ]
