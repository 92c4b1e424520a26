"""What a training process settles before it computes: its threads, and how many compiled kernels it keeps."""

import os
from typing import Final

import torch

# oneDNN compiles a kernel for every new shape and torch keeps 1,024 of them, twice, at one to three megabytes each: batches of
# changing lengths grew from 2.6 to 6.4 GB in two hours. 64 hold the shapes that do come back (`tests/bench/training_memory.py`).
KERNELS: Final = "64"
CACHES: Final = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")


def prepare() -> None:
    """Call before the first tensor is computed: the caches read their size once. What the caller's environment says stays."""
    for name in CACHES:
        os.environ.setdefault(name, KERNELS)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
