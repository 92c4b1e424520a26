"""Trains the network that names icons and writes it as ONNX. Run: python -m models.icons.train --sheets DIR --held DIR --out FILE.

A convolutional network of 0.25 M parameters on (32, 32) ink; two minutes on one core; `--start` goes on from an earlier run. Prints
its hits on sheets that it never saw.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from models.detector.export import describe
from models.icons.sheets import LABELS
from models.weights import state_of

WEIGHTS = Path(__file__).resolve().parents[1] / "weights" / "icon-names" / "icons.onnx"


class IconNet(nn.Module):
    """Ink (B, 1, 32, 32) in 0..1 -> log-odds (B, labels).

    Widths are multiples of 32, and training runs in bfloat16: a step of 128 icons took 0.07 s so, and 0.31 s at widths of 24, 40 and 72.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_layer(1, 32), nn.MaxPool2d(2), *_layer(32, 32), *_layer(32, 32), nn.MaxPool2d(2),
            *_layer(32, 64), *_layer(64, 64), nn.MaxPool2d(2), *_layer(64, 64),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(64 * 16, len(LABELS)))

    def forward(self, ink: Tensor) -> Tensor:
        found: Tensor = self.head(self.features(ink))
        return found


def _layer(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def main() -> None:
    """Train, measure, export."""
    options = _options()
    torch.set_num_threads(1)
    torch.manual_seed(options.first)
    ink, label = _read(options.sheets)
    net = IconNet().to(memory_format=torch.channels_last)
    if options.start is not None:
        net.load_state_dict(state_of(options.start))
    optimizer = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=0.02)
    began = time.process_time()
    for step in range(options.first, min(options.first + options.part, options.steps)):
        for group in optimizer.param_groups:
            group["lr"] = (
                options.rate
                * min(1.0, (step - options.first + 1) / 50)
                * 0.5
                * (1 + np.cos(np.pi * step / options.steps))
            )
        chosen = torch.randint(len(ink), (options.batch,))
        seen = changed(ink[chosen]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            odds = net(seen)
        loss = functional.cross_entropy(odds.float(), label[chosen], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 99:
            print(
                f"{step + 1} steps, {time.process_time() - began:.0f} s of CPU time, loss {loss.item():.3f}", flush=True
            )
    net.eval()
    save_file(net.state_dict(), options.out.with_suffix(".safetensors"))
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {len(ink)} icons")
    print(measured(net, *_read(options.held)))
    export(net, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheets", type=Path, required=True)
    parser.add_argument("--held", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--start", type=Path, help="state of an earlier run, the .safetensors beside its file")
    parser.add_argument("--steps", type=int, default=900, help="length of the one schedule")
    parser.add_argument("--first", type=int, default=0, help="step to go on from")
    parser.add_argument("--part", type=int, default=1_000_000, help="steps to do now")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=3e-3)
    return parser.parse_args()


def changed(ink: Tensor) -> Tensor:
    """The icons a little larger, turned, shifted, thinner or bolder, brighter or cut: what drawing alone does not vary."""
    count = len(ink)
    turn, shear = 0.08 * torch.randn(count), 0.06 * torch.randn(count)
    wide, high = 1 + 0.09 * torch.randn(count), 1 + 0.09 * torch.randn(count)
    shift = 0.06 * torch.randn(count, 2)
    rows = torch.stack(
        [
            torch.stack([wide * torch.cos(turn), shear - torch.sin(turn), shift[:, 0]], 1),
            torch.stack([torch.sin(turn), high * torch.cos(turn), shift[:, 1]], 1),
        ],
        1,
    )
    moved = functional.grid_sample(
        ink, functional.affine_grid(rows, list(ink.shape), align_corners=False), align_corners=False
    )
    what = torch.rand(count, 1, 1, 1)
    bolder = functional.max_pool2d(moved, 3, 1, 1)
    blurred = functional.avg_pool2d(moved, 3, 1, 1)
    moved = torch.where(what < 0.12, 0.5 * (moved + bolder), torch.where(what > 0.75, 0.5 * (moved + blurred), moved))
    power = torch.exp(0.35 * torch.randn(count, 1, 1, 1))
    return (moved.clamp(0, 1) ** power + 0.03 * torch.randn(moved.shape)).clamp(0, 1)


def measured(net: nn.Module, ink: Tensor, label: Tensor) -> str:
    """Hits, and how sure right and wrong answers are."""
    with torch.no_grad():
        share, found = functional.softmax(net(ink), 1).max(1)
    right = found == label
    lines = [f"held: {len(label)}, right {right.float().mean():.4f}"]
    for least in (0.5, 0.6, 0.7, 0.8, 0.9):
        named = (share >= least) & (found != len(LABELS) - 1)
        lines.append(
            f"  sure by {least}: named {named.float().mean():.3f}, of them right {right[named].float().mean():.4f}"
        )
    return "\n".join(lines)


def export(net: IconNet, path: Path) -> None:
    """Write the network with its labels; one icon at a time, as the product asks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            net.eval(),
            (torch.zeros(1, 1, 32, 32),),
            str(path),
            input_names=["ink"],
            output_names=["names"],
            opset_version=17,
            dynamo=False,
        )
    describe(path, {"labels": json.dumps(LABELS)})
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


def _read(folder: Path) -> tuple[Tensor, Tensor]:
    files = [np.load(path) for path in sorted(folder.glob("*.npz"))]
    ink = torch.from_numpy(np.concatenate([file["ink"] for file in files])).float().div(255)[:, None]
    return ink, torch.from_numpy(np.concatenate([file["label"] for file in files]))


if __name__ == "__main__":
    main()
