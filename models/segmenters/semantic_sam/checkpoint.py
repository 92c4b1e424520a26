"""A published checkpoint's tensors -> the network, strictly: every parameter that is used must be there with its shape.

Called by `segmenter` with what `models.weights.state_of` read. Knows no files.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from models.errors import WeightsMissing
from models.segmenters.semantic_sam.network import SemanticSam
from models.segmenters.semantic_sam.shape import Shapes, shape_of

PREFIX = "model."
_SHOWN = 20


def build(state: Mapping[str, Tensor]) -> SemanticSam:
    """Build the network of a checkpoint's tensors under their own names, float32 on the CPU.

    What inference has no use for (text heads, copies, index tables) is left alone. Raises WeightsMissing with the list of
    what is off.
    """
    given = {name.removeprefix(PREFIX): tensor for name, tensor in state.items() if name.startswith(PREFIX)}
    shapes = {name: tuple(tensor.shape) for name, tensor in given.items()}
    with torch.device("meta"):
        network = SemanticSam(shape_of(shapes))
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if faults := faults_of(shapes, wanted):
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise WeightsMissing(f"the checkpoint does not fit Semantic-SAM: {'; '.join(faults[:_SHOWN])}{more}")
    network.load_state_dict({name: given[name].float() for name in wanted}, strict=True, assign=True)
    network.requires_grad_(requires_grad=False)
    network.eval()
    return network


def faults_of(given: Shapes, wanted: Shapes) -> list[str]:
    """Return a phrase for each tensor that is missing or has another shape, under the checkpoint's own names."""
    found = []
    for name, shape in wanted.items():
        if name not in given:
            found.append(f"{PREFIX}{name} is missing")
        elif given[name] != shape:
            found.append(f"{PREFIX}{name} has shape {list(given[name])} instead of {list(shape)}")
    return found
