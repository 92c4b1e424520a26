"""Deliberate mistakes, each of which somebody porting Semantic-SAM could make: every one turns a parity test red.

Each is put into our own network from outside, and the checks of `test_parity` and of the frozen outputs must notice.
"""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.segmenters.semantic_sam import candidates as candidates_module
from models.segmenters.semantic_sam import cleaning, decoder, deformable, everything, pixel_decoder, swin
from models.segmenters.semantic_sam import network as network_module
from models.segmenters.semantic_sam.network import SemanticSam
from tests import semantic_sam_reference as reference
from tests.unit.models.segmenters.semantic_sam import frozen
from tests.unit.models.segmenters.semantic_sam.test_parity import Stated, records, settings_of

Patch = pytest.MonkeyPatch


class Wrapped(nn.Module):
    """A module whose input and output are changed; attributes are the inner one's."""

    def __init__(
        self, inner: nn.Module, before: Callable = lambda x: x, after: Callable[[Tensor], Tensor] = lambda x: x
    ) -> None:
        super().__init__()
        self.inner, self.before, self.after = inner, before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.inner(self.before(x)))


class EverySecond(nn.Module):
    """Passes on what it is given every second time."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.calls = inner, 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.inner(x) if self.calls % 2 else x


class ClicksApart(nn.Module):
    """Self-attention in which the six queries of a click see only each other."""

    def __init__(self, inner: nn.MultiheadAttention) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, query: Tensor, key: Tensor, value: Tensor, need_weights: bool) -> tuple[Tensor, None]:
        click = torch.arange(query.shape[1]) // 6
        return self.inner(query, key, value, attn_mask=click[:, None] != click[None], need_weights=need_weights)


def norm_once(patch: Patch, net: SemanticSam) -> None:
    predictor = net.sem_seg_head.predictor
    predictor.decoder_norm = EverySecond(predictor.decoder_norm)


def boxes_from_normed_queries(patch: Patch, net: SemanticSam) -> None:
    predictor = net.sem_seg_head.predictor
    for index, head in enumerate(predictor.decoder.bbox_embed):
        predictor.decoder.bbox_embed[index] = Wrapped(head, before=predictor.decoder_norm)


def memory_from_fine_to_coarse(patch: Patch, net: SemanticSam) -> None:
    prepare = decoder.Decoder.memory
    patch.setattr(decoder.Decoder, "memory", lambda self, maps: prepare(self, list(reversed(maps))))


def no_mask_at_the_seam(patch: Patch, net: SemanticSam) -> None:
    split = swin.split_by_shift
    patch.setattr(swin, "split_by_shift", lambda *given: torch.zeros_like(split(*given)))


def windows_not_shifted(patch: Patch, net: SemanticSam) -> None:
    for stage in net.backbone.layers:
        for block in stage.blocks:
            block.shift = 0


def padded_before_the_norm(patch: Patch, net: SemanticSam) -> None:
    for stage in net.backbone.layers:
        for block in stage.blocks:
            window = block.window
            block.norm1 = Wrapped(
                block.norm1,
                before=lambda x, w=window: functional.pad(x, (0, 0, 0, -x.shape[2] % w, 0, -x.shape[1] % w)),
            )


def neighbours_along_rows_first(patch: Patch, net: SemanticSam) -> None:
    for stage in net.backbone.layers[:-1]:
        merging = stage.downsample
        width = len(merging.norm.weight) // 4
        order = torch.arange(4 * width).view(4, width)[[0, 2, 1, 3]].flatten()
        merging.norm.weight = nn.Parameter(merging.norm.weight[order])
        merging.norm.bias = nn.Parameter(merging.norm.bias[order])
        merging.reduction.weight = nn.Parameter(merging.reduction.weight[:, order])


def relative_places_transposed(patch: Patch, net: SemanticSam) -> None:
    places = swin.relative_places
    patch.setattr(swin, "relative_places", lambda window: places(window).t())


def approximate_gelu(patch: Patch, net: SemanticSam) -> None:
    # 3e-4 of each activation; with the deep maps of the small model it grows past 1e-4.
    changed = vars(functional) | {"gelu": lambda x: functional.gelu(x, approximate="tanh")}
    patch.setattr(swin, "functional", SimpleNamespace(**changed))


def levels_in_the_other_order(patch: Patch, net: SemanticSam) -> None:
    transformer = net.sem_seg_head.pixel_decoder.transformer
    transformer.level_embed = nn.Parameter(transformer.level_embed.flip(0))


def places_count_from_zero(patch: Patch, net: SemanticSam) -> None:
    coded = pixel_decoder.sine_of_map

    def shifted(size_hw: tuple[int, int], features: int, device: torch.device) -> Tensor:
        high, wide = size_hw
        large = coded((high, wide), features, device).view(high, wide, 2, features).roll((1, 1), dims=(0, 1))
        return large.view(high * wide, -1)

    patch.setattr(pixel_decoder, "sine_of_map", shifted)


def nearest_fine_map(patch: Patch, net: SemanticSam) -> None:
    nearest = SimpleNamespace(interpolate=lambda x, size, **_: functional.interpolate(x, size=size, mode="nearest"))
    patch.setattr(pixel_decoder, "functional", nearest)


def x_before_y(patch: Patch, net: SemanticSam) -> None:
    coded = decoder.sine_of_boxes
    patch.setattr(decoder, "sine_of_boxes", lambda boxes, features: coded(boxes[..., [1, 0, 2, 3]], features))


def whole_boxes_reached(patch: Patch, net: SemanticSam) -> None:
    places = deformable.DeformableAttention.places

    def doubled(self, references: Tensor, offsets: Tensor, sizes: deformable.Sizes) -> Tensor:
        return places(self, references, offsets * 2 if references.shape[-1] == 4 else offsets, sizes)

    patch.setattr(deformable.DeformableAttention, "places", doubled)


def clicks_do_not_see_each_other(patch: Patch, net: SemanticSam) -> None:
    for layer in net.sem_seg_head.predictor.decoder.layers:
        layer.self_attn = ClicksApart(layer.self_attn)


def padding_forgotten_in_places(patch: Patch, net: SemanticSam) -> None:
    patch.setattr(network_module, "padded_size", lambda size_hw: size_hw)


def sides_of_clicks_not_scaled(patch: Patch, net: SemanticSam) -> None:
    ask = network_module.PromptedPicture.ask_boxes

    def unscaled(self, boxes: Tensor, kinds: Tensor) -> network_module.Answers:
        high, wide = self.size_hw
        padded_high, padded_wide = network_module.padded_size(self.size_hw)
        larger = torch.tensor([1.0, 1.0, padded_wide / wide, padded_high / high])
        return ask(self, boxes * larger, kinds)

    patch.setattr(network_module.PromptedPicture, "ask_boxes", unscaled)


def corners_aligned(patch: Patch, net: SemanticSam) -> None:
    def aligned(logits: Tensor, stride: int) -> Tensor:
        size = (logits.shape[1] * stride, logits.shape[2] * stride)
        return functional.interpolate(logits[:, None], size=size, mode="bilinear", align_corners=True)[:, 0]

    patch.setattr(candidates_module, "enlarged", aligned)
    patch.setattr(reference, "enlarged", aligned)


def scores_through_a_sigmoid(patch: Patch, net: SemanticSam) -> None:
    predictor = net.sem_seg_head.predictor
    predictor.iou_prediction_head = Wrapped(predictor.iou_prediction_head, after=torch.sigmoid)


IN_THE_NETWORK = [
    norm_once,
    boxes_from_normed_queries,
    memory_from_fine_to_coarse,
    no_mask_at_the_seam,
    windows_not_shifted,
    padded_before_the_norm,
    neighbours_along_rows_first,
    relative_places_transposed,
    approximate_gelu,
    levels_in_the_other_order,
    places_count_from_zero,
    nearest_fine_map,
    x_before_y,
    whole_boxes_reached,
    clicks_do_not_see_each_other,
    padding_forgotten_in_places,
    sides_of_clicks_not_scaled,
    corners_aligned,
    scores_through_a_sigmoid,
]


@reference.needs_reference
@pytest.mark.parametrize("mistake", IN_THE_NETWORK, ids=lambda mistake: mistake.__name__)
def test_the_reference_run_notices(mistake, monkeypatch):
    net = reference.network()
    mistake(monkeypatch, net)
    assert reference.faults(reference.measured(net)) != []


@pytest.mark.parametrize("mistake", IN_THE_NETWORK, ids=lambda mistake: mistake.__name__)
def test_the_frozen_outputs_notice(mistake, monkeypatch):
    if mistake is approximate_gelu:
        pytest.skip("smaller than what another machine may round; only the reference run can tell")
    net = frozen.network()
    mistake(monkeypatch, net)
    assert frozen.faults(frozen.measured(net)) != []


def levels_are_slots(patch: Patch) -> None:
    patch.setattr(everything, "SLOT_OF_LEVEL", {level: level - 1 for level in range(1, 7)})


def boxes_end_behind_the_last_pixel(patch: Patch) -> None:
    made = everything.candidates

    def longer(*given):
        return [
            None
            if mask is None
            else replace(mask, box_xyxy_px=(*mask.box_xyxy_px[:2], *(v + 1 for v in mask.box_xyxy_px[2:])))
            for mask in made(*given)
        ]

    patch.setattr(everything, "candidates", longer)


def islands_touch_by_sides_only(patch: Patch) -> None:
    counted = cleaning.cv2.connectedComponentsWithStats
    stub = SimpleNamespace(
        connectedComponentsWithStats=lambda mask, connectivity: counted(mask, connectivity=4),
        CC_STAT_AREA=cleaning.cv2.CC_STAT_AREA,
    )
    patch.setattr(cleaning, "cv2", stub)


def cleaned_masks_keep_their_rank(patch: Patch) -> None:
    clean = everything.cleaned
    patch.setattr(everything, "cleaned", lambda *given: (clean(*given)[0], False))


def holes_stay(patch: Patch) -> None:
    patch.setattr(cleaning, "_without_holes", lambda mask, least_px: (mask, False))


@reference.needs_reference
@pytest.mark.parametrize(
    "mistake",
    [
        levels_are_slots,
        boxes_end_behind_the_last_pixel,
        islands_touch_by_sides_only,
        cleaned_masks_keep_their_rank,
        holes_stay,
    ],
    ids=lambda mistake: mistake.__name__,
)
def test_the_generators_masks_notice(mistake, monkeypatch):
    mistake(monkeypatch)
    same = [
        records(everything.find_everything(Stated(), settings_of(name))) == reference.generator_runs()[name]["masks"]
        for name in ("synth_lenient", "synth_levels_6_2_4", "synth_default")
    ]
    assert not all(same)
