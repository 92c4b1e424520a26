"""The marked pictures of a dataset as one COCO document, in pieces: each mark is an object, named as its listing names it.

For detectors: pictures are the plain ones, marks of texts that are no listing keep their own names. `app.formats.coco` says
what an annotation holds. Knows no catalog: marked pictures come in.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from app.formats.coco import write_coco
from models.regions import Regions


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedPicture:
    """The regions of one mark set in mark order, and the names that a listing gives its marks, where there is one."""

    file_name: str
    regions: Regions
    marks: tuple[str, ...]
    names: dict[str, str]

    def document(self) -> dict[str, Any]:
        """The COCO document of this picture alone."""
        texts = tuple(self.names.get(mark, text) for mark, text in zip(self.marks, self.regions.texts, strict=True))
        return write_coco(replace(self.regions, texts=texts), self.marks, self.file_name)


def coco_text(pictures: Callable[[], Iterator[MarkedPicture]]) -> Iterator[str]:
    """One document of all pictures; they are read twice, images first, so that nothing is held but the categories."""
    yield '{"info":{"description":"a Markwise dataset"},"images":['
    for number, picture in enumerate(pictures(), 1):
        height, width = picture.regions.size_hw
        image = {"id": number, "file_name": picture.file_name, "height": height, "width": width}
        yield ("," if number > 1 else "") + json.dumps(image)
    yield '],"annotations":['
    categories: dict[str, int] = {}
    count = 0
    for number, picture in enumerate(pictures(), 1):
        document = picture.document()
        names = {entry["id"]: entry["name"] for entry in document["categories"]}
        for entry in document["annotations"]:
            count += 1
            category = categories.setdefault(names[entry["category_id"]], len(categories) + 1)
            annotation = {**entry, "id": count, "image_id": number, "category_id": category}
            yield ("," if count > 1 else "") + json.dumps(annotation)
    listed = [{"id": number, "name": name} for name, number in categories.items()]
    yield f'],"categories":{json.dumps(listed)}}}\n'
