"""P1 and P4: a model that says whatever it likes, and pages full of special tokens. Run: python -m tests.chaos.hostile_words [P1|P4].

Both are whole tests of `make test`; here they are rows. Held: nothing but an offered mark or none comes back, no address travels to the
server, and no special token of the shipped tokenizer reaches a prompt from a page, a label, a file name or a query.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.table import Row, head

ROOT = Path(__file__).resolve().parents[2]
_COUNTS = re.compile(r'(tests|failures|errors|skipped)="(\d+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A row that is a test."""

    fault: str
    load: str
    tests: tuple[str, ...]


SUITES = {
    "P1": Suite(
        fault="a model server that lies",
        load="10,000 hostile answers",
        tests=("tests/unit/models/vlm/test_hostile_model.py", "tests/unit/models/vlm/test_openai.py"),
    ),
    "P4": Suite(
        fault="special tokens in every text",
        load="every token of the tokenizer, mixed",
        tests=("tests/unit/models/vlm/test_special_tokens.py", "tests/unit/models/vlm/test_prompts.py"),
    ),
}


def measure(name: str) -> Row:
    """Run the tests of a row."""
    suite, began = SUITES[name], time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={told}", *suite.tests]
        ended = subprocess.run(argv, cwd=ROOT, capture_output=True, check=False)
        counts = {name: int(count) for name, count in _COUNTS.findall(told.read_text()[:500])} if told.exists() else {}
    red = counts.get("failures", 0) + counts.get("errors", 0)
    passed = counts.get("tests", 0) - red - counts.get("skipped", 0)
    return Row(
        id=name,
        fault=suite.fault,
        load=suite.load,
        survived=passed,
        lost=red,
        failures=() if ended.returncode == 0 else (f"{red or 'some'} tests failed",),
        seen=f"{passed} tests in {time.monotonic() - began:.0f} s",
    )


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*SUITES, []], help="P1, P4; both by default")
    rows = [measure(name) for name in parser.parse_args().rows or SUITES]
    print("\n".join((head(), *(row.text for row in rows))))
    raise SystemExit(any(row.failures for row in rows))


if __name__ == "__main__":
    main()
