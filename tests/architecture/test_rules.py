"""Rules of the house that a linter cannot say: one call site per irreversible act, small modules, a tree in CONTRIBUTING that is true."""

import ast
import functools
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "workers", "models", "migrations")
LONGEST = 500


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def places_of(pattern: str) -> set[str]:
    """Modules whose code (not its strings or comments) matches."""
    return {str(path.relative_to(ROOT)) for path in modules() if re.search(pattern, code_of(path))}


@functools.cache
def code_of(path: Path) -> str:
    """Read once for all rules: it is most of what they take."""
    return ast.unparse(_without_docstrings(ast.parse(path.read_text(encoding="utf-8"))))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


@pytest.mark.parametrize(
    ("act", "pattern", "allowed"),
    [
        ("commit", r"\.commit\(", {"app/catalog/session.py"}),
        ("create a job", r"upsert\(JobRow\)|insert\(JobRow\)|(?<!class )\bJobRow\(", {"app/queue/outbox.py"}),
        (
            "read the environment",
            r"os\.environ|os\.getenv",
            {
                "app/settings.py",  # the one reader of settings
                "app/commands/client.py",  # the caller's key, on the caller's machine
                "app/client/markwise/protocol.py",  # likewise
                "workers/direct/training.py",
                "workers/training.py",  # handed on to a child process
                "models/training/process.py",  # what torch's libraries read of it
                "models/training/run.py",  # torchrun speaks through the environment
            },
        ),
        (
            "choose a segmenter by name",
            r"GuiSegmenter\(|RegionsSegmenter\(|ProvidedSegmenter\(",
            {"models/segmenters/fused.py"},  # is made of two of them
        ),
        ("load pickled weights", r"torch\.load\(", {"models/weights.py"}),
        ("run what a pickle says", r"pickle\.|weights_only=False", set()),
        ("evaluate text as code", r"(?<![\w.])eval\(|(?<![\w.])exec\(", set()),
        (
            "define a column",
            r"mapped_column\(",
            {
                *(f"app/catalog/tables/{name}.py" for name in ("access", "learning", "pictures", "work")),
                "app/catalog/declaring.py",
            },  # the latter: what every tenant table has
        ),
    ],
)
def test_each_irreversible_act_has_one_place(act: str, pattern: str, allowed: set[str]) -> None:
    assert places_of(pattern) - allowed == set(), f"only {sorted(allowed)} may {act}"


def test_no_module_is_too_long_to_know() -> None:
    lengths = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in modules()}
    assert {name: n for name, n in lengths.items() if n > LONGEST} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(p.relative_to(ROOT)) for p in modules() if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "common", "base", "misc", "manager"}
    assert [str(p) for p in modules() if p.stem in empty] == []


def test_the_tree_in_contributing_is_the_tree() -> None:
    """Every folder that git tracks two levels deep stands in CONTRIBUTING's tree, and nothing else does."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    tracked = {
        "/".join(parts[:2])
        for line in listed.stdout.splitlines()
        if (parts := line.split("/")) and len(parts) > 2 and parts[0] in {*PACKAGES, "tests"}
    }
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"```text tree\n(.*?)```", text, re.DOTALL)
    assert block is not None
    shown, package = set(), ""
    for line in block[1].splitlines():
        if match := re.match(r"^(\w+)/", line):
            package = match[1]
        elif match := re.match(r"^  (\w+)/", line):
            shown.add(f"{package}/{match[1]}")
    assert shown == tracked
