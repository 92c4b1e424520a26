"""`markwise import`: have a running service read annotation files and pictures, and show what became of every record.

Beside a `serve` of the same data folder the paths are linked into its folder of imports, so nothing is copied; a service
elsewhere gets one annotation file by upload, or reads names of its own folder (--on-server).
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import click

from app.cli import Failure
from app.commands.client import Client, json_option, server_option
from app.commands.serve import settings_or_fail
from app.settings import Settings
from app.stack import embedded, lock
from models.sources.cleaning import Cleaning
from models.sources.formats import FORMATS
from models.sources.left_out import names_in
from models.sources.records import BrokenFile

SHOWN_ERRORS = 20
RULES = tuple(
    name for name in Cleaning.__dataclass_fields__ if name not in {"left_out_labels", "left_out_records", "senses"}
)


EXAMPLES = """\b
Examples:
  markwise import coco instances.json captions.json --images train2017/
  markwise import visual-genome vg/ --images vg/images/ --clean mmgic --leave-out dataset_coco.json
  markwise import folder screenshots/ --label shop
"""


def _formats() -> str:
    width = max(map(len, FORMATS))
    listed = "\n".join(f"  {found.name:<{width}}  {found.takes}" for found in FORMATS.values())
    return f"{EXAMPLES}\n\b\nFormats and what they take:\n{listed}"


@click.command("import", epilog=_formats())
@click.argument("format_name", metavar="FORMAT", type=click.Choice(list(FORMATS)))
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--images", metavar="DIR", help="The folder of the pictures; without it they are fetched by their URLs.")
@click.option("--source", help="The name under which records are known; default: the format's.")
@click.option("--label", "labels", multiple=True, help="One more label for every image; may be repeated.")
@click.option(
    "--clean", type=click.Choice(["none", "mmgic"]), default="none", show_default=True, help="Rules to start from."
)
@click.option("--rule", "rules", multiple=True, metavar="NAME=VALUE", help=f"Change one rule: {', '.join(RULES)}.")
@click.option(
    "--leave-out",
    "lists",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Leave out the images that this list names: an id per line (also coco:ID, flickr:ID), or a split file of"
    " Karpathy's, of whose COCO pictures those of the test split go. None ships. May be repeated.",
)
@click.option(
    "--on-server", is_flag=True, help="Paths are names in the server's own folder of imports (MARKWISE_IMPORTS)."
)
@server_option
@json_option
def import_(
    format_name: str,
    paths: tuple[str, ...],
    images: str | None,
    source: str | None,
    labels: tuple[str, ...],
    clean: str,
    rules: tuple[str, ...],
    lists: tuple[Path, ...],
    on_server: bool,
    server: str,
    as_json: bool,
) -> None:
    """Take in images and what published annotation files say about them; again adds nothing.

    Every record that cannot be used is listed with its reason, and `POST /v1/jobs/ID/retry` tries only those again.
    """
    body: dict[str, Any] = {"format": format_name, "labels": list(labels), "clean": {"rules": clean, **_rules(rules)}}
    if lists:
        body["clean"]["left_out_records"] = _left_out(lists)
    if source is not None:
        body["source"] = source
    client = Client(server)
    upload = _place(body, paths, images, settings_or_fail(), on_server)
    if upload is None:
        job = client.call("POST", "/v1/imports", json=body)
    else:
        fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
        job = client.call("POST", "/v1/imports", files={"file": upload.read_bytes()}, data=fields)
    _finish(client, job, as_json)


def _rules(given: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for rule in given:
        name, _, value = rule.partition("=")
        try:
            found[name] = json.loads(value)
        except ValueError:
            name = ""
        if name not in RULES:
            raise click.BadParameter(
                f"{rule}: expected NAME=VALUE, NAME one of {', '.join(RULES)}", param_hint="--rule"
            )
    return found


def _left_out(lists: tuple[Path, ...]) -> list[str]:
    try:
        return sorted(frozenset[str]().union(*map(names_in, lists)))
    except BrokenFile as error:
        raise Failure(str(error)) from None


def _place(
    body: dict[str, Any], paths: tuple[str, ...], images: str | None, settings: Settings, on_server: bool
) -> Path | None:
    """Say in the body where things are; returns the one file that has to be uploaded. Raises Failure or UsageError."""
    given = [*paths, *([] if images is None else [images])]
    if on_server:
        names = list(given)
    else:
        missing = [path for path in given if not Path(path).exists()]
        if missing:
            raise click.UsageError(
                f"{missing[0]} does not exist; with --on-server, names are those of the server's folder"
            )
        if not (settings.embedded and lock.held(embedded.lock_path(embedded.data_folder(settings)))):
            if len(given) == 1 and Path(given[0]).is_file():
                return Path(given[0])
            raise Failure(
                "no service of this data folder runs here, and only one annotation file can be uploaded: put the files "
                "into the server's folder of imports (MARKWISE_IMPORTS) and name them with --on-server"
            )
        names = [_linked(Path(path), settings.imports_folder) for path in given]
    body["files"] = names[: len(paths)]
    if images is not None:
        body["images"] = names[-1]
    return None


def _linked(path: Path, folder: Path) -> str:
    """Grant the service one path: a link in its folder of imports, whose owner we are. The same path gives the same link."""
    target = path.resolve()
    name = f"{hashlib.sha256(os.fsencode(target)).hexdigest()[:10]}-{target.name}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    except OSError as exc:
        raise Failure(f"cannot link {path} into {folder}: {exc.strerror}") from None
    return name


def _finish(client: Client, job: dict[str, Any], as_json: bool) -> None:
    """Follow the job; print its counts, then the errors; exit 1 if a record failed."""
    try:
        job = client.wait(job)
    except Failure:
        job = client.call("GET", f"/v1/jobs/{job['id']}")
        _print_errors(client, job)
        raise
    result = job["result"]
    if as_json:
        click.echo(json.dumps(job))
    else:
        counted = ", ".join(f"{result[name]} {name}" for name in ("added", "known", "skipped", "failed"))
        click.echo(f"{result['records']} records: {counted}; job {job['id']}")
    if result["failed"]:
        _print_errors(client, job)
        raise SystemExit(1)


def _print_errors(client: Client, job: dict[str, Any]) -> None:
    query = {"status": "failed", "limit": SHOWN_ERRORS}
    items = client.call("GET", f"/v1/jobs/{job['id']}/items", params=query)["data"]
    for item in items:
        click.echo(f"failed {(item['error'] or {}).get('detail')}", err=True)
    more = job["progress"]["failed"] - len(items)
    if more > 0:
        click.echo(f"... and {more} more: GET /v1/jobs/{job['id']}/items?status=failed", err=True)
