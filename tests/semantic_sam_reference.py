"""The reference run of Semantic-SAM's published code, and every tensor of it measured on our network.

The run lies in ../shared/data/parity/semantic_sam: a small model's weights, inputs, intermediate values and the generator's
masks. `measured` gives ours under the same names, by hooks on the modules; `faults` says which are out of tolerance.
"""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from models.segmenters.semantic_sam.candidates import enlarged
from models.segmenters.semantic_sam.checkpoint import build
from models.segmenters.semantic_sam.clicking import NOWHERE
from models.segmenters.semantic_sam.decoder import POINT
from models.segmenters.semantic_sam.deformable import DeformableAttention
from models.segmenters.semantic_sam.layers import inverse_sigmoid
from models.segmenters.semantic_sam.network import PromptedPicture, SemanticSam
from models.segmenters.semantic_sam.picture import normalised, resized, seen_size

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "parity" / "semantic_sam"
needs_reference = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the reference run is not at {FOLDER}")
_INPUTS = ("image_", "points_xy_", "query", "ref", "spatial_shapes", "src", "state.")
_TOLERANCE_OF = {
    "out.masks_fullres_point1_slots0_and_3": "out.masks_fullres",
    "padded_normalized_image_corner_rows190_224_cols240_256": "padded_normalized_image",
    "predictor_no_point.ious": "out.ious",
}


@cache
def run() -> dict[str, Tensor]:
    """Inputs and values of the reference."""
    return load_file(FOLDER / "io.safetensors")


@cache
def generator_runs() -> dict[str, Any]:
    return json.loads((FOLDER / "amg.json").read_text())["runs"]


@cache
def tolerances() -> dict[str, float]:
    told = json.loads((FOLDER / "small_config.json").read_text())["tolerance"]
    return {name: item["suggested_atol"] for name, item in told.items()}


@cache
def names(size: str) -> list[dict[str, Any]]:
    """Every entry of the state dict of the full-size model, `t` or `l`."""
    return json.loads((FOLDER / f"swin{size}_names.json").read_text())["entries"]


@cache
def _state() -> dict[str, Tensor]:
    return load_file(FOLDER / "small_state.safetensors")


def network() -> SemanticSam:
    """The reference's small model in our code, a new one each time."""
    return build(_state())


def expected() -> dict[str, Tensor]:
    """The values of the run without its inputs."""
    return {name: value for name, value in run().items() if not is_input(name)}


def is_input(name: str) -> bool:
    _, _, rest = name.partition(".")
    return name.startswith("amg_synth") or (rest.startswith(_INPUTS) and rest != "image_resized_uint8_hwc")


def tolerance(name: str) -> float:
    _, _, rest = name.partition(".")
    if rest.startswith("single_point"):
        rest = f"head.{rest.partition('.')[2]}"
    return tolerances().get(_TOLERANCE_OF.get(rest, rest), 1e-4)


def faults(found: dict[str, Tensor]) -> list[str]:
    """Names whose values are out of the stated tolerance."""
    off = []
    for name, value in expected().items():
        mine = found[name].float().reshape(value.shape)
        if not (mine - value.float()).abs().max() <= tolerance(name):
            off.append(name)
    return off


@torch.no_grad()
def measured(network: SemanticSam) -> dict[str, Tensor]:
    """Every value of the reference run, as our network has it."""
    io = run()
    image = io["a.image_original_uint8_hwc"].numpy()
    network.short_px = 200
    seen = resized(image, seen_size((240, 300), 200))
    found = {
        "a.image_resized_uint8_hwc": torch.from_numpy(np.array(seen)),
        "a.padded_normalized_image_corner_rows190_224_cols240_256": normalised([seen], network.device)[
            ..., 190:224, 240:256
        ],
    }
    found |= _case(network, image, io["a.points_xy_normalized"], "a.")
    picture = network.prompted(network.encode([image])[0])
    for index in (0, 1):
        alone = picture.ask(io["a.points_xy_normalized"][index : index + 1])
        found[f"a.single_point{index}.pred_ious"] = alone.scores
        found[f"a.single_point{index}.pred_masks_lowres"] = _all_logits(alone, 1)
    found["a.predictor_no_point.ious"] = picture.ask_boxes(torch.tensor([NOWHERE]), torch.tensor([POINT])).scores
    network.short_px = 96
    found |= _case(network, io["b.image_uint8_chw"].permute(1, 2, 0).numpy(), io["b.points_xy_normalized"], "b.")
    return found | _deformable()


def _case(network: SemanticSam, image: np.ndarray, points: Tensor, case: str) -> dict[str, Tensor]:
    with Taps(network) as taps:
        picture = network.prompted(network.encode([image])[0])
        answers = picture.ask(points)
    found = taps.values
    logits = _all_logits(answers, len(points))
    found |= {
        "pixel.mask_features": picture.mask_features,
        "head.pred_masks_lowres": logits,
        "head.pred_ious": answers.scores,
        "out.ious": answers.scores,
        "out.masks_fullres_point1_slots0_and_3": _full(picture, logits[[6, 9]]),
    }
    return {case + name: value for name, value in found.items()}


def _full(picture: PromptedPicture, logits: Tensor) -> Tensor:
    high, wide = picture.size_hw
    return enlarged(logits, picture.stride)[:, :high, :wide]


def _all_logits(answers: Any, clicks: int) -> Tensor:
    index = torch.arange(6 * clicks)
    return answers.logits(index // 6, index % 6)


def _deformable() -> dict[str, Tensor]:
    """The attention alone, with points and boxes, several references per query, and places outside of the maps."""
    io = run()
    unit = DeformableAttention(width=16, heads=2, levels=3, points=4)
    state = "msda_unit.state."
    unit.load_state_dict({name.removeprefix(state): value for name, value in io.items() if name.startswith(state)})
    sizes = [(int(high), int(wide)) for high, wide in io["msda_unit.spatial_shapes"]]
    values = unit.values(io["msda_unit.src"])
    query = io["msda_unit.query"]
    return {f"msda_unit.out_{kind}": unit(query, io[f"msda_unit.{kind}"], values, sizes) for kind in ("ref2", "ref4")}


class Taps:
    """Hooks on a network that note what the reference notes."""

    def __init__(self, network: SemanticSam) -> None:
        self.values: dict[str, Tensor] = {}
        self._network = network
        self._handles: list[Any] = []
        self._codes = 0

    def __enter__(self) -> Self:
        network, pixel = self._network, self._network.sem_seg_head.pixel_decoder
        for stage in range(4):
            self._out(
                getattr(network.backbone, f"norm{stage}"), f"backbone.res{stage + 2}", lambda x: x.permute(0, 3, 1, 2)
            )
        encoder = pixel.transformer.encoder
        self._into(encoder, "pixel.enc.src", 0)
        self._into(encoder, "pixel.enc.pos_plus_level", 1)
        self._out(encoder.layers[0].self_attn, "pixel.enc_layer0.attn_out")
        for index, layer in enumerate(encoder.layers):
            self._out(layer, f"pixel.enc_layer{index}.out")
        for index in range(4):
            self._out(pixel.transformer, f"pixel.multi_scale.{index}", lambda maps, at=index: maps[at])
        self._tap_predictor()
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _tap_predictor(self) -> None:
        predictor = self._network.sem_seg_head.predictor
        decoder = predictor.decoder
        self._into(predictor, "dec.points_padded_norm", 0)
        self._into(decoder, "dec.tgt", 0)
        self._into(decoder, "dec.refpoints_unsigmoid", 1, inverse_sigmoid)
        self._handles.append(decoder.ref_point_head.register_forward_hook(self._code))
        for index, layer in enumerate(decoder.layers):
            name = f"dec.layer{index}"
            self._into(layer, f"dec.refs.{index}", 2)
            self._out(layer.self_attn, f"{name}.self_attn_out", lambda out: out[0])
            self._out(layer.cross_attn, f"{name}.cross_attn_out")
            self._out(layer, f"{name}.out")
            self._out(layer, f"{name}.out_normed_once", predictor.decoder_norm.forward)
        self._out(decoder, f"dec.refs.{len(decoder.layers)}", lambda refined: refined.boxes)
        self._out(decoder, "boxes_before", lambda refined: refined.boxes_before)
        self._into(predictor.mask_embed, "head.queries_normed_twice", 0)
        self._out(predictor.mask_embed, "head.mask_embed")
        self._handles.append(predictor.register_forward_hook(self._boxes))

    def _code(self, _: object, given: tuple[Tensor, ...], out: Tensor) -> None:
        if not self._codes:
            self.values["dec.layer0.sine_embed"] = given[0]
        self.values[f"dec.layer{self._codes}.query_pos"] = out
        self._codes += 1

    def _boxes(self, predictor: Any, *_: object) -> None:
        twice = self.values["head.queries_normed_twice"]
        moved = predictor.decoder.bbox_embed[-1](twice) + inverse_sigmoid(self.values.pop("boxes_before"))
        self.values["head.pred_boxes"] = moved.sigmoid()

    def _out(self, module: Any, name: str, read: Callable[[Any], Tensor] = lambda out: out) -> None:
        self._handles.append(
            module.register_forward_hook(lambda _, __, out: self.values.__setitem__(name, read(out).clone()))
        )

    def _into(self, module: Any, name: str, at: int, read: Callable[[Any], Tensor] = lambda given: given) -> None:
        self._handles.append(
            module.register_forward_pre_hook(lambda _, given: self.values.__setitem__(name, read(given[at]).clone()))
        )
