"""The `semantic-sam` segmenter: levels and sets of them, clicks, boxes and strokes, one encoder pass per picture."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from models import registry, rle
from models.errors import BadInput, BadRegions, WeightsMissing
from models.protocols import ProvidedRegion, SegmentRequest
from models.segmenters.installed import Installed
from models.segmenters.semantic_sam import everything, segmenter
from models.segmenters.semantic_sam import network as network_module
from models.segmenters.semantic_sam.clicking import Clicked, chosen, click, distinct
from models.segmenters.semantic_sam.deformable import sampled_by_grid, sampled_by_rows
from models.segmenters.semantic_sam.levels import SLOT_OF_LEVEL, level_set
from models.segmenters.semantic_sam.network import PromptedPicture
from models.segmenters.semantic_sam.picture import padded_size, seen_size
from models.segmenters.semantic_sam.segmenter import SemanticSamSegmenter
from tests.unit.models.segmenters.semantic_sam import frozen

PICTURE = frozen.picture()
HEIGHT, WIDTH = PICTURE.shape[:2]


@pytest.fixture
def small(monkeypatch):
    """The segmenter on the frozen network at a short side of 100 and a coarse, lenient grid."""
    network = frozen.network()
    network.short_px = 100
    network.encoded = []
    encode = network.encode
    network.encode = lambda images: network.encoded.append(len(images)) or encode(images)
    monkeypatch.setattr(segmenter, "load", lambda installed: network)
    lenient = everything.Everything

    def settings(levels):
        return lenient(levels=levels, points_per_side=4, score_min=-10, stability_min=0.5, most_iou=0.99)

    monkeypatch.setattr(everything, "Everything", settings)
    made = SemanticSamSegmenter(Installed())
    made.network = network
    return made


def asked(*regions: ProvidedRegion, granularity: int | None = None) -> SegmentRequest:
    return SegmentRequest(provided=regions, granularity=granularity)


def test_each_level_finds_its_own_masks_and_a_set_finds_those_of_its_levels(small, monkeypatch):
    by_level = {level: small.segment(PICTURE, SegmentRequest(granularity=level)) for level in range(1, 7)}
    assert all(found.size_hw == (HEIGHT, WIDTH) for found in by_level.values())
    assert len({found.rles[0]["counts"] for found in by_level.values() if len(found)}) > 1
    seen = []
    find = everything.find_everything
    monkeypatch.setattr(
        everything, "find_everything", lambda picture, given: seen.append(given.levels) or find(picture, given)
    )
    small.segment(PICTURE, SegmentRequest(levels=(6, 1)))
    small.segment(PICTURE, SegmentRequest())
    assert seen == [(6, 1), (1, 2, 3, 4, 5, 6)]
    assert small.network.encoded == [1]


@pytest.mark.parametrize("levels", [(), (0,), (7,), (2, 2)])
def test_a_set_of_levels_holds_different_ones_from_1_to_6(levels):
    with pytest.raises(BadInput, match="different numbers from 1"):
        level_set(levels)


def test_a_click_asks_alone_and_takes_the_level_or_the_surest_of_six(small):
    point, other = ProvidedRegion(id="a", point_xy_px=(30, 40), text="Tea"), ProvidedRegion(point_xy_px=(100, 20))
    alone, together = small.segment(PICTURE, asked(point)), small.segment(PICTURE, asked(point, other))
    assert together.rles[0] == alone.rles[0]
    assert (together.ids, together.texts) == (("a", "1"), ("Tea", None))
    with torch.no_grad():
        picture = small.network.prompted(small.network.encode([PICTURE])[0])
        masks = click(picture, (30 / WIDTH, 40 / HEIGHT))
    assert [SLOT_OF_LEVEL[mask.level] for mask in masks] == list(range(6))
    by_level = [small.segment(PICTURE, asked(point, granularity=level)).scores[0] for level in range(1, 7)]
    expected = [np.clip(masks[SLOT_OF_LEVEL[level]].score, 0, 1) for level in range(1, 7)]
    assert by_level == pytest.approx(expected, abs=1e-5)
    assert alone.scores[0] == pytest.approx(np.clip(max(mask.score for mask in masks), 0, 1), abs=1e-5)
    assert small.network.encoded == [1, 1]  # the cache's, and the one above


def test_boxes_strokes_and_outlines_are_answered_and_what_cannot_be_meant_is_refused(small):
    regions = (
        ProvidedRegion(bbox_xyxy_px=(10, 10, 60, 70)),
        ProvidedRegion(stroke_px=((5, 5), (100, 80))),
        ProvidedRegion(polygon_px=((20, 20, 90, 25, 60, 80),)),
        ProvidedRegion(point_xy_px=(WIDTH + 3, 4)),
    )
    found = small.segment(PICTURE, asked(*regions))
    assert found.ids == ("0", "1", "2")
    assert all(found.area_px(index) for index in range(3))
    with pytest.raises(BadRegions, match="region 1"):
        small.segment(PICTURE, asked(regions[0], ProvidedRegion(stroke_px=())))


def test_pictures_in_one_call_are_answered_as_alone(small):
    others = [PICTURE, PICTURE[::-1].copy(), PICTURE[:60].copy()]
    together = small.network.encode(others)
    for picture, embedding in zip(others, together, strict=True):
        for one, other in zip(embedding.features, small.network.encode([picture])[0].features, strict=True):
            assert torch.allclose(one, other, atol=1e-4)
    batch = small.segment_batch(others, SegmentRequest(granularity=2))
    assert [found.rles for found in batch] == [
        small.segment(item, SegmentRequest(granularity=2)).rles for item in others
    ]


class Counted:
    """A picture that counts the masks it is asked for."""

    def __init__(self, picture: PromptedPicture) -> None:
        self.size_hw, self.stride, self.made = picture.size_hw, picture.stride, 0
        self._picture = picture

    def ask(self, points: torch.Tensor) -> "Counted":
        self._answers = self._picture.ask(points)
        self.scores = self._answers.scores
        return self

    def logits(self, clicks: torch.Tensor, slots: torch.Tensor) -> torch.Tensor:
        self.made += len(clicks)
        return self._answers.logits(clicks, slots)


def test_only_masks_that_are_sure_are_made(small):
    with torch.no_grad():
        picture = Counted(small.network.prompted(small.network.encode([PICTURE])[0]))
        scores = picture.ask(torch.rand(9, 2)).scores
        everything.find_everything(picture, replace(frozen.SETTINGS, score_min=float(scores.max()) + 10))
        assert picture.made == 0
        everything.find_everything(picture, frozen.SETTINGS)
        assert picture.made == 25 * 3


def test_bfloat16_stays_near(small):
    exact = small.network.encode([PICTURE])[0]
    rounded = frozen.network().in_precision(torch.bfloat16)
    rounded.short_px = 100
    near = rounded.encode([PICTURE])[0]
    points = torch.tensor(frozen.POINTS)
    with torch.no_grad():
        scores = [net.prompted(item).ask(points).scores for net, item in ((small.network, exact), (rounded, near))]
    assert all(item.dtype == torch.float32 for item in near.features)
    assert torch.allclose(scores[0], scores[1], atol=0.1)


def test_rows_and_grids_sample_alike_also_far_outside():
    torch.manual_seed(4)
    sizes = [(5, 7), (3, 4), (1, 2)]
    values = torch.randn(2, 35 + 12 + 2, 4, 6)
    places = torch.rand(2, 9, 4, 3, 5, 2) * 6 - 2.5
    places[0, 0] = torch.tensor([1.0, 1.0])
    places[0, 1] = torch.tensor([0.0, 0.0])
    places[0, 2] = torch.tensor([1e4, -1e4])
    weights = torch.rand(2, 9, 4, 15).softmax(-1)
    assert torch.allclose(
        sampled_by_rows(values, places, weights, sizes), sampled_by_grid(values, places, weights, sizes), atol=1e-5
    )


@pytest.mark.parametrize(
    ("size_hw", "seen"),
    [
        ((480, 640), (640, 853)),
        ((1000, 700), (914, 640)),
        ((640, 640), (640, 640)),
        ((3, 500), (15, 2560)),
        ((1, 1), (640, 640)),
    ],
)
def test_the_short_side_becomes_640_and_strips_stay_within_bounds(size_hw, seen):
    assert seen_size(size_hw) == seen
    assert all(side % 32 == 0 for side in padded_size(seen))


def square(x0: int, y0: int, side: int, score: float, level: int = 1) -> Clicked:
    mask = np.zeros((50, 60), np.bool_)
    mask[y0 : y0 + side, x0 : x0 + side] = True
    return Clicked(runs=rle.encode(mask, (0, 0), (50, 60)), score=score, level=level)


def test_a_clicks_masks_are_shown_surest_first_without_copies_and_doubtful_ones():
    large, copy, small_one, doubtful = (
        square(5, 5, 40, 0.9),
        square(5, 5, 40, 0.8),
        square(10, 10, 12, 1.1),
        square(30, 20, 15, 0.4),
    )
    shown = distinct([large, copy, small_one, doubtful], (50, 60))
    assert [mask.score for mask in shown] == [1.1, 0.9]
    assert len(distinct([doubtful], (50, 60))) == 1


def test_a_stroke_takes_the_mask_that_holds_it():
    inner, outer = square(10, 10, 12, 0.9, level=6), square(5, 5, 40, 0.7, level=1)
    hits = np.array([[12.0, 12.0], [30.0, 30.0], [40.0, 40.0]])
    assert chosen([inner, outer], None, hits, (50, 60)) is outer
    assert chosen([inner, outer], None, hits[:1], (50, 60)) is inner
    assert chosen([inner, outer], 6, hits, (50, 60)) is inner


def test_random_weights_run_only_where_they_are_named_and_say_so(caplog):
    registry.install(Installed())
    with pytest.raises(WeightsMissing, match="MARKWISE_SEMANTIC_SAM_WEIGHTS") as caught:
        registry.segmenter("semantic-sam").segment(PICTURE, SegmentRequest())
    assert caught.value.setting == "MARKWISE_SEMANTIC_SAM_WEIGHTS"
    assert registry.segmenter("semantic-sam").version == "1+none"
    registry.install(Installed(weights={"semantic-sam": "random-small"}))
    with caplog.at_level(logging.WARNING):
        network = segmenter.load(Installed(weights={"semantic-sam": "random-small"}))
    assert "random weights (random-small)" in caplog.text
    assert network.short_px == 640
    assert registry.segmenter("semantic-sam").version.startswith("1+random-small-")
    registry.install(Installed())


def test_a_checkpoint_file_is_enough_and_is_read_once(tmp_path, monkeypatch):
    file = tmp_path / "swint.pth"
    torch.save({"model": frozen.state()}, file)
    monkeypatch.setattr(network_module, "SHORT_PX", 64)
    registry.install(Installed(weights={"semantic-sam": str(file)}))
    made = registry.segmenter("semantic-sam")
    first = made.segment(PICTURE, asked(ProvidedRegion(point_xy_px=(30, 40))))
    file.unlink()
    again = made.segment(PICTURE, asked(ProvidedRegion(point_xy_px=(30, 40))))
    assert first.rles == again.rles
    assert made.everything(PICTURE, (1,)).size_hw == (64, 85)
    registry.install(Installed())
