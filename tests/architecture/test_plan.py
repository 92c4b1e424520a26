"""Every row of the test plan has a driver in tests/chaos or a test that is named there."""

import re
from pathlib import Path

from tests.chaos import elsewhere

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"T": 15, "F": 8, "S": 5, "A": 5, "L": 4, "P": 4, "C": 3}
LEFT_OUT = {"T2", "P2"}
"""An eight hours' soak; attacks on a large model, which take a GPU."""


def test_every_row_is_proven_somewhere() -> None:
    rows = {f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1)} - LEFT_OUT
    drivers = "\n".join(path.read_text() for path in (ROOT / "tests" / "chaos").glob("*.py"))
    driven = set(re.findall(r'id="([A-Z]\d+)"|^    "([PT]\d+)": Suite', drivers, re.MULTILINE))
    assert rows - {one or two for one, two in driven} - set(elsewhere.PROVEN) == set()


def test_the_tests_that_are_named_are_there() -> None:
    named = {name for _, tests in elsewhere.PROVEN.values() for name in tests}
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
