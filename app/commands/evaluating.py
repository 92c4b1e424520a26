"""Orders evaluations of a running service, waits for them, and shows what came out: `markwise evaluate run --server`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.commands.client import Client, show
from app.commands.report import show as show_section


def order(server: str, body: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    """Order what `body` says, wait, print the comparison and write it as a page to `out`; raises Failure."""
    client = Client(server)
    job = client.call("POST", "/v1/evaluations", json=body)
    click.echo(f"job {job['id']}", err=True)
    job = client.wait(job)
    path = f"/v1/evaluations/{job['result']['evaluation_id']}"
    evaluation = client.call("GET", path)
    if out is not None:
        client.download(path, out, format="html")
    if as_json:
        show(job | {"evaluation": evaluation}, as_json, "")
        return
    for section in evaluation["report"]["comparison"]:
        show_section(section)
    click.echo(f"evaluations {', '.join(job['result']['evaluation_ids'])}")
    if out is not None:
        click.echo(f"written to {out}")


def body_of(
    names: Sequence[str],
    models: Sequence[str],
    *,
    tags: Sequence[bool],
    marks: Sequence[dict[str, Any]],
    **given: Any,
) -> dict[str, Any]:
    """Return the order of these options; what was not given is the service's to choose."""
    body = {"benchmarks": list(names), "tags": list(tags), "models": list(models) or None, "marks": list(marks) or None}
    return {name: value for name, value in (body | given).items() if value is not None}
