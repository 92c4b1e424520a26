"""The API image installs less than the project: its list has the project's pins, and all that the web process imports."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTED = (ROOT / "docker" / "api-requirements.txt").read_text(encoding="utf-8").split()
OPTIONAL = {"sniffio"}  # httpcore asks it where it is there and does without
IMPORTS = """
import json, sys
import app.main, app.stack.api_process, app.cli
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def plain(requirement: str) -> str:
    """The name of a distribution without pin, extras and marker, as PyPI compares names."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def with_what_they_need(names: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        try:
            needed = requires(name) or []
        except PackageNotFoundError:  # for another platform
            continue
        waiting += [plain(one) for one in needed]
    return found


def test_every_pin_is_the_projects_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(LISTED) <= {*project["dependencies"], *project["optional-dependencies"]["otel"]}
    assert len(LISTED) == len(set(LISTED))


def test_what_the_web_process_imports_is_installed_and_no_model_library_is() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    distributions = packages_distributions()
    imported = {plain(name) for module in modules for name in distributions.get(module, ())[:1]} - {"markwise"}
    installed = with_what_they_need({plain(line) for line in LISTED})
    assert imported - installed - OPTIONAL == set()
    assert not {"torch", "transformers", "onnxruntime", "rapidocr"} & {plain(line) for line in LISTED}
