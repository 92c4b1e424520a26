"""Words the contents of an image as one document, the picture first or the text first, with pictures standing between the lines.

The structure is MMGiC's (Tables 23 and 24): a part about the whole picture, then one part per crop; the headings are ours. Image
first: picture, captions, things, properties, relations; then per crop its picture, its place, its things. Text first: all
words before their picture, the captions next to it. What is empty is left out. Called by `fitting` and the writer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from models.facts import Box
from models.writers.mmgic.contents import Contents, Entry
from models.writers.mmgic.crops import Crop

Template = Literal["image-first", "text-first"]

TITLE: Final = "# What is in the picture, one by one"
PICTURE: Final = "Picture: "
CAPTION: Final = "In one sentence: "
NARRATIVE: Final = "As it was told: "
HEADS: Final = {
    "objects": ("Things:", "Things, and what they are:"),
    "attributes": ("Properties {of what}:", "Properties {of what}, and what they mean:"),
    "relationships": ("Relations {between what}:", "Relations {between what}, and what they mean:"),
}
"""Each without and with descriptions."""
PARTS: Final = "## Parts of the picture"
PART: Final = "### One part"
PART_PICTURE: Final = "Part: "
PART_PLACE: Final = "Where it lies in the picture: "
PART_THINGS: Final = "Things in it:"

BEGIN, END = "<s>", "</s>"
IMAGE_OPEN, IMAGE_CLOSE = "[IMG]", "[/IMG]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture between the lines: the whole image, or the part in `bbox_xyxy_px` of it."""

    bbox_xyxy_px: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Lines of text and pictures in reading order; a picture continues the line before it."""

    template: Template
    parts: tuple[str | Picture, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures in order; the first is the whole image, or the only one that is whole."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    def text(self) -> str:
        """The document as a pre-training text, `<s>` to `</s>`, each picture as an empty `[IMG][/IMG]`."""
        shown = [part if isinstance(part, str) else f"{IMAGE_OPEN}{IMAGE_CLOSE}\n" for part in self.parts]
        return f"{BEGIN}{''.join(shown).strip()}{END}"


def document_of(contents: Contents, template: Template, *, descriptions: bool, crops: int) -> Document:
    """Word `contents` with its first `crops` crops, with or without the labels' descriptions."""
    parts: list[str | Picture] = [f"{TITLE}\n"]
    whole: list[str | Picture] = [PICTURE, Picture()]
    captions = _lines(caption_lines(contents))
    labels = _lines(label_lines(contents, descriptions=descriptions))
    parts += [*whole, captions, labels] if template == "image-first" else [labels, captions, *whole]
    shown = contents.crops[:crops]
    if shown:
        parts.append(f"\n{PARTS}\n")
    for crop in shown:
        picture: list[str | Picture] = [PART_PICTURE, Picture(bbox_xyxy_px=crop.bbox_xyxy_px)]
        words = _lines(part_lines(crop))
        parts += [f"\n{PART}\n", *([*picture, words] if template == "image-first" else [words, *picture])]
    return Document(template=template, parts=tuple(part for part in parts if part != ""))


def caption_lines(contents: Contents) -> list[str]:
    """The caption and the narrative, as far as there are any."""
    return [f"{head}{text}" for head, text in ((CAPTION, contents.caption), (NARRATIVE, contents.narrative)) if text]


def label_lines(contents: Contents, *, descriptions: bool) -> list[str]:
    """Things, properties and relations under their heads."""
    lines: list[str] = []
    groups = (
        ("objects", contents.objects),
        ("attributes", contents.attributes),
        ("relationships", contents.relationships),
    )
    for name, entries in groups:
        if entries:
            told = descriptions and any(entry.description for entry in entries)
            lines += [HEADS[name][told], *(_entry(entry, descriptions=descriptions) for entry in entries)]
    return lines


def part_lines(crop: Crop) -> list[str]:
    """Where a crop lies and what is in it."""
    return [f"{PART_PLACE}{crop.location}", *thing_lines(crop)]


def thing_lines(crop: Crop) -> list[str]:
    """What is in a crop."""
    return [PART_THINGS, *(f"- {label}" for label in crop.labels)]


def _entry(entry: Entry, *, descriptions: bool) -> str:
    related = f" {{{', '.join(entry.related)}}}" if entry.related else ""
    told = f": {entry.description}" if descriptions and entry.description else ""
    return f"- {entry.label}{related}{told}"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
