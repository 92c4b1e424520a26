"""Measure models side by side: python evaluate.py som-llava-tiny shopper@1 --benchmark listing --n 200 --out report.html

Asked with marks and without, as one job that survives restarts. `--benchmark` knows those that need no files (listing, refer,
classify, phrases, click, pope, video, on drawings) and those whose files lie under MARKWISE_BENCHMARKS.
"""

import argparse
import sys
from pathlib import Path

from markwise import Client, MarkwiseError
from markwise.types import Evaluation, Job


def show(job: Job) -> None:
    """Print a line of progress."""
    print(f"  {job.progress.percent:.0f} % {job.progress.stage or ''}", file=sys.stderr, flush=True)


def line(evaluation: Evaluation) -> str:
    """One evaluation: the model, how it was asked, and its first numbers."""
    settings = evaluation.settings
    numbers = {name: value for name, value in evaluation.metrics.items() if isinstance(value, int | float)}
    told = "  ".join(f"{name} {value:.3g}" for name, value in list(numbers.items())[:6])
    return f"{evaluation.benchmark:10} {settings.get('model', ''):20} {'tags' if settings.get('tags') else 'plain':6} {told}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="+", help="names of /v1/models")
    parser.add_argument("--benchmark", action="append", help="repeatable; listing without")
    parser.add_argument("--n", type=int, help="only so many questions of each")
    parser.add_argument("--out", type=Path, help="write the comparison as a page that works offline")
    given = parser.parse_args()

    with Client() as client:  # MARKWISE_SERVER and MARKWISE_KEY say where
        order = {"models": given.model, "benchmarks": given.benchmark or ["listing"], "tags": [True, False]}
        job = client.evaluate(**order, **({"n": given.n} if given.n else {}))
        result = client.wait(job, on_progress=show).result or {}
        for evaluation_id in result["evaluation_ids"]:
            print(line(client.evaluation(evaluation_id)))
        if given.out:
            given.out.write_bytes(client.evaluation_page(result["evaluation_id"]))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MarkwiseError as error:
        sys.exit(str(error))
