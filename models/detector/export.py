"""Writes the averaged weights of a run as ONNX. Run: python -m models.detector.export --run DIR --held DIR [--out FILE].

Batch norms are folded into the filters and filters are stored as half floats with a cast in front, which the runtime folds
away when it loads: half the size at float32 arithmetic. The threshold is calibrated on held-out pages and stored in the
file with roles and strides, so that `models.segmenters.detector` needs nothing else. The written file is compared with
the network before it replaces the old one.
"""

import argparse
import copy
import itertools
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.detector.data import read_pages
from models.detector.infer import score_pages
from models.detector.measure import at_marks_per_element
from models.detector.net import STRIDES, ElementNet
from models.detector.state import averaged_net
from models.pages.pen import ROLES
from models.segmenters.detector import WEIGHTS

_OPSET = 17
_PIECE_HW = (96, 160)


class _HalfConv(nn.Module):
    """A convolution whose filter is kept as half floats."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.register_buffer("weight", conv.weight.detach().half())
        self.register_buffer("bias", None if conv.bias is None else conv.bias.detach().clone())
        self.form = (conv.stride, conv.padding, conv.dilation)

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.weight.float(), self.bias, *self.form)


class _Exported(nn.Module):
    """The network without batch norms."""

    def __init__(self, net: ElementNet) -> None:
        super().__init__()
        self.net = copy.deepcopy(net).eval()
        for module in list(self.net.modules()):
            _fold(module)
        for module in list(self.net.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.Conv2d):
                    setattr(module, name, _HalfConv(child))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = image.permute(0, 3, 1, 2).float() / 128.0 - 1.0
        found: tuple[Tensor, Tensor] = self.net.maps(x)
        return found


def _fold(module: nn.Module) -> None:
    """Fold each batch norm of `module` into the convolution before it."""
    for (conv_name, conv), (norm_name, norm) in itertools.pairwise(list(module.named_children())):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
            setattr(module, norm_name, nn.Identity())


def write_onnx(net: ElementNet, path: Path, *, threshold: float) -> float:
    """Write `net` to `path`; return the largest difference of any output value between the file and the network.

    Raises RuntimeError, and leaves `path` as it was, when that is more than half precision explains.
    """
    module = _Exported(net)
    piece = torch.randint(0, 256, (1, *_PIECE_HW, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    axes = {
        "image": {1: "height", 2: "width"},
        **{f"s{stride}": {2: f"h{stride}", 3: f"w{stride}"} for stride in STRIDES},
    }
    fresh = path.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The newer exporter wants onnxscript and writes the half-float casts out of the file again.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            (piece,),
            str(fresh),
            input_names=["image"],
            output_names=[f"s{stride}" for stride in STRIDES],
            dynamic_axes=axes,
            opset_version=_OPSET,
            do_constant_folding=False,
            dynamo=False,
        )
    describe(fresh, {"roles": json.dumps(ROLES), "strides": json.dumps(STRIDES), "threshold": f"{threshold:.4f}"})
    worst = largest_difference(net, fresh)
    if worst > 0.05:
        raise RuntimeError(f"the exported file differs from the network by {worst:.3f}")
    fresh.replace(path)
    return worst


def describe(path: Path, facts: dict[str, str]) -> None:
    """Append entries to the model's metadata: protobuf lets repeated fields follow at the end of a message.

    Field 14 of ONNX's ModelProto is `metadata_props`, whose entries hold a key (1) and a value (2).
    """
    with path.open("ab") as file:
        for key, value in facts.items():
            entry = _field(1, key.encode()) + _field(2, value.encode())
            file.write(_field(14, entry))


def _field(number: int, content: bytes) -> bytes:
    size, length = bytearray(), len(content)
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *size, length]) + content


def largest_difference(net: ElementNet, path: Path) -> float:
    """Largest difference between the network and the file at `path` on noise of two sizes, in log-odds or log distances."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for height, width in (_PIECE_HW, (192, 128)):
        pixels = np.random.default_rng(height).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
        with torch.no_grad():
            wanted: Any = net.eval()(torch.from_numpy(pixels))
        found = session.run(None, {"image": pixels})
        worst = max(
            worst, *(float(np.abs(one - other.numpy()).max()) for one, other in zip(found, wanted, strict=True))
        )
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of a training run")
    parser.add_argument("--held", type=Path, required=True, help="held-out pages that set the threshold")
    parser.add_argument("--held-pages", type=int, default=100)
    parser.add_argument(
        "--marks", type=float, default=1.2, help="marks per element that the threshold allows on held-out pages"
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    net = averaged_net(options.run / "checkpoint")
    pages = score_pages(net, read_pages(options.held)[: options.held_pages], torch.device("cpu"))
    result = at_marks_per_element(pages, options.marks)
    worst = write_onnx(net, options.out, threshold=result.threshold)
    size = options.out.stat().st_size / 1e6
    print(f"{options.out}: {size:.2f} MB, threshold {result.threshold:.4f}, largest difference {worst:.4f}")


if __name__ == "__main__":
    main()
