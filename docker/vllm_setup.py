"""Build the environment of vLLM's CPU build: `python3 docker/vllm_setup.py .venv-vllm`. Run by make, standard library only.

Apart from the product's environment because vLLM pins its own packages; docker/torchvision_ops.py says what it needs besides.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from setup import TORCH, check_machine, create, fail, run

HERE = Path(__file__).resolve().parent
# Pulled in by vLLM and broken beside a CPU build of torch: they look for CUDA libraries when imported.
UNWANTED = ("torchaudio", "torchcodec", "triton")
TEST = "import torch, torchvision, vllm; print('vLLM', vllm.__version__)"


def pinned() -> list[str]:
    """Return what pyproject.toml pins for the extra `vllm`."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    wanted: list[str] = project["project"]["optional-dependencies"]["vllm"]
    return wanted


def declare_operators(python: Path) -> None:
    """Put the declaration of torchvision's operators where Python runs it at start, in vLLM's child processes too."""
    found = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    )
    shutil.copyfile(HERE / "torchvision_ops.py", Path(found.stdout.strip()) / "sitecustomize.py")


def main() -> None:
    """Build it."""
    check_machine()
    python = create(Path(sys.argv[1]))
    pip = (str(python), "-m", "pip", "install", "--quiet", "--progress-bar", "on", "--no-warn-script-location")
    print("installing torch (the CPU build where pip is set up for it, else a large download)", flush=True)
    run(*pip, TORCH)
    print("installing vLLM's CPU build", flush=True)
    run(*pip, *pinned())
    run(str(python), "-m", "pip", "uninstall", "--quiet", "--yes", *UNWANTED)
    declare_operators(python)
    if subprocess.run([str(python), "-c", TEST], check=False).returncode != 0:
        fail("vLLM cannot be imported; what it said stands above.")


if __name__ == "__main__":
    main()
