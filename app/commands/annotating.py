"""`markwise annotate`: have a running service write training texts, and show what they took.

Which writers there are comes from `models.writers.registry`; the service checks that an order's parts fit together.
"""

import json
from typing import Any

import click

from app.commands.client import Client, json_option, server_option, show
from models.writers.registry import WRITERS, Entry

_EXAMPLES = """Examples:

\b
  markwise annotate --label shop                              # listings from names, by rules
  markwise annotate --import JOB                              # from what an import outlined
  markwise annotate --label coco --writer vlm --mode improved-system --model gpt-4o --concurrency 32
  markwise annotate --job LISTING_JOB --label coco --others 10000 --kind conversation --writer vlm
  markwise annotate --import JOB --kind description --writer svit \\
      --budget-cost 20 --price-prompt 2.5 --price-completion 10
  markwise annotate --resume JOB                              # what failed, was cancelled or not paid for

A job goes on when this command is interrupted; it names the job."""


def _needs(entry: Entry) -> str:
    about = "marks" if entry.about == "marks" else "imported facts"
    teacher = {
        "never": "no teacher",
        "by eye": "a teacher that sees",
        "by text": "a teacher that reads",
        "if named": "a teacher if one is named",
    }[entry.taught]
    modes = f"; modes {', '.join(entry.modes)}" if entry.modes else ""
    options = f"; options {', '.join(entry.options)}" if entry.options else ""
    return f"about {about}, {teacher}{modes}{options}"


def _writers() -> str:
    width = max(len(f"{kind} {name}") for kind, name in WRITERS)
    lines = (f"  {f'{kind} {name}':<{width}}  {_needs(entry)}" for (kind, name), entry in WRITERS.items())
    return "\n".join(("Kinds and writers:", "", "\b", *lines))


@click.command(epilog=f"{_writers()}\n\n{_EXAMPLES}")
@click.option("--kind", default="listing", show_default=True, help="What to write; see below.")
@click.option("--writer", default="rules", show_default=True, help="Who writes it; see below.")
@click.option("--mode", help="How the writer asks its teacher, for instance two-shot.")
@click.option("--label", help="About all images with this label.")
@click.option("--image", "ids", multiple=True, help="About this image; may be repeated.")
@click.option("--import", "import_", metavar="JOB", help="About the images of this import.")
@click.option(
    "--job", "job_ids", multiple=True, metavar="JOB", help="About the images that this annotation job wrote about."
)
@click.option("--others", type=int, help="With --job: so many images of --label or --import besides.")
@click.option("--limit", type=int, help="About at most so many of them, drawn by --seed.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    help="Go by the facts of this import source; may be repeated. With --import it is that import's own.",
)
@click.option("--all-sources", is_flag=True, help="Go by the facts of all sources.")
@click.option("--segmenter", help="How images without marks are marked: auto, gui, regions, sam, ...")
@click.option("--model", help="The teacher; without it the model that answers /ground.")
@click.option("--temperature", type=float, help="Of the teacher.")
@click.option("--tries", type=int, default=3, show_default=True, help="How often one text is asked for.")
@click.option("--concurrency", type=int, help="Questions at once, over all workers (default: 8 per worker).")
@click.option("--budget-tokens", type=int, help="Stop after so many tokens.")
@click.option("--budget-cost", type=float, help="Stop at this cost; needs the two prices.")
@click.option("--price-prompt", type=float, help="Of a million tokens that the teacher reads.")
@click.option("--price-completion", type=float, help="Of a million tokens that it writes.")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the writer, such as turns=5."
)
@click.option("--example", "examples", multiple=True, metavar="TEXT", help="For two-shot: an accepted listing; twice.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", metavar="JOB", help="Go on with a job that stopped, instead of ordering a new one.")
@server_option
@json_option
def annotate(server: str, as_json: bool, resume: str | None, **given: Any) -> None:
    """Have training texts written about images: by rules from names, or by a teacher that is checked and asked again.

    Every text keeps its writer, prompt version, instruction, teacher, tries, seed, tokens and time.
    """
    client = Client(server)
    if resume is not None:
        job = client.call("POST", f"/v1/jobs/{resume}/retry")
    else:
        job = client.call("POST", "/v1/annotations", json=order_of(given))
    click.echo(f"job {job['id']}", err=True)
    job = client.wait(job, describe=_spent)
    report = client.call("GET", f"/v1/annotations/{job['id']}")
    show(job | {"report": report}, as_json, summary(report))


def order_of(given: dict[str, Any]) -> dict[str, Any]:
    """The body of an order; raises UsageError for options that cannot be meant together."""
    images = {name: given[name] for name in ("label", "others", "limit") if given[name] is not None}
    images |= {name: list(given[name]) for name in ("ids", "job_ids") if given[name]}
    images |= {"import": given["import_"]} if given["import_"] else {}
    if not images.keys() & {"label", "ids", "import", "job_ids"}:
        raise click.UsageError("say which images: --label, --image, --import or --job")
    prices = [given["price_prompt"], given["price_completion"]]
    if (prices[0] is None) != (prices[1] is None):
        raise click.UsageError("give --price-prompt and --price-completion together")
    budget = {"tokens": given["budget_tokens"], "cost": given["budget_cost"]}
    body = {
        **{name: given[name] for name in ("kind", "writer", "mode", "model", "tries", "concurrency", "seed")},
        "images": images,
        "sources": list(given["sources"]) if given["sources"] or given["all_sources"] else None,
        "marks": {"segmenter": given["segmenter"]} if given["segmenter"] else None,
        "teacher": None if given["temperature"] is None else {"temperature": given["temperature"]},
        "budget": budget if any(value is not None for value in budget.values()) else None,
        "prices": None if prices[0] is None else {"prompt": prices[0], "completion": prices[1]},
        "examples": list(given["examples"]) or None,
        "options": dict(_option(text) for text in given["options"]),
    }
    return {name: value for name, value in body.items() if value is not None}


def _option(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.UsageError(f"--option takes NAME=VALUE, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _spent(job: dict[str, Any]) -> str:
    """What a progress bar says of a running job."""
    usage = job["usage"] or {}
    tokens = usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
    failed = job["progress"]["failed"]
    parts = [f"{tokens:,} tokens" if tokens else "", f"{usage['cost']:.2f} spent" if "cost" in usage else ""]
    return ", ".join(filter(None, ("writing", *parts, f"{failed} failed" if failed else "")))


def summary(report: dict[str, Any]) -> str:
    """What a finished order tells a person."""
    items = report["items"]
    lines = [f"{items['done'] - items['failed']} of {items['total']} images written about by job {report['id']}"]
    if items["failed"]:
        lines.append(f"{items['failed']} failed: `GET /v1/jobs/{report['id']}/items?status=failed` says why")
    for row in report["texts"]:
        name = " ".join(filter(None, (row["writer"], row["mode"])))
        tried = (
            f", {100 * row['first_try_rate']:.1f} % right at the first try, {row['tries_mean']:.2f} tries,"
            f" {row['prompt_tokens'] + row['completion_tokens']:,} tokens"
            if row["tries"]
            else ""
        )
        kept = f", {row['checks_failed']} kept for review" if row["checks_failed"] else ""
        lines.append(f"  {name}: {row['texts']} texts{tried}{kept}")
    if report["usage"] and "cost" in report["usage"]:
        lines.append(f"  cost {report['usage']['cost']}")
    return "\n".join(lines)
