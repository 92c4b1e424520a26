"""Square crops, merged labels and the nine places: the paper's numbers, and geometry that holds for any box."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.facts import Box, ImageFacts, ObjectFact
from models.writers.mmgic import crops
from models.writers.mmgic.crops import crops_of, from_canvas, ioa, location_of, on_canvas, square_round

SIDE = st.floats(0, 224)


def facts(*boxes: tuple[str, Box], size_hw: tuple[int, int] = (224, 224), crowd: bool = False) -> ImageFacts:
    return ImageFacts(
        size_hw=size_hw,
        objects=tuple(
            ObjectFact(id=str(n), label=label, bbox_xyxy_px=box, crowd=crowd) for n, (label, box) in enumerate(boxes)
        ),
    )


def test_the_papers_numbers() -> None:
    assert (crops.CANVAS_PX, crops.MIN_EDGE_PX, crops.MAX_EDGE_PX, crops.MIN_IOA) == (224, 28, 182, 0.8)
    assert [word for row in crops.LOCATIONS for word in row] == [
        *("Top Left", "Top Middle", "Top Right"),
        *("Middle Left", "Center", "Middle Right"),
        *("Bottom Left", "Bottom Middle", "Bottom Right"),
    ]


@given(SIDE, SIDE, SIDE, SIDE)
def test_the_square_contains_the_box_lies_inside_and_is_as_central_as_can_be(
    x0: float, x1: float, y0: float, y1: float
) -> None:
    left, right, top, bottom = *sorted((x0, x1)), *sorted((y0, y1))
    assume(left < right and top < bottom)
    box = (left, top, right, bottom)
    square = square_round(box)
    edge = max(right - left, bottom - top)
    assert all(edge <= side for edge, side in zip(square[:2], box[:2], strict=True))
    assert all(edge >= side for edge, side in zip(square[2:], box[2:], strict=True))
    assert all(0.0 <= edge <= 224.0 for edge in square)
    assert square[2] - square[0] == pytest.approx(edge, abs=1e-6)
    assert square[3] - square[1] == pytest.approx(edge, abs=1e-6)
    for low, high, low_box, high_box in (
        (square[0], square[2], left, right),
        (square[1], square[3], top, bottom),
    ):
        shift = (low + high) / 2 - (low_box + high_box) / 2
        at_edge = low < 1e-6 if shift > 0 else high > 224 - 1e-6
        assert abs(shift) < 1e-6 or at_edge, "moved off the box's centre although no edge asked for it"


@pytest.mark.parametrize(
    ("edge", "kept"), [(27.9, False), (28.0, True), (100.0, True), (182.0, True), (182.1, False), (224.0, False)]
)
def test_edges_from_28_to_182_stay(edge: float, kept: bool) -> None:
    assert bool(crops_of(facts(("dog", (0.0, 10.0, edge, 30.0))))) is kept


def test_edges_are_measured_on_the_squeezed_image() -> None:
    (crop,) = crops_of(facts(("dog", (0.0, 0.0, 100.0, 40.0)), size_hw=(224, 448)))
    assert crop.square_xyxy_canvas_px == (0.0, 0.0, 50.0, 50.0)
    assert crop.bbox_xyxy_px == (0.0, 0.0, 100.0, 50.0)


@pytest.mark.parametrize(("right", "joins"), [(120.0, True), (120.1, False)])
def test_an_object_joins_from_eight_tenths_of_its_area(right: float, joins: bool) -> None:
    inside = (20.0, 40.0, right, 60.0)  # the crop ends at 100
    (first, *_) = crops_of(facts(("table", (0.0, 0.0, 100.0, 100.0)), ("cup", inside)))
    assert ioa(first.square_xyxy_canvas_px, inside) == pytest.approx(80.0 / (right - 20.0))
    assert ("cup" in first.labels) is joins


@given(SIDE, SIDE, SIDE, SIDE)
def test_ioa_is_a_share_of_the_boxs_own_area(x0: float, x1: float, y0: float, y1: float) -> None:
    left, right, top, bottom = *sorted((x0, x1)), *sorted((y0, y1))
    assume(right - left > 1e-3 and bottom - top > 1e-3)
    box = (left, top, right, bottom)
    assert 0.0 <= ioa((50.0, 50.0, 120.0, 120.0), box) <= 1.0 + 1e-9
    assert ioa((0.0, 0.0, 224.0, 224.0), box) == pytest.approx(1.0)
    assert ioa(square_round(box), box) == pytest.approx(1.0)


def test_labels_and_crops_stand_once_and_the_own_label_first() -> None:
    box, inside = (10.0, 10.0, 110.0, 110.0), (20.0, 20.0, 30.0, 30.0)
    found = crops_of(
        facts(("cup", inside), ("Cup", inside), ("table", box), ("table", box), ("mat", (10.0, 10.0, 110.2, 110.2)))
    )
    assert [crop.labels for crop in found] == [("table", "cup", "mat")]


def test_a_group_lends_its_label_but_gets_no_crop() -> None:
    group = facts(("people", (10.0, 10.0, 100.0, 100.0)), crowd=True).objects
    dog = ObjectFact(id="dog", label="dog", bbox_xyxy_px=(5.0, 5.0, 115.0, 115.0))
    (crop,) = crops_of(ImageFacts(size_hw=(224, 224), objects=(*group, dog)))
    assert (crop.object_id, crop.labels) == ("dog", ("dog", "people"))


@pytest.mark.parametrize(
    ("centre", "word"),
    [
        ((10, 10), "Top Left"),
        ((112, 10), "Top Middle"),
        ((220, 10), "Top Right"),
        ((10, 112), "Middle Left"),
        ((112, 112), "Center"),
        ((220, 112), "Middle Right"),
        ((10, 220), "Bottom Left"),
        ((112, 220), "Bottom Middle"),
        ((220, 220), "Bottom Right"),
        ((74.6, 149.3), "Middle Left"),
        ((74.7, 149.4), "Bottom Middle"),
        ((224, 224), "Bottom Right"),
    ],
)
def test_the_nine_places(centre: tuple[float, float], word: str) -> None:
    x, y = centre
    assert location_of((x, y, x, y)) == word


@given(st.tuples(st.integers(1, 2000), st.integers(1, 2000)), st.tuples(SIDE, SIDE, SIDE, SIDE))
def test_canvas_and_image_are_the_same_place(size_hw: tuple[int, int], values: tuple[float, ...]) -> None:
    left, right, top, bottom = *sorted(values[:2]), *sorted(values[2:])
    assume(right - left > 1e-6 and bottom - top > 1e-6)
    box = (left, top, right, bottom)
    assert on_canvas(from_canvas(box, size_hw), size_hw) == pytest.approx(box, abs=1e-6)


def test_a_box_outside_the_image_is_none() -> None:
    assert on_canvas((300.0, 10.0, 400.0, 20.0), (224, 224)) is None
    assert on_canvas((10.0, 10.0, 10.0, 20.0), (224, 224)) is None
