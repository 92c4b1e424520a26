"""An overlay in another style: the same ids, and labels that look for quiet ground."""

from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from app.catalog.marks import StoredMark, stored_mark
from app.catalog.tables import MarkSetRow
from app.errors import Unprocessable
from app.services.overlays import restyled
from models.marks import Previous, mark, place
from models.regions import Regions


def line_of_text() -> NDArray[np.uint8]:
    """A link in a line of text, and another line above: beside the link there is no free ground."""
    image = np.full((200, 300, 3), 255, np.uint8)
    image[60:76, 20:280:2] = 0
    image[40:56, 20:280:2] = 0
    return image


def stored(image: NDArray[np.uint8]) -> tuple[MarkSetRow, list[StoredMark], Previous]:
    regions = Regions.from_boxes((200, 300), [[100, 60, 160, 76]], texts=["link"], roles=["link"])
    _, marking = mark(image, regions)
    marks = [stored_mark(found, regions) for found in marking.marks]
    row = MarkSetRow(id=uuid4(), style="markwise", settings={"style": "markwise"}, omitted_regions=0)
    return row, marks, Previous(regions=regions, marking=marking)


def test_labels_of_another_style_keep_off_the_text_as_well() -> None:
    image = line_of_text()
    row, marks, previous = stored(image)
    seeing = place(previous.regions, "markwise", previous=previous, image=image).marks[0].label_bbox_xyxy_px
    assert seeing != place(previous.regions, "markwise", previous=previous).marks[0].label_bbox_xyxy_px
    painted = (restyled(image, row, marks, "markwise") != image).any(axis=2)
    x0, y0, x1, y1 = map(round, seeing)
    assert painted[y0:y1, x0:x1].mean() > 0.9  # the digits may be of the ground's colour
    assert (image[y0:y1, x0:x1] == 255).mean() > 0.9


def test_an_unknown_style_is_a_sentence() -> None:
    image = line_of_text()
    row, marks, _ = stored(image)
    with pytest.raises(Unprocessable):
        restyled(image, row, marks, "baroque")
