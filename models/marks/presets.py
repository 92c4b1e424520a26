"""Named mark styles, and how a caller's style (name or object) becomes one.

`markwise` is our default; `som` and `som-llava` reproduce the numbering, colours and drawing of the two published
programs, so that models which were shown those can be served. Label placement is ours in all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from models.errors import BadInput

Kind = Literal["number", "letter", "auto"]
Part = Literal["box", "mask", "contour", "mark"]
Order = Literal["reading", "largest_first", "smallest_first"]
LabelColors = Literal["color", "black"]
Overlap = Literal["topmost", "layered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkStyle:
    """How marks are numbered, placed and drawn.

    `kind` "letter" counts A .. Z, AA, ...; "auto" takes letters where the picture is full of numbers (`kinds.kind_for`).
    `draw` takes any of the four parts (SoM's mark types): the region's box, its fill, its outline, the label. Where masks
    overlap, each pixel gets the colour of the smallest ("topmost"), or of all, one over the other ("layered").
    `alpha` is the opacity of a mask's fill, `label_alpha` that of the label's box. `label_height_px` is stated for a
    picture whose short side is 640 and grows with the square root of the size (`fixed_label`: with the size itself, and
    the same for every region). `spare_content` puts the labels of interface elements (regions with a role or text) into a
    corner, so that they hide neither text nor icon; `off_centre` does so with every label (SoM's ablation of where marks lie).
    `min_area_px` is stated at short side 640, too, and counts visible pixels.
    """

    name: str
    kind: Kind = "number"
    draw: tuple[Part, ...] = ("box", "mark")
    alpha: float = 0.25
    order: Order = "reading"
    overlap: Overlap = "topmost"
    label_colors: LabelColors = "color"
    label_alpha: float = 1.0
    label_height_px: float = 21.0
    fixed_label: bool = False
    spare_content: bool = True
    off_centre: bool = False
    min_area_px: float = 0.0
    max_marks: int = 99

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn; raises BadInput."""
        for field, allowed in (("kind", Kind), ("order", Order), ("overlap", Overlap), ("label_colors", LabelColors)):
            if getattr(self, field) not in get_args(allowed):
                raise BadInput(f"style.{field} must be one of {', '.join(get_args(allowed))}")
        if not set(self.draw) <= set(get_args(Part)):
            raise BadInput(f"style.draw must list any of {', '.join(get_args(Part))}")
        if not (0 <= self.alpha <= 1 and 0 <= self.label_alpha <= 1):
            raise BadInput("style.alpha and style.label_alpha must lie between 0 and 1")
        if not 4 <= self.label_height_px <= 400:
            raise BadInput("style.label_height_px must lie between 4 and 400")
        if not isinstance(self.max_marks, int) or self.max_marks < 1:
            raise BadInput("style.max_marks must be a whole number from 1")
        if not 0 <= self.min_area_px < float("inf"):
            raise BadInput("style.min_area_px must be a number from 0")


STYLES: dict[str, MarkStyle] = {
    style.name: style
    for style in (
        MarkStyle(name="markwise"),
        MarkStyle(
            name="som",
            draw=("mask", "contour", "mark"),
            alpha=0.1,
            order="largest_first",
            overlap="layered",
            label_colors="black",
            label_alpha=0.8,
            label_height_px=27.0,
            fixed_label=True,
            spare_content=False,
        ),
        MarkStyle(
            name="som-llava",
            draw=("mark",),
            alpha=0.1,
            order="smallest_first",
            overlap="layered",
            label_colors="black",
            label_alpha=0.8,
            label_height_px=27.0,
            fixed_label=True,
            spare_content=False,
            min_area_px=110.0,
        ),
    )
}


def style_of(style: str | Mapping[str, Any] | MarkStyle) -> MarkStyle:
    """Return the style that a caller means: a preset's name, or an object whose `name` (default markwise) it changes.

    Raises BadInput on an unknown name or field.
    """
    if isinstance(style, MarkStyle):
        return style
    if isinstance(style, str):
        if style not in STYLES:
            raise BadInput(f"style must be one of {', '.join(STYLES)}; got {style[:40]!r}")
        return STYLES[style]
    unknown = set(style) - {field.name for field in fields(MarkStyle)}
    if unknown:
        raise BadInput(f"style has no field {', '.join(sorted(map(str, unknown)))[:80]}")
    changes = {key: value for key, value in style.items() if key != "name"}
    try:
        if "draw" in changes:
            changes["draw"] = tuple(changes["draw"])
        return replace(style_of(str(style.get("name", "markwise"))), **changes)
    except TypeError:
        raise BadInput("style has a field of the wrong type") from None
