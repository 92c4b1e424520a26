"""Measures imports and corpus reading on synthetic files of ours. Run: python -m tests.bench.imports.

`read`: a COCO file of 10,000 and of 100,000 images with 7 outlined objects each, opened and read record by record.
`import`: the whole job on small drawn pictures, with Postgres, decoding, blobs and facts. `corpus`: statistics of a LLaVA
file of a million answers. Every part runs in a process of its own; CPU seconds are that process's, memory its peak.
"""

import argparse
import datetime as dt
import json
import os
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "imports"
OBJECTS = 7
PARTS = (("read", 10_000), ("read", 100_000), ("import", 1_000), ("corpus", 20_000), ("corpus", 200_000))
"""Of `--scale 1`; at 12 `read` has Open Images' million images."""
ANSWERS = 5


def main() -> None:
    """Run every part and write the table, or run one part in this process and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=sorted(RUNS))
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes")
    asked = parser.parse_args()
    if asked.part is not None:
        print(json.dumps(measured(asked.part, asked.count)))
        return
    rows = [in_process(part, max(1, int(count * asked.scale))) for part, count in PARTS]
    result = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "rows": rows,
    }
    text = table(result)
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "imports.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "table.txt").write_text(text + "\n", encoding="utf-8")


def in_process(part: str, count: int) -> dict[str, Any]:
    """Run one part in a child, so that its memory is its own."""
    argv = [sys.executable, "-m", "tests.bench.imports", "--part", part, "--count", str(count)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(part: str, count: int) -> dict[str, Any]:
    """Make the input, run the part over it, and return what it cost beyond an idle interpreter."""
    folder = Path(tempfile.mkdtemp(prefix="mw-"))
    folder.chmod(0o711)
    try:
        return _measured(part, count, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(part: str, count: int, folder: Path) -> dict[str, Any]:
    with ExitStack() as stack:
        run = RUNS[part](folder, count, stack)
        before_mb = peak_mb()
        wall, cpu = time.perf_counter(), time.process_time()
        records, size_bytes = run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {
            "part": part,
            "records": records,
            "file_mb": round(size_bytes / 1e6, 1),
            "wall_s": round(wall, 2),
            "cpu_s": round(cpu, 2),
            "records_per_cpu_s": round(records / cpu),
            "records_per_s": round(records / wall),
            "peak_mb": round(peak_mb()),
            "peak_before_mb": round(before_mb),
        }


def peak_mb() -> float:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _read(folder: Path, count: int, _stack: ExitStack) -> Callable[[], tuple[int, int]]:
    from models.sources.formats import open_source
    from models.sources.records import Tools

    path = folder / "instances.json"
    with path.open("w", encoding="utf-8") as out:
        out.writelines(_coco(count))
    (folder / "scratch").mkdir()

    def run() -> tuple[int, int]:
        reading = open_source("coco", [path], Tools(scratch=folder / "scratch", decode=NotImplemented))
        return sum(1 for _ in reading.records()), path.stat().st_size

    return run


def _coco(count: int) -> Iterator[str]:
    """A COCO document in pieces: annotations stand in no order of images, as published."""
    chance = random.Random(7)
    # A thousand outlines, repeated: writing the file must not take longer than reading it.
    outlines = [
        json.dumps([round(chance.uniform(0, 480), 2) for _ in range(2 * chance.randint(4, 40))]) for _ in range(1000)
    ]
    yield '{"info": {}, "images": ['
    for number in range(count):
        image = {"id": number, "file_name": f"{number:012d}.jpg", "width": 640, "height": 480}
        yield (", " if number else "") + json.dumps(image)
    yield '], "annotations": ['
    for number in range(count * OBJECTS):
        yield (
            f'{", " if number else ""}{{"id": {number}, "image_id": {chance.randrange(count)}, "category_id": '
            f'{chance.randint(1, 80)}, "bbox": [1.5, 2.25, 100.75, 88.5], "area": 1234.5, "iscrowd": 0, '
            f'"segmentation": [{outlines[number % 1000]}]}}'
        )
    categories = [{"id": number, "name": f"class {number}"} for number in range(1, 81)]
    yield f'], "categories": {json.dumps(categories)}}}'


def _import(folder: Path, count: int, stack: ExitStack) -> Callable[[], tuple[int, int]]:
    """The job itself, in this process, on a stack of its own."""
    from tests.acceptance.service import drawn

    (folder / "imports" / "pictures").mkdir(parents=True)
    document = json.loads("".join(_coco(count)))
    for image in document["images"]:
        image |= {"width": 64, "height": 48}
        (folder / "imports" / "pictures" / image["file_name"]).write_bytes(drawn(image["id"], (64, 48)))
    path = folder / "imports" / "instances.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    work = _job(folder, stack)

    def run() -> tuple[int, int]:
        work()
        return count, path.stat().st_size

    return run


def _job(folder: Path, stack: ExitStack) -> Callable[[], None]:
    """Order the import on a started stack; returns what runs it. Pictures are decoded by two children of this process."""
    from app.catalog.session import app_engine, transaction
    from app.http.schemas.imports import ImportIn
    from app.services import imports
    from app.services.keys import local_caller
    from app.settings import Settings
    from app.stack import embedded
    from app.stack.migrate import migrate
    from workers.handlers import HANDLERS
    from workers.resources import Resources
    from workers.runner import Outcome, Runner

    asked = Settings(home=folder / "home", profile="embedded", imports=folder / "imports")
    settings = stack.enter_context(embedded.started(asked))
    migrate(settings)
    engine, resources = app_engine(settings), Resources(settings)
    stack.callback(engine.dispose)
    stack.callback(resources.close)
    caller = local_caller(engine)
    body = ImportIn(format="coco", files=["instances.json"], images="pictures").order()
    with transaction(engine, caller.tenant_id) as session:
        job = imports.order(session, body, caller=caller, settings=settings, uploaded=None, idempotency_key=None)

    def run() -> None:
        if Runner(resources, HANDLERS, worker="bench").run(job.id) is not Outcome.SUCCEEDED:
            raise SystemExit("the import failed")

    return run


def _corpus(folder: Path, count: int, _stack: ExitStack) -> Callable[[], tuple[int, int]]:
    from models.corpora.statistics import Statistics
    from models.mixtures.llava_file import records

    path = folder / "corpus.json"
    chance = random.Random(11)
    words = [f"word{number}" for number in range(5_000)]
    with path.open("w", encoding="utf-8") as out:
        for number in range(count):
            turns = []
            for place in range(ANSWERS):
                question = " ".join(chance.choices(words, k=9)) + "?"
                answer = "1. a\n2. b\n3. c" if chance.random() < 0.01 else " ".join(chance.choices(words, k=28))
                turns += [
                    {"from": "human", "value": ("<image>\n" if place == 0 else "") + question},
                    {"from": "gpt", "value": answer},
                ]
            sample = {"id": str(number), "image": f"coco/{number}.jpg", "conversations": turns}
            out.write(("[" if number == 0 else ",\n") + json.dumps(sample))
        out.write("]\n")

    def run() -> tuple[int, int]:
        statistics = Statistics()
        for _, sample in records(path):
            statistics.add(sample)
        return statistics.answers.texts, path.stat().st_size

    return run


RUNS: dict[str, Callable[[Path, int, ExitStack], Callable[[], tuple[int, int]]]] = {
    "read": _read,
    "import": _import,
    "corpus": _corpus,
}


def table(result: dict[str, Any]) -> str:
    """One part and size a line."""
    lines = [
        f"imports, {result['date']}, {result['machine']}, Python {result['python']}",
        "part      records  file MB   wall s    CPU s  records/CPU s  records/s  peak MB  (before)",
    ]
    lines += [
        f"{row['part']:<8}{row['records']:>9,}{row['file_mb']:>9.1f}{row['wall_s']:>9.2f}{row['cpu_s']:>9.2f}"
        f"{row['records_per_cpu_s']:>15,}{row['records_per_s']:>11,}{row['peak_mb']:>9}{row['peak_before_mb']:>10}"
        for row in result["rows"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
