"""The client of a running service that the commands share: calls, downloads, and a bar that follows a job."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import Progress

from app.cli import Failure

server_option = click.option(
    "--server",
    envvar="MARKWISE_SERVER",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="The running service.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


class Client:
    """A thin HTTP client: JSON in, JSON out, every failure a sentence."""

    def __init__(self, server: str) -> None:
        key = os.environ.get("MARKWISE_KEY")
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=server, headers=headers, timeout=150, trust_env=False)

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        """Return the body of a success; raises Failure with the problem's own words."""
        try:
            response = self._http.request(method, path, **kwargs)
        except httpx.HTTPError:
            raise Failure(f"no service answers at {self._http.base_url}; start one with `markwise serve`") from None
        if response.is_success:
            return response.json()
        raise _refusal(response)

    def download(self, path: str, out: Path, **params: Any) -> None:
        """Write a response to the file `out` as it comes, whole or not at all; raises Failure. A parameter of None is left out."""
        query = {name: value for name, value in params.items() if value is not None}
        part = out.with_name(f"{out.name}.part")
        try:
            # An empty mapping would take away the query that `path` brings.
            with self._http.stream("GET", path, params=query or None) as response, part.open("wb") as file:
                if not response.is_success:
                    response.read()
                    raise _refusal(response)
                file.writelines(response.iter_bytes())
            part.rename(out)
        except httpx.HTTPError:
            raise Failure(f"{self._http.base_url}{path} broke off; is the service still running?") from None
        finally:
            part.unlink(missing_ok=True)

    def wait(
        self, job: dict[str, Any], *, describe: Callable[[dict[str, Any]], str] = lambda _job: ""
    ) -> dict[str, Any]:
        """Follow a job with a progress bar on stderr until it has ended; raises Failure if it failed.

        `describe` words what the bar says of the job, else it is the stage.
        """
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(job["kind"], total=None)
            while job["status"] not in {"succeeded", "failed", "cancelled"}:
                time.sleep(0.5)
                job = self.call("GET", f"/v1/jobs/{job['id']}")
                progress = job["progress"]
                bar.update(
                    task,
                    total=progress["total"] or None,
                    completed=progress["done"],
                    description=describe(job) or progress["stage"] or job["kind"],
                )
        if job["status"] != "succeeded":
            error = job["error"] or {}
            raise Failure(
                f"the job {job['id']} {job['status']}: {error.get('detail') or error.get('title') or ''}".strip(": ")
            )
        return job


def _refusal(response: httpx.Response) -> Failure:
    """What the service said of a request that it refused, as one sentence."""
    try:
        found = response.json()
    except ValueError:
        found = {}
    detail = found.get("detail") or "; ".join(error["message"] for error in found.get("errors", []))
    return Failure(f"{found.get('title', response.status_code)}. {detail}".strip())


def show(body: Any, as_json: bool, text: str) -> None:
    """Print a result for people or for programs."""
    click.echo(json.dumps(body) if as_json else text)
