"""GPUs are told of where they are used, and nothing is opened to look at the others."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from workers.gpus import seen

GIB = 2**30


class TwoGpus:
    """`torch.cuda` on a machine with two, of which the process uses the second."""

    def __init__(self, *, touched: bool = True, lost: bool = False) -> None:
        self.touched, self.lost, self.opened = touched, lost, list[int]()

    def is_initialized(self) -> bool:
        return self.touched

    def device_count(self) -> int:
        return 2

    def memory_reserved(self, device: int) -> int:
        return (0, 5 * GIB)[device]

    def mem_get_info(self, device: int) -> tuple[int, int]:
        self.opened.append(device)
        if self.lost:
            raise RuntimeError("CUDA error: the device has fallen off the bus")
        return 60 * GIB, 80 * GIB

    def get_device_properties(self, device: int) -> SimpleNamespace:
        return SimpleNamespace(name="NVIDIA H200", uuid=f"GPU-{device}")


def test_the_gpu_in_use_is_told_and_the_other_left_alone() -> None:
    cuda = TwoGpus()
    assert seen(cuda) == [
        {"uuid": "GPU-1", "model": "NVIDIA H200", "used_bytes": 20 * GIB, "total_bytes": 80 * GIB, "own_bytes": 5 * GIB}
    ]
    assert cuda.opened == [1]


def test_nothing_is_opened_by_looking() -> None:
    untouched = TwoGpus(touched=False)
    assert (seen(untouched), untouched.opened) == ([], [])
    assert seen(TwoGpus(lost=True)) == []


def test_looking_does_not_load_torch() -> None:
    program = "import sys; from workers.gpus import seen; print(seen(), 'torch' in sys.modules)"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[] False\n"
