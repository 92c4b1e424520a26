"""An accessibility tree and pixels together: the tree wins, pixels add what it lacks."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models.protocols import ProvidedRegion, SegmentRequest
from models.regions import Regions
from models.segmenters.fused import FusedGuiSegmenter, fuse
from models.segmenters.gui import GuiSegmenter
from tests.unit.models.segmenters.screenshot import Screen

SIZE_HW = (200, 400)


def regions(*items):
    boxes, roles, texts, ids = zip(*items, strict=True) if items else ((), (), (), ())
    return Regions.from_boxes(SIZE_HW, list(boxes), roles=roles, texts=texts, ids=ids)


def kept(stated, *boxes):
    """Which seen boxes are added to one stated region (box, role)."""
    seen = regions(*((box, "text", "seen", str(i)) for i, box in enumerate(boxes)))
    return [name.removeprefix("pixel-") for name in fuse(regions((*stated, None, "s")), seen).ids[1:]]


def test_what_the_tree_has_is_not_marked_again():
    button = ((100, 50, 200, 90), "button")
    same, its_text, round_it = (102, 52, 203, 91), (120, 60, 180, 80), (90, 40, 380, 100)
    beside, touching = (210, 50, 300, 90), (180, 60, 280, 80)
    assert kept(button, same, its_text, round_it, beside, touching) == ["3", "4"]


def test_pictures_and_canvases_keep_what_is_seen_in_them():
    inside, same = (120, 60, 160, 80), (100, 50, 300, 190)
    assert kept(((100, 50, 300, 190), "canvas"), inside, same) == ["0"]
    assert kept(((100, 50, 300, 190), "image"), inside, same) == ["0"]
    assert kept(((100, 50, 300, 190), "listitem"), inside, same) == []
    assert kept(((110, 55, 165, 85), "image"), inside) == []  # an icon is one thing


def test_a_nameless_control_takes_the_text_that_is_read_on_it():
    stated = regions(((100, 50, 200, 90), "button", None, "b"), ((0, 0, 50, 50), "image", None, "i"))
    seen = regions(((110, 60, 140, 80), "text", "Sign", "0"), ((150, 60, 190, 80), "text", "in", "1"))
    assert fuse(stated, seen).texts == ("Sign in", None)
    named = regions(((100, 50, 200, 90), "button", "Log in", "b"))
    assert fuse(named, seen).texts == ("Log in",)


boxes = st.tuples(st.integers(0, 350), st.integers(0, 150), st.integers(1, 200), st.integers(1, 100)).map(
    lambda b: (b[0], b[1], min(b[0] + b[2], 400), min(b[1] + b[3], 200))
)
roles = st.sampled_from(("button", "canvas", "image", "text", None))


@settings(deadline=None)
@given(st.lists(st.tuples(boxes, roles, st.none() | st.just("x")), max_size=6), st.lists(boxes, max_size=6))
def test_stated_regions_stay_whole_and_first_whatever_is_seen(stated, seen):
    given_ids = [f"pixel-{i}" for i in range(len(stated))]  # a caller may use our names
    one = regions(*((*item, name) for item, name in zip(stated, given_ids, strict=True)))
    other = regions(*((box, "text", "t", str(i)) for i, box in enumerate(seen)))
    both = fuse(one, other)
    assert both.rles[: len(one)] == one.rles
    assert both.roles[: len(one)] == one.roles
    assert list(both.ids[: len(one)]) == given_ids or not len(one)
    assert len(set(both.ids)) == len(both)
    assert all(item in other.rles for item in both.rles[len(one) :])


def test_a_screen_with_a_canvas_is_marked_from_both():
    screen = Screen()
    screen.button((40, 40, 160, 72), "Save file")
    screen.pen.rectangle((40, 120, 400, 300), fill=(240, 240, 240))
    screen.button((80, 160, 200, 192), "Play")
    tree = {
        "role": "main",
        "children": [
            {"role": "button", "name": "Save", "id": "s", "bbox": [39, 39, 162, 74]},
            {"role": "canvas", "id": "c", "bbox": [40, 120, 400, 300]},
        ],
    }
    segmenter = FusedGuiSegmenter(GuiSegmenter(screen))
    found = segmenter.segment(screen.image, SegmentRequest(accessibility_tree=tree))
    assert found.ids[:2] == ("s", "c")
    assert (found.roles[0], found.texts[0]) == ("button", "Save")
    assert "Play" in found.texts[2:]
    assert "Save file" not in found.texts
    stated = SegmentRequest(provided=(ProvidedRegion(id="mine", bbox_xyxy_px=(1, 1, 5, 5)),))
    assert segmenter.segment(screen.image, stated).ids[0] == "mine"
    plain = segmenter.segment(screen.image, SegmentRequest())
    assert plain.rles == GuiSegmenter(screen).segment(screen.image, SegmentRequest()).rles
