"""Prompts on SAM: the masks of the published SamPredictor, one encoder pass per picture, bounded memory."""

import re

import numpy as np
import pytest
import torch

from models import registry
from models.errors import BadRegions, NotYet, WeightsMissing
from models.protocols import ProvidedRegion, SegmentRequest
from models.segmenters.installed import Installed
from models.segmenters.sam.embeddings import Embeddings
from models.segmenters.sam.network import SamNetwork, build
from models.segmenters.sam.prompting import along
from models.segmenters.sam.segmenter import LEVELS, PromptableSegmenter
from tests.sam_reference import pictures, random_sam, reference

PICTURE = pictures(1)[0]
HEIGHT, WIDTH = PICTURE.shape[:2]


class Counting(PromptableSegmenter):
    """The segmenter round a given network, counting what the encoder is asked."""

    name = "sam"

    def __init__(self, network: SamNetwork) -> None:
        super().__init__(Installed())
        self.network, self.encoded = network, []

    def load(self, installed: Installed) -> SamNetwork:
        encode = self.network.encode
        counted = replace_encode(self.network)
        counted.encode = lambda images: self.encoded.append(len(images)) or encode(images)
        return counted


def replace_encode(network: SamNetwork) -> SamNetwork:
    """The same weights in another object, whose `encode` may be replaced."""
    return build(network.state_dict())


@pytest.fixture
def counting(small_network: SamNetwork) -> Counting:
    return Counting(small_network)


def prompts(*regions: ProvidedRegion, granularity: int | None = None) -> SegmentRequest:
    return SegmentRequest(provided=regions, granularity=granularity)


def test_points_and_boxes_give_the_predictors_masks(counting):
    predictor = reference().SamPredictor(random_sam(0))
    predictor.set_image(PICTURE)
    points, boxes = [(60.0, 50.0), (210.5, 120.25)], [(20.0, 30.0, 150.0, 160.0), (100.0, 5.0, 290.0, 190.0)]
    found = counting.segment(
        PICTURE,
        prompts(*(ProvidedRegion(point_xy_px=p) for p in points), *(ProvidedRegion(bbox_xyxy_px=b) for b in boxes)),
    )
    expected = []
    for point in points:
        masks, scores, _ = predictor.predict(point_coords=np.array([point]), point_labels=np.array([1]))
        expected.append((masks[scores.argmax()], scores.max()))
    for box in boxes:
        masks, scores, _ = predictor.predict(box=np.array(box), multimask_output=False)
        expected.append((masks[0], scores[0]))
    assert len(found) == 4
    for index, (mask, score) in enumerate(expected):
        mine = found.mask(index)
        assert (mine & mask).sum() / (mine | mask).sum() >= 0.999
        assert found.scores[index] == pytest.approx(np.clip(score, 0, 1), abs=1e-5)


def test_a_second_prompt_on_a_picture_costs_only_the_decoder(counting):
    first = counting.segment(PICTURE, prompts(ProvidedRegion(point_xy_px=(60, 50))))
    counting.segment(PICTURE.copy(), prompts(ProvidedRegion(bbox_xyxy_px=(1, 2, 90, 80))))
    again = counting.segment(PICTURE, prompts(ProvidedRegion(point_xy_px=(60, 50))))
    assert counting.encoded == [1]
    assert again.rles == first.rles
    changed = PICTURE.copy()
    changed[0, 0, 0] ^= 1
    counting.segment(changed, prompts(ProvidedRegion(point_xy_px=(60, 50))))
    assert counting.encoded == [1, 1]


def test_memory_of_embeddings_is_bounded_and_the_oldest_goes(small_network):
    asked = []

    def encode(images):
        asked.extend(image[0, 0, 0] for image in images)
        return small_network.encode(images)

    some = [np.full((20, 20, 3), shade, np.uint8) for shade in range(4)]
    one = small_network.encode(some[:1])[0].bytes
    kept = Embeddings(encode, most_bytes=2 * one)
    for index in (0, 1, 0, 2, 0, 1):
        kept.of([some[index]])
        assert kept.bytes <= 2 * one
    assert asked == [0, 1, 2, 1]
    kept.of([some[3], some[1], some[3]])
    assert asked == [0, 1, 2, 1, 3]


def test_ids_texts_and_clicks_stay_and_what_is_outside_goes(counting):
    found = counting.segment(
        PICTURE,
        prompts(
            ProvidedRegion(id="cup", point_xy_px=(60, 50), text="Tea", role="thing"),
            ProvidedRegion(point_xy_px=(WIDTH + 5, 50)),
            ProvidedRegion(stroke_px=((10, 10), (200, 150))),
            ProvidedRegion(polygon_px=((20, 20, 90, 25, 60, 90),)),
        ),
    )
    assert found.ids == ("cup", "2", "3")
    assert (found.texts[0], found.roles[0]) == ("Tea", "thing")
    assert all(found.area_px(index) for index in range(3))
    inside = found.mask(0)[50, 60]
    assert found.points_xy_px[0] == ((60, 50) if inside else None)
    with pytest.raises(BadRegions, match="region 1"):
        counting.segment(PICTURE, prompts(ProvidedRegion(point_xy_px=(1, 1)), ProvidedRegion(stroke_px=())))


def test_where_nothing_is_found_the_stated_region_stays(counting):
    with torch.no_grad():
        for head in counting.network.mask_decoder.output_hypernetworks_mlps:
            head.layers[-1].weight.zero_()
            head.layers[-1].bias.fill_(0.0)
    try:
        found = counting.segment(PICTURE, prompts(ProvidedRegion(bbox_xyxy_px=(10, 20, 60, 50))))
        assert found.bounds(0) == (10, 20, 60, 50)
    finally:
        counting.network.load_state_dict(build(random_sam(0).state_dict()).state_dict())


def test_levels_choose_among_the_three_outputs(counting):
    point = ProvidedRegion(point_xy_px=(60, 50))
    by_level = [counting.segment(PICTURE, prompts(point, granularity=level)).rles[0]["counts"] for level in range(1, 7)]
    assert by_level[0] == by_level[1] != by_level[2]
    assert by_level[2] == by_level[3] != by_level[4]
    assert by_level[4] == by_level[5]
    assert LEVELS[None].outputs == (1, 2, 3)
    assert [LEVELS[level].points_per_side for level in (1, 2)] == [16, 32]


def test_batches_are_the_single_answers(small_network):
    some = pictures(3)
    batched = [embedding.features[0] for embedding in small_network.encode(some)]
    single = [small_network.encode([picture])[0].features[0] for picture in some]
    for one, other in zip(batched, single, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_bfloat16_runs_and_stays_near(small_network):
    other = build(small_network.state_dict()).in_precision(torch.bfloat16)
    points, labels = np.array([[[60.0, 50.0], [0.0, 0.0]]]), np.array([[1, -1]])
    scores = []
    for network in (small_network, other):
        image = network.prompted(network.encode([PICTURE])[0])
        decoded = image.decode(points, labels)
        assert decoded.scores.dtype == torch.float32
        assert image.masks(decoded, (1, 2, 3)).dtype == torch.float32
        scores.append(decoded.scores)
    assert torch.allclose(scores[0], scores[1], atol=0.1)


def test_stroke_points_are_even_distinct_and_inside():
    points = along(((-50, 10), (350, 10)), (200, 300))
    assert len(points) <= 40
    assert ((points >= 0) & (points < (300, 200))).all()
    assert np.diff(points[:, 0]).std() < 1e-9
    assert along(((5.2, 5.7),), (20, 20)).tolist() == [[5.2, 5.7]]
    assert along(((-9, -9), (-5, -5)), (20, 20)).tolist() == [[0, 0]]


def test_absent_weights_name_the_setting():
    registry.install(Installed())
    with pytest.raises(WeightsMissing, match="MARKWISE_SAM_WEIGHTS") as caught:
        registry.segmenter("sam").segment(PICTURE, SegmentRequest())
    assert caught.value.setting == "MARKWISE_SAM_WEIGHTS"
    for name in registry.weighted_names():
        with pytest.raises(WeightsMissing, match=Installed.setting(name)):
            registry.segmenter(name).segment(PICTURE, SegmentRequest())


def test_other_weights_are_refused(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "other.pth")
    registry.install(Installed(weights={"sam": str(tmp_path / "other.pth")}))
    with pytest.raises(WeightsMissing, match="other weights than a segment-anything network"):
        registry.segmenter("sam").segment(PICTURE, SegmentRequest())
    state = random_sam(0).state_dict()
    del state["mask_decoder.iou_token.weight"]
    with pytest.raises(WeightsMissing, match="lacks parts"):
        build(state)
    registry.install(Installed())


@pytest.mark.parametrize(("name", "closest"), [("seem", "`mask2former`"), ("maskdino", "`mask2former`")])
def test_what_is_not_here_yet_names_the_closest(name, closest):
    with pytest.raises(NotYet, match=f"`{name}` is not available yet; .*{closest}"):
        registry.segmenter(name)


def test_a_checkpoint_file_is_enough(tmp_path):
    torch.save(random_sam(0).state_dict(), tmp_path / "small.pth")
    registry.install(Installed(weights={"sam": str(tmp_path / "small.pth")}))
    segmenter = registry.segmenter("sam")
    assert re.fullmatch("1[+]small-[0-9a-f]{12}", segmenter.version)
    one, two = (segmenter.segment(PICTURE, prompts(ProvidedRegion(point_xy_px=(60, 50)))) for _ in range(2))
    assert one.rles == two.rles
    registry.install(Installed())
