"""What every segmenter promises, the fake one included."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from models import registry
from models.drawings import scene
from models.errors import BadInput
from models.protocols import ProvidedRegion, SegmentRequest
from models.regions import Regions
from models.segmenters.installed import Installed
from tests.sam_reference import random_sam

IMAGE = scene(1_000_007).image
REQUEST = SegmentRequest(provided=(ProvidedRegion(id="a", bbox_xyxy_px=(3, 4, 50, 60)),))
# Those with weights keep the same promises (tests/unit/models/segmenters/sam); `sam` stands for them here.
NAMES = [name for name in registry.segmenter_names() if name not in registry.weighted_names()] + ["sam"]


@pytest.fixture(scope="module", autouse=True)
def _small_sam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    file = tmp_path_factory.mktemp("sam") / "small.pth"
    torch.save(random_sam(0).state_dict(), file)
    registry.install(Installed(weights={"sam": str(file)}))
    yield
    registry.install(Installed())


@pytest.mark.parametrize("name", NAMES)
def test_segmenting_twice_gives_the_same_regions_inside_the_frame(name):
    segmenter = registry.segmenter(name)
    one, two = (segmenter.segment(IMAGE.copy(), REQUEST) for _ in range(2))
    assert isinstance(one, Regions)
    assert one.size_hw == IMAGE.shape[:2]
    assert len(one) > 0
    assert len(set(one.ids)) == len(one)
    assert all(one.area_px(i) > 0 for i in range(len(one)))
    assert one.rles == two.rles
    assert (segmenter.name, segmenter.version) == (name, registry.segmenter(name).version)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 500, 3), (9, 7, 3)])
def test_the_smallest_pictures_do_no_harm(name, shape):
    request = SegmentRequest(provided=(ProvidedRegion(bbox_xyxy_px=(0, 0, 1, 1)),))
    assert registry.segmenter(name).segment(np.full(shape, 200, np.uint8), request).size_hw == shape[:2]


def test_a_name_gives_one_object_and_an_unknown_name_a_clear_error():
    assert registry.segmenter("fake") is registry.segmenter("fake")
    with pytest.raises(BadInput, match='unknown segmenter "yolo"; known are auto, gui'):
        registry.segmenter("yolo")


def test_auto_prefers_what_the_caller_states():
    assert registry.choose_segmenter("auto", IMAGE, REQUEST) == "provided"
    assert registry.choose_segmenter("auto", IMAGE, SegmentRequest()) == "regions"
    assert registry.choose_segmenter("gui", IMAGE, REQUEST) == "gui"


TREE = {"role": "main", "bbox": [0, 0, 90, 90], "children": [{"role": "button", "name": "A", "bbox": [0, 0, 9, 9]}]}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ([], "provided"),
        ([{"role": "canvas", "bbox": [0, 0, 200, 200]}], "gui"),
        ([{"role": "canvas", "bbox": [0, 0, 20, 20]}], "provided"),
        ([{"role": "iframe", "bbox": [0, 0, 200, 200]}], "gui"),
        ([{"role": "iframe", "bbox": [0, 0, 200, 200], "children": [{"role": "text"}]}], "provided"),
        ([{"role": "img", "name": "A loaf", "bbox": [0, 0, 200, 200]}], "provided"),
    ],
)
def test_auto_reads_pixels_too_where_the_tree_is_blind(extra, expected):
    tree = TREE | {"children": TREE["children"] + extra}
    assert registry.choose_segmenter("auto", IMAGE, SegmentRequest(accessibility_tree=tree)) == expected


def test_auto_with_a_tree_that_tells_nothing_reads_pixels():
    assert registry.choose_segmenter("auto", IMAGE, SegmentRequest(accessibility_tree={"role": "main"})) == "gui"
    empty = {"role": "WebArea", "name": "New tab", "children": [{"role": "main"}]}
    assert registry.choose_segmenter("auto", IMAGE, SegmentRequest(accessibility_tree=empty)) == "gui"
    both = SegmentRequest(accessibility_tree={"role": "main"}, provided=REQUEST.provided)
    assert registry.choose_segmenter("auto", IMAGE, both) == "provided"
