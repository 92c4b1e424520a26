"""Orders finders and their searches of a running service, waits for them, and shows what came out: `markwise evaluate finder`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from app.commands.client import Client, show


def teach(server: str, body: dict[str, Any], *, as_json: bool) -> None:
    """Have a finder taught and registered; raises Failure."""
    client = Client(server)
    job = _done(client, client.call("POST", "/v1/trainings", json=body))
    version = client.call("GET", f"/v1/models/{job['result']['model_version_id']}")
    figures = ", ".join(f"{name} {value:.3g}" for name, value in version["metrics"].items() if isinstance(value, float))
    show(version, as_json, f"{version['name']}@{version['version']}: {figures}")


def search(server: str, finder: str, given: Mapping[str, Any], *, top: int, out: Path | None) -> None:
    """Have images of the catalog ranked, print the surest `top`, and write their gallery to `out`; raises Failure."""
    client = Client(server)
    body = {"finder": finder, "images": _images(client, given), "tagged_label": given["tagged_label"]}
    job = _done(client, client.call("POST", "/v1/findings", json=body))
    path = f"/v1/findings/{job['id']}"
    found = client.call("GET", path, params={"limit": top})
    if out is not None:
        client.download(path, out, format="html", limit=top)
    lines = [f"{row['score']:.3f}  {row['image_id']}" for row in found["data"][:20]]
    lines += [f"{name:>24}  {value:.3f}" for name, value in found["metrics"].items()]
    failed = job["progress"]["failed"]
    told = f"{job['result']['candidates']} images" + (f"; {failed} could not be looked at" if failed else "")
    show(found, given["as_json"], "\n".join([*lines, told + ("" if out is None else f" -> {out}")]))


def _done(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    click.echo(f"job {job['id']}", err=True)
    return client.wait(job)


def _images(client: Client, given: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {"label": given["label"], "import": given["import_"]}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if len(chosen) + given["catalog"] != 1:
        raise click.UsageError("say which images: one of --label, --import and --catalog")
    return chosen or {"ids": _all_ids(client)}


def _all_ids(client: Client) -> list[str]:
    ids: list[str] = []
    query: dict[str, Any] = {"limit": 500}
    while True:
        listed = client.call("GET", "/v1/images", params=query)
        ids += [image["id"] for image in listed["data"]]
        if not listed["has_more"]:
            return ids
        query["after"] = listed["next_cursor"]
