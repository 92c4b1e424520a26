"""The rows of the test plan that `make test` proves whole: where, so that they are not run twice. `tests.chaos` prints them under its table.

`tests/architecture/test_plan.py` sees that the files are there, and that every row has a driver or stands here.
"""

PROVEN: dict[str, tuple[str, tuple[str, ...]]] = {
    "F3": (
        "polyglots and lies about types",
        ("tests/acceptance/test_abuse.py", "tests/unit/app/imaging/test_decode.py"),
    ),
    "F4": ("every EXIF orientation, mode and format within .5 px", ("tests/unit/app/imaging/test_displayed.py",)),
    "F7": ("requests drawn from the OpenAPI document", ("tests/integration/app/test_any_request.py",)),
    "F8": ("JSON and words that mean harm", ("tests/acceptance/test_abuse.py",)),
    "S1": ("over 1,000 addresses that must not be fetched", ("tests/integration/test_fetch_ssrf.py",)),
    "S2": ("servers that answer with harm", ("tests/integration/test_fetch_loopback.py",)),
    "S3": ("no second fetcher", ("tests/architecture/test_rules.py", "tests/unit/app/imaging/test_one_door.py")),
    "S4": ("nothing unpickles or evaluates", ("tests/architecture/test_rules.py",)),
    "A1": ("every route asked by a stranger", ("tests/integration/app/test_tenants.py",)),
    "A2": (
        "row policies, connections used again",
        ("tests/integration/app/test_tenants.py", "tests/migrations/test_schema.py"),
    ),
    "P3": ("painted marks", ("tests/integration/test_hostile_pages.py", "tests/acceptance/test_painted_marks.py")),
    "C3": ("a backup walked through", ("tests/integration/stack/test_backup.py",)),
}


def table() -> str:
    """Rows of Markdown under a sentence."""
    lines = (f"| {row} | {what} | {', '.join(tests)} |" for row, (what, tests) in PROVEN.items())
    return "\n".join(("Proven by `make test`:", "", "| row | what | where |", "|---|---|---|", *lines))
