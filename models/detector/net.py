"""The network: an anchor-free detector of about two million parameters with maps at strides 4 and 8.

Used by training, evaluation and export. Every cell says whether the middle of an element lies there, how far the
element's edges are and which role it has (the form of FCOS, Tian et al. 2019, section 3, with a stride-4 level for
controls of a dozen pixels). Input is uint8 and unscaled: small boxes need every pixel.
"""

from torch import Tensor, nn
from torch.nn import functional

from models.pages.pen import ROLES

STRIDES = (4, 8)
CHANNELS = 5 + len(ROLES)  # element, left, top, right, bottom, roles


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    pad = (size - 1) // 2 * dilation
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, pad, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = _conv(width, width, dilation=dilation)
        self.second = nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.norm(self.second(self.first(x))))


class ElementNet(nn.Module):
    """Pixels (B, H, W, 3) uint8, H and W multiples of 32 -> one map (B, 5 + roles, H / stride, W / stride) per stride.

    Channel 0 is the log-odds of an element, 1..4 the log distances to its edges in strides, the rest role log-odds.
    Widths are multiples of 32: on CPUs with bfloat16 dot products a width of 24 trained nine times slower than 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 6, 4, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True))
        self.at4 = _Block(32)
        self.at8 = nn.Sequential(_conv(32, 64, stride=2), _Block(64), _Block(64))
        self.at16 = nn.Sequential(_conv(64, 128, stride=2), _Block(128), _Block(128))
        self.at32 = nn.Sequential(_conv(128, 128, stride=2), _Block(128), _Block(128, 2), _Block(128, 4))
        self.from32, self.from16, self.from8 = (nn.Conv2d(width, 64, 1) for width in (128, 128, 64))
        self.join16, self.join8 = _conv(64, 64), _conv(64, 64)
        self.narrow, self.from4, self.join4 = nn.Conv2d(64, 32, 1), nn.Conv2d(32, 32, 1), _conv(32, 32)
        self.head8 = nn.Sequential(_conv(64, 64), nn.Conv2d(64, CHANNELS, 1))
        self.head4 = nn.Sequential(_conv(32, 32), nn.Conv2d(32, CHANNELS, 1))
        for head, edge in ((self.head4, 1.0), (self.head8, 1.5)):
            bias = head[-1].bias.data
            # Few cells hold an element: starting at one in fifty keeps the first steps calm (Lin et al. 2017, section 3.3).
            bias[0] = -4.0
            bias[1:5] = edge

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        return self.maps(pixels.permute(0, 3, 1, 2).to(self.from4.weight.dtype) / 128.0 - 1.0)

    def maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The maps for pixels (B, 3, H, W) as floats between -1 and 1."""
        c4 = self.at4(self.stem(x))
        c8 = self.at8(c4)
        c16 = self.at16(c8)
        c32 = self.at32(c16)
        p16 = self.join16(self.from16(c16) + _twice(self.from32(c32)))
        p8 = self.join8(self.from8(c8) + _twice(p16))
        p4 = self.join4(self.from4(c4) + _twice(self.narrow(p8)))
        return self.head4(p4), self.head8(p8)


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def parameter_count(net: nn.Module) -> int:
    """Number of learnt values."""
    return sum(parameter.numel() for parameter in net.parameters())
