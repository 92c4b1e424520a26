"""T3: the process is killed before and after every commit, blob, link, hint and heartbeat of an order. Run: python -m tests.chaos.every_step.

Steps are counted in a run that is left alone; then each of them is the last one of a process of its own, and another one carries on as
caller, housekeeping and worker do. Held: every time the same picture, the same marks and the same files are there, once.
"""

import json
import multiprocessing
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import redis

from app.settings import Settings
from app.stack import embedded
from app.stack.migrate import migrate
from tests.chaos import steps
from tests.chaos.table import Row, run
from tests.conftest import FAST

LEAST = 25
CLEAN = tuple(f"DELETE FROM {table}" for table in ("jobs", "images", "idempotency_keys"))
LATER = (
    "UPDATE jobs SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL",
    "UPDATE jobs SET run_at = run_at - interval '1 h', hinted_at = hinted_at - interval '1 h'",
    "UPDATE idempotency_keys SET locked_until = now() - interval '1 s'",
)
"""As if the times that recovery waits for were over."""


class Killing:
    """Kills at steps, on servers that run."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings.model_copy(update={"blobs": str(folder / "blobs")})
        self._folder = folder
        # Forked from a process that has nothing but the modules: a second each instead of four.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.steps"])

    def whole(self) -> tuple[int, dict[str, Any]]:
        """Let an order run to its end; returns the number of steps and what is there then."""
        self._clean()
        told, _ = self._run(steps.attempt, None)
        return int(told), json.loads(self._run(steps.recover)[0])

    def at(self, step: int) -> tuple[str, dict[str, Any]]:
        """Kill at a step and carry on; returns its name, "" if it was not reached, and what is there then."""
        self._clean()
        name, code = self._run(steps.attempt, step)
        self._execute(*LATER)
        return name if code else "", json.loads(self._run(steps.recover)[0])

    def _run(self, target: Callable[..., None], *given: Any) -> tuple[str, int]:
        told = self._folder / "told"
        told.unlink(missing_ok=True)
        process = self._context.Process(target=target, args=(self._settings, *given, told))
        process.start()
        process.join(150)
        code = process.exitcode
        if code is None:
            process.kill()
            raise AssertionError(f"{target.__name__} {given} did not end")
        assert told.exists(), f"{target.__name__} {given} ended with {code}"
        return told.read_text(), code

    def _clean(self) -> None:
        self._execute(*CLEAN)
        shutil.rmtree(self._folder / "blobs", ignore_errors=True)
        with redis.Redis.from_url(self._settings.hints_url) as client:
            client.flushall()

    def _execute(self, *statements: str) -> None:
        with psycopg.connect(str(self._settings.database_url), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def killed(settings: Settings, folder: Path, every: int) -> tuple[int, dict[str, str]]:
    """Kill at every `every`-th step; returns how many there are, and by name what went wrong after which of those tried."""
    killing = Killing(settings, folder)
    count, wanted = killing.whole()
    assert wanted["statuses"] == ["succeeded"], wanted
    wrong = {}
    for step in range(1, count + 1, every):
        name, found = killing.at(step)
        wrong[f"{step} {name}"] = "" if found == wanted else json.dumps(found)
    return count, wrong


def measure(every: int = 1) -> Row:
    """Kill at the steps and compare."""
    folder = Path(tempfile.mkdtemp(prefix="mw-steps-"))
    folder.chmod(0o711)
    try:
        with embedded.started(Settings(home=folder, profile="embedded"), postgres_options=FAST) as settings:
            migrate(settings)
            count, tried = killed(settings, folder, every)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wrong = [f"{name}: {what}" for name, what in tried.items() if what]
    reached = sum(not name.endswith(" ") for name in tried)
    return Row.of_checks(
        id="T3",
        fault="SIGKILL at every step of an order",
        load=f"{reached} of {count} steps",
        asked=len(tried),
        bad=wrong,
        failures=(f"only {count} steps",) if count < LEAST else (),
        seen=f"{len(tried) - len(wrong)} of {len(tried)} converge to the same state",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
