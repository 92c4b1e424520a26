"""Memory of a process that trains on batches of changing lengths. Run: python -m tests.bench.training_memory

Two processes take the same steps of a small bfloat16 network, one as `models.training.process` prepares it, one with torch's own
settings; printed is the memory of their own (RssAnon) as they go. What grows is kept kernels, one per shape, not tensors.
"""

import argparse
import subprocess
import sys

STEPS = """
import sys, torch
from models.training.process import prepare
if sys.argv[1] == "ours":
    prepare()
torch.set_num_threads(1)
net = torch.nn.Sequential(*[torch.nn.Linear(a, b) for a, b in ((192, 512), (512, 192), (192, 2048))]).to(torch.bfloat16)
lengths = torch.Generator().manual_seed(0)
for step in range(int(sys.argv[2]) + 1):
    rows = torch.randn(int(torch.randint(100, 900, (1,), generator=lengths)), 192, dtype=torch.bfloat16)
    net(rows).float().pow(2).mean().backward()
    net.zero_grad()
    if step % (int(sys.argv[2]) // 4) == 0:
        memory = next(line for line in open("/proc/self/status") if line.startswith("RssAnon"))
        print(int(memory.split()[1]) // 1024, flush=True)
"""


def grown(which: str, steps: int) -> list[int]:
    """MB of one process at the start and after each quarter of its steps."""
    done = subprocess.run([sys.executable, "-c", STEPS, which, str(steps)], capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=600)
    options = parser.parse_args()
    print(f"MB after 0, 1/4, ... of {options.steps} steps of changing lengths")
    for which, title in (("theirs", "torch's own settings"), ("ours", "as the trainer sets them")):
        print(f"{title:28s}" + "".join(f"{megabytes:8d}" for megabytes in grown(which, options.steps)))


if __name__ == "__main__":
    main()
