"""Facts become regions: every object once, with its outline, its name and its id."""

import numpy as np
import pytest
from pycocotools import mask as coco

from models.errors import BadRegions
from models.facts import ImageFacts, ObjectFact
from models.sources.regions import regions_of

SIZE = (40, 60)


def facts(*objects: ObjectFact) -> ImageFacts:
    return ImageFacts(size_hw=SIZE, objects=objects)


def test_outlines_boxes_and_both_spellings_of_run_lengths() -> None:
    drawn = np.zeros(SIZE, np.uint8, order="F")
    drawn[5:15, 10:30] = 1
    packed = coco.encode(drawn)
    flat = drawn.flatten(order="F")
    counts = np.diff(np.concatenate(([0], np.flatnonzero(np.diff(flat)) + 1, [flat.size]))).tolist()
    box = (10.0, 5.0, 30.0, 15.0)
    regions = regions_of(
        facts(
            ObjectFact(id="a", label="sign", bbox_xyxy_px=box),
            ObjectFact(id="b", label="cat", bbox_xyxy_px=box, outline=[[10, 5, 30, 5, 30, 15, 10, 15]]),
            ObjectFact(
                id="c", label="dog", bbox_xyxy_px=box, outline={"size": [40, 60], "counts": packed["counts"].decode()}
            ),
            ObjectFact(id="d", label="crowd", bbox_xyxy_px=box, outline={"size": [40, 60], "counts": counts}),
        )
    )
    assert regions.ids == ("a", "b", "c", "d")
    assert regions.texts == ("sign", "cat", "dog", "crowd")
    assert [regions.area_px(index) for index in range(4)] == [200] * 4
    assert regions.rles[2]["counts"] == regions.rles[3]["counts"] == packed["counts"].decode()
    assert regions.boxes_xyxy_px.tolist() == [list(box)] * 4


def test_what_lies_outside_is_left_out_and_no_object_is_no_region() -> None:
    outside = ObjectFact(id="1", label="x", bbox_xyxy_px=(70.0, 0.0, 80.0, 10.0))
    inside = ObjectFact(id="2", label="y", bbox_xyxy_px=(50.0, 0.0, 80.0, 10.0))
    assert regions_of(facts(outside, inside)).ids == ("2",)
    assert len(regions_of(facts())) == 0


@pytest.mark.parametrize(
    "outline",
    [
        [[1.0, 2.0, 3.0]],
        {"size": [40, 60]},
        {"size": [40, 60], "counts": [10, 20]},
        {"size": [40, 60], "counts": [-1, 2401]},
        {"size": [40, 60], "counts": []},
        {"size": [1, 2], "counts": "1"},
    ],
)
def test_an_outline_that_cannot_be_meant_names_its_object(outline: object) -> None:
    broken = ObjectFact(id="77", label="cup", bbox_xyxy_px=(0, 0, 9, 9), outline=outline)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(BadRegions, match="object 77"):
        regions_of(facts(broken))
