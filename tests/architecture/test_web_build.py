"""The web app is served as it was built: dist/ is of the sources that are here, small at the first load, and bears no foreign address."""

import hashlib
import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "app" / "web"
BUILT = WEB / "dist"
FILES = ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.js", "sources.js")
FOLDERS = ("src", "public")
FIRST_LOAD_BYTES = 300_000


def test_the_built_page_is_of_these_sources() -> None:
    paths = [WEB / name for name in FILES] + [
        path for folder in FOLDERS for path in (WEB / folder).rglob("*") if path.is_file()
    ]
    hashes = {path.relative_to(WEB).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    built = json.loads((BUILT / "sources.json").read_text(encoding="utf-8"))
    changed = sorted(name for name in hashes.keys() | built.keys() if hashes.get(name) != built.get(name))
    assert changed == [], "the web app was changed and not built: run `make web` and commit app/web/dist"


def test_what_the_page_names_was_built() -> None:
    index = (BUILT / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="/static/([^"]+)"', index)
    assert len(named) >= 3
    assert [name for name in named if not (BUILT / name).is_file()] == []
    assert "<script>" not in index, "the policy of the page allows no inline script"


def test_no_page_loads_more_script_than_it_may() -> None:
    """The entry, and with each lazily loaded page everything that this one imports: no way in costs more."""
    sizes = {path.name: path.stat().st_size for path in (BUILT / "assets").glob("*.js")}
    imports = {
        path.name: set(re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', path.read_text(encoding="utf-8")))
        for path in (BUILT / "assets").glob("*.js")
    }

    def with_imports(name: str) -> set[str]:
        found, waiting = set(), [name]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += imports[one]
        return found

    (entry,) = re.findall(r'<script type="module"[^>]*src="/static/assets/([^"]+)"', (BUILT / "index.html").read_text())
    loads = {name: sum(sizes[one] for one in with_imports(name) | with_imports(entry)) for name in sizes}
    assert {name: size for name, size in loads.items() if size > FIRST_LOAD_BYTES} == {}


@pytest.mark.parametrize("name", ["package-lock.json", ".npmrc"])
def test_packages_are_pinned_without_naming_a_machine(name: str) -> None:
    assert (
        re.findall(
            r"https?://(?!(?:\w+\.)*(?:opencollective|github|tidelift|funding)\b)[^\s\"]+\.tgz",
            (WEB / name).read_text(),
        )
        == []
    )


def test_every_package_is_pinned() -> None:
    package = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    versions = package["dependencies"] | package["devDependencies"]
    assert {name: version for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)} == {}
