"""C2: each wall is taken down once, and a test must notice. Run: python -m tests.chaos.sabotage [NAME ...] (about 5 minutes).

Works on a copy of what git tracks. A sabotage whose text is not found any more is a failure as well: then the wall was rebuilt, and this
list has to follow it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.table import Row, finish

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 600
# pytest's: 1 is "tests failed"; an interrupted or misused run proves nothing.
RED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """In `file`, each of `changes` replaced once; `tests` must go red."""

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]


SABOTAGES = (
    Sabotage(
        name="fence",
        file="app/queue/leases.py",
        changes=(("JobRow.attempt == claim.attempt, ", ""),),
        tests=("tests/integration/queue/test_leases.py",),
    ),
    Sabotage(
        name="lease",
        file="app/queue/leases.py",
        changes=(("JobRow.lease_until < NOW)", "JobRow.lease_until.is_not(None))"),),
        tests=("tests/integration/queue/test_leases.py",),
    ),
    Sabotage(
        name="row policy",
        file="migrations/versions/2026_11_21_0002_expand_row_level_security.py",
        changes=((" USING (tenant_id = {CURRENT_TENANT}) WITH CHECK", " USING (true) WITH CHECK"),),
        tests=("tests/integration/app/test_tenants.py",),
    ),
    Sabotage(
        name="revoked keys",
        file="app/catalog/keys.py",
        changes=(("revoked_at IS NULL AND ", ""),),
        tests=("tests/integration/app/test_tenants.py",),
    ),
    Sabotage(
        name="redirects",
        file="app/imaging/fetch.py",
        changes=(
            (
                "addresses = _checked_addresses(target, policy, resolver, deadline)",
                "addresses = _checked_addresses(target, _open(policy) if _hop else policy, resolver, deadline)",
            ),
            (
                "def _checked_addresses(",
                (
                    "def _open(policy: FetchPolicy) -> FetchPolicy:\n"
                    '    return __import__("dataclasses").replace(policy, allow_networks=EVERYWHERE)\n\n\n'
                    "def _checked_addresses("
                ),
            ),
        ),
        tests=("tests/integration/test_fetch_ssrf.py",),
    ),
    Sabotage(
        name="pixel cap",
        file="app/imaging/decoder_child.py",
        changes=(
            ("if width * height > max_pixels or long > max_side", "if long > max_side"),
            ("Image.MAX_IMAGE_PIXELS = max_pixels", "Image.MAX_IMAGE_PIXELS = 10**12"),
        ),
        tests=("tests/unit/app/imaging/test_decode.py",),
    ),
    Sabotage(
        name="offered marks only",
        file="models/vlm/openai.py",
        changes=(
            ("    if chosen is None:\n        return None\n", "    chosen = chosen or next(iter(answers.values()))\n"),
        ),
        tests=("tests/unit/models/vlm/test_openai.py", "tests/unit/models/vlm/test_hostile_model.py"),
    ),
    Sabotage(
        name="special tokens",
        file="models/vlm/untrusted.py",
        changes=(("    kept = _ANGLE.sub(_defuse_angle, kept)\n", ""),),
        tests=("tests/unit/models/vlm/test_prompts.py", "tests/unit/models/vlm/test_special_tokens.py"),
    ),
    Sabotage(
        name="commit before the response",
        file="app/http/deps.py",
        changes=((', scope="function")]', ")]"),),
        tests=("tests/integration/app/test_commit_before_response.py",),
    ),
    Sabotage(
        name="circuit breaker",
        file="models/vlm/breaker.py",
        changes=(("self._in_a_row >= self._failures", "self._in_a_row >= 10**9"),),
        tests=("tests/unit/models/vlm/test_breaker.py", "tests/unit/models/vlm/test_transport.py"),
    ),
    Sabotage(
        name="a key's share",
        file="app/http/admission.py",
        changes=(("if wait_s > 1e-9:", "if wait_s > 1e9:"),),
        tests=("tests/unit/app/http/test_admission.py",),
    ),
    Sabotage(
        name="who leaves is counted out",
        file="app/http/admission.py",
        changes=(("        self.working -= 1\n", ""),),
        tests=("tests/unit/app/http/test_admission.py",),
    ),
)


def measure(names: tuple[str, ...] = ()) -> Row:
    """Take the walls down one after the other."""
    chosen = [one for one in SABOTAGES if not names or one.name in names]
    began, unnoticed = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="mw-sabotage-") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        _copied(copy)
        for one in chosen:
            complaint = _tried(copy, one)
            if complaint:
                unnoticed.append(f"{one.name}: {complaint}")
    return Row(
        id="C2",
        fault="a wall is taken down",
        load=f"{len(chosen)} sabotages",
        survived=len(chosen) - len(unnoticed),
        lost=len(unnoticed),
        failures=tuple(unnoticed),
        seen=f"{len(chosen) - len(unnoticed)} of {len(chosen)} turn a test red, in {time.monotonic() - began:.0f} s",
    )


def _copied(copy: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)


def _tried(copy: Path, sabotage: Sabotage) -> str | None:
    """Sabotage, test, put back; what is wrong with the tests, or None."""
    file = copy / sabotage.file
    whole = spoilt = file.read_text(encoding="utf-8")
    for wall, hole in sabotage.changes:
        if spoilt.count(wall) < 1:
            return "its text is not there any more"
        spoilt = spoilt.replace(wall, hole, 1)
    file.write_text(spoilt, encoding="utf-8")
    try:
        argv = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *sabotage.tests]
        ended = subprocess.run(
            argv,
            check=False,
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        return "the tests did not end"
    finally:
        file.write_text(whole, encoding="utf-8")
    if ended.returncode == RED:
        return None
    last = (ended.stdout + ended.stderr).strip().splitlines()[-1:]
    return f"no test failed (pytest ended with {ended.returncode}: {' '.join(last)[:120]})"


def main() -> None:
    """Measure and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of sabotages; all by default")
    finish(measure(tuple(parser.parse_args().names)))


if __name__ == "__main__":
    main()
