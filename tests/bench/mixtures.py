"""Building and exporting `som-llava-695k` at its full size. Run: python -m tests.bench.mixtures (about 4 minutes).

665,298 synthetic records in one LLaVA JSON file, 10,000 listings and 20,000 conversations in a real catalog, one worker
process. Prints samples per second and how far memory grew: it must not grow with the words.
"""

import argparse
import datetime as dt
import hashlib
import json
import platform
import resource
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import Engine

from app.catalog.datasets import DatasetRepository
from app.catalog.session import app_engine, transaction
from app.catalog.tables import DatasetRow, JobRow
from app.formats.recipes import shipped_recipe
from app.services import datasets
from app.services.dataset_exports import Export, Format
from app.services.import_folder import ImportFolder
from app.settings import Settings
from app.stack import embedded
from app.stack.migrate import migrate
from models.mixtures.choose import choose
from models.mixtures.plan import arrange
from models.mixtures.recipe import Part, Recipe, TextSelector
from models.mixtures.samples import Sample
from workers.handlers import HANDLERS
from workers.resources import Resources
from workers.runner import Runner

RESULTS = Path(__file__).parent / "results" / "mixtures"
FULL = 665_298
OWN = {"listing": 10_000, "conversation": 20_000}
ANSWER = "A man in a red jacket stands beside a small wooden table, and two dogs sleep in front of it. " * 3


def write_file(path: Path, count: int) -> None:
    """A LLaVA file of so many records of about 600 bytes, one in sixteen without a picture."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            alone = number % 16 == 0
            question = "What is shown here?" if alone else "<image>\nWhat is shown here?"
            turns = [{"from": "human", "value": question}, {"from": "gpt", "value": f"{number}. {ANSWER}"}]
            record = {"id": str(number), "conversations": turns}
            if not alone:
                record["image"] = f"coco/train2017/{number:012d}.jpg"
            file.write(("[" if number == 0 else ",\n") + json.dumps(record))
        file.write("]")


def fill_catalog(settings: Settings, tenant: Any, scale: float) -> None:
    """The catalog's own texts, about one picture each, without pixels."""
    with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
        counts = {kind: max(1, int(count * scale)) for kind, count in OWN.items()}
        connection.execute(
            """
            WITH job AS (INSERT INTO jobs (tenant_id, kind, queue, payload) VALUES (%(t)s, 'annotation.create', 'batch', '{}')
                RETURNING id),
            image AS (INSERT INTO images (tenant_id, sha256, media_type, width, height, bytes, source, blob_key)
                SELECT %(t)s, lpad(n::text, 64, '0'), 'image/png', 1, 1, 1, 's', 'k' FROM generate_series(1, %(n)s) AS n
                RETURNING id, sha256),
            marks AS (INSERT INTO mark_sets (tenant_id, image_id, segmenter_name, segmenter_version, style, settings,
                    settings_sha256, omitted_regions, overlay_blob_key)
                SELECT %(t)s, id, 's', '1', '{}', '{}', 'x', 0, 'k' FROM image RETURNING id, image_id)
            INSERT INTO texts (tenant_id, image_id, mark_set_id, job_id, job_item, ordinal, kind, tagged, conversations, provenance)
            SELECT %(t)s, image.id, marks.id, job.id, image.sha256::int, 0,
                CASE WHEN image.sha256::int <= %(l)s THEN 'listing' ELSE 'conversation' END, true, %(c)s::jsonb, '{}'
            FROM image JOIN marks ON marks.image_id = image.id, job
            """,
            {
                "t": tenant,
                "n": sum(counts.values()),
                "l": counts["listing"],
                "c": json.dumps(
                    [{"from": "human", "value": "<image>\nList."}, {"from": "gpt", "value": f"1. {ANSWER}"}]
                ),
            },
        )


def built(resources: Resources, engine: Engine, tenant: Any) -> DatasetRow:
    """Build the recipe in this process, as a worker does."""
    with transaction(engine, tenant) as session:
        job_id = datasets.order(
            session,
            shipped_recipe("som-llava-695k"),
            name="bench",
            folder=ImportFolder(resources.settings),
            may_read_files=True,
            idempotency_key=None,
        ).id
    Runner(resources, HANDLERS, worker="bench").run(job_id)
    with transaction(engine, tenant) as session:
        job = session.get(JobRow, job_id)
        if job is None or job.result is None:
            raise SystemExit(f"the build failed: {job and job.error}")
        return DatasetRepository(session).get(job.result["dataset_id"])


def measure(settings: Settings, tenant: Any, home: Path, scale: float) -> dict[str, Any]:
    """Build once and export once; the peak is the process's own."""
    resources, engine = Resources(settings), app_engine(settings)
    count = int(FULL * scale)
    write_file(settings.imports_folder / "llava_v1_5_mix665k.json", count)
    fill_catalog(settings, tenant, scale)
    megabytes = (settings.imports_folder / "llava_v1_5_mix665k.json").stat().st_size / 1e6
    before = psutil.Process().memory_info().rss
    began, cpu = time.perf_counter(), time.process_time()
    dataset = built(resources, engine, tenant)
    build_s, build_cpu_s = time.perf_counter() - began, time.process_time() - cpu
    grown = psutil.Process().memory_info().rss - before
    texts = dataset.statistics["texts"]
    export = Export(
        transaction=partial(transaction, engine, tenant),
        blobs=resources.blobs,
        folder=ImportFolder(settings),
        dataset=dataset,
    )
    exports = {form: exported(export, form) for form in ("llava", "jsonl")}
    again = built(resources, engine, tenant)
    engine.dispose()
    resources.close()
    return {
        "samples": texts,
        "file_mb": round(megabytes),
        "build_s": round(build_s, 1),
        "build_cpu_s": round(build_cpu_s, 1),
        "samples_per_s": round(texts / build_s),
        "memory_growth_mb": round(grown / 1e6),
        "same_hash_when_built_again": again.content_sha256 == dataset.content_sha256,
        "exports": exports,
    }


def planned(scale: float) -> dict[str, Any]:
    """Choose and order as many samples without words and database: what a build holds between its passes."""
    turns = [{"from": "human", "value": "<image>\nWhat?"}, {"from": "gpt", "value": ANSWER}]
    count = int(scale * (FULL + sum(OWN.values())))
    samples = (
        Sample(key=f"p:{n}", id=str(n), kind="conversation", conversations=turns, image="a.png") for n in range(count)
    )
    part = Part(name="p", texts=TextSelector())
    before, cpu = psutil.Process().memory_info().rss, time.process_time()
    plan = arrange(Recipe(name="r", purpose="A bench.", parts=(part,)), [choose(part, samples, seed=0)])
    held = psutil.Process().memory_info().rss - before
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "samples": len(plan),
        "cpu_s": round(time.process_time() - cpu, 1),
        "bytes_held_per_sample": round(held / count),
        "peak_mb": round(peak / 1e6),
    }


def exported(export: Export, form: Format) -> dict[str, Any]:
    """Stream a format to nowhere."""
    began = time.perf_counter()
    digest, size = hashlib.sha256(), 0
    for piece in export.pieces(form):
        data = piece.encode() if isinstance(piece, str) else piece
        digest.update(data)
        size += len(data)
    took = time.perf_counter() - began
    texts = int(export.dataset.statistics["texts"])
    return {"mb": round(size / 1e6), "s": round(took, 1), "samples_per_s": round(texts / took)}


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the full size")
    scale = parser.parse_args().scale
    plan = planned(scale)
    home = Path(tempfile.mkdtemp(prefix="mw-"))
    home.chmod(0o711)
    try:
        with embedded.started(Settings(home=home, profile="embedded")) as settings:
            migrate(settings)
            settings.imports_folder.mkdir(parents=True, exist_ok=True)
            with psycopg.connect(str(settings.database_url)) as connection:
                row = connection.execute("SELECT id FROM tenants").fetchone()
            found = measure(settings, row and row[0], home, scale)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    found |= {
        "plan": plan,
        "scale": scale,
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": platform.platform(),
    }
    print(json.dumps(found, indent=1))
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "mixtures.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
