"""training.run: supervises the trainer in a process group of its own; cancel and shutdown reach every rank.

The run's folder under the data folder keeps spec, data and checkpoints, so that a killed worker's successor on this
machine resumes. The trainer reports JSON lines; they become the job's events. What it learnt is registered as a model
version in the transaction that ends the job.
"""

import hashlib
import importlib.metadata
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalog.datasets import DatasetRepository
from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository, regions_of
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.tables import DatasetItemRow, ModelVersionRow
from app.errors import JobFailed
from app.formats.llava import cut_of, llava_text
from app.imaging.encode import cut_out, encode, read_canonical
from app.services.adapters import ADAPTER_FILES
from app.services.dataset_items import PictureFolders, items_of, stages_of
from app.services.import_folder import ImportFolder
from app.services.learning import FROM_NOTHING, SELF_SUPPLIED_RECIPES
from app.storage.blobs import adapter_key, model_key
from models.finder import RECIPE as FINDER
from models.marks import paint_for_model
from workers.context import JobContext
from workers.ranks import Ranks
from workers.revision import code

log = logging.getLogger(__name__)

# A cancelled run ends within 10 s: 3 s until a heartbeat tells, half a second of silence, and this to write a checkpoint.
STOP_GRACE_S = 6.0
LAST_WORDS = 5
PASSED_ON = (
    "seed", "steps", "budget_s", "clock", "batch_size", "learning_rate", "max_tokens", "precision", "gradient_checkpointing",
)  # fmt: skip
LORA_RANK = 16
TOLD = frozenset({"loss", "tokens_per_s", "eta_s", "rate"})


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `training.run` job."""
    body = job.payload["training"]
    folder = job.resources.settings.data_folder / "trainings" / str(job.job_id)
    out = folder / "out"
    base_id = prepare(job, body, folder)
    supervise(job, folder / "spec.json", out)
    if not (out / "model" / "config.json").is_file():
        raise JobFailed("The trainer ended without saving a model.")
    with job.transaction() as session:
        version_id: UUID = session.execute(select(func.uuidv7())).scalar_one()
    sums = stored(job, out, str(version_id))
    prefix = model_key(str(job.tenant_id), str(version_id), "x").removesuffix("x")
    metrics, origin = measured(out), origin_of(job, body) | {"sha256": sums}

    def effect(session: Session) -> dict[str, Any]:
        versions = ModelVersionRepository(session)
        row = ModelVersionRow(
            id=version_id,
            name=body["name"],
            version=versions.next_version(body["name"]),
            kind=FINDER if body["recipe"] == FINDER else "checkpoint",
            base_id=base_id,
            job_id=job.job_id,
            blob_prefix=prefix,
            recipe=body,
            metrics=metrics,
            origin=origin,
        )
        versions.add(row)
        return {"model_version_id": str(row.id)}

    job.finish(effect)
    return None


def stored(job: JobContext, out: Path, version_id: str) -> dict[str, str]:
    """Put the model's files, and its adapter's where it has one, into the store; return the model's files with their SHA-256."""
    blobs, tenant, sums = job.resources.blobs, str(job.tenant_id), {}
    for file in sorted((out / "model").iterdir()):
        data = file.read_bytes()
        sums[file.name] = hashlib.sha256(data).hexdigest()
        blobs.put_if_absent(model_key(tenant, version_id, file.name), data)
    for name in ADAPTER_FILES if (out / "adapter").is_dir() else ():
        blobs.put_if_absent(adapter_key(tenant, version_id, name), (out / "adapter" / name).read_bytes())
    return sums


def measured(out: Path) -> dict[str, Any]:
    """What the trainer measured of its model; recipes that leave no such file have nothing to say."""
    file = out / "metrics.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def origin_of(job: JobContext, body: dict[str, Any]) -> dict[str, Any]:
    """What the version is made of, for whoever asks years later what it may be used for and whether it can be made again."""
    drawn, base = body["recipe"] in SELF_SUPPLIED_RECIPES, None if body["recipe"] in FROM_NOTHING else body["base"]
    dataset: dict[str, Any] | None = None
    if not drawn:
        with job.transaction() as session:
            row = DatasetRepository(session).get(UUID(body["dataset_id"]))
            dataset = {"id": str(row.id), "name": row.name, "version": row.version, "sha256": row.content_sha256}
    sources = "drawings of the project's own" if dataset is None else f"{dataset['name']}@{dataset['version']}"
    note = f"As its base and its data allow ({base or 'none'}; {sources}); nobody has noted more."
    return {
        "dataset": dataset,
        "base": base,
        "code": code(),
        "libraries": {name: importlib.metadata.version(name) for name in ("torch", "transformers", "peft")},
        "licence": body.get("licence") or note,
    }


def prepare(job: JobContext, body: dict[str, Any], folder: Path) -> UUID | None:
    """Write what the trainer reads, unless an earlier attempt did; returns the version that the run starts from."""
    folder.mkdir(parents=True, exist_ok=True)
    spec: dict[str, Any] = {"recipe": body["recipe"]}
    spec |= {name: body[name] for name in PASSED_ON if body.get(name) is not None}
    base_id: UUID | None = None
    if body["recipe"] not in FROM_NOTHING:
        with job.transaction() as session:
            base, base_id = job.resources.models.base_folder(session, body["base"])
        spec["base"] = str(base)
    if body["recipe"] not in SELF_SUPPLIED_RECIPES:
        data, images = folder / "data.json", folder / "images"
        spec |= {"dataset": str(data), "images": str(images)}
        spec["lora_rank"] = body.get("lora_rank") or (LORA_RANK if body["lora"] else 0)
        spec["sharded"] = job.resources.settings.training_processes > 1
        spec["curriculum"] = curriculum(job, UUID(body["dataset_id"]))
        if not data.exists():
            export(job, UUID(body["dataset_id"]), images, data, input_px(base))
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    return base_id


def curriculum(job: JobContext, dataset_id: UUID) -> list[int]:
    """How many records each stage of the dataset has, in the order in which they are exported."""
    with job.transaction() as session:
        return [len(places) for places in stages_of(DatasetRepository(session).get(dataset_id)).values() if len(places)]


def input_px(base: Path) -> int | None:
    """The square input of a small model, at which marks must be painted to be legible; None for large inputs."""
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    size = int(config.get("vision_config", {}).get("image_size", 336))
    return size if size < 336 else None


def export(job: JobContext, dataset_id: UUID, images: Path, data: Path, size_px: int | None) -> None:
    """Write a dataset as LLaVA JSON with its pictures; the JSON comes last, so that it vouches for all of them."""
    images.mkdir(parents=True, exist_ok=True)
    with job.transaction() as session:
        dataset = DatasetRepository(session).get(dataset_id)
    folders = PictureFolders(dataset.recipe, ImportFolder(job.resources.settings))
    total = int(dataset.statistics["texts"])
    for number, item in enumerate(items_of(job.transaction, dataset_id)):
        job.progress(number, total, "export")
        if item.image is None:
            continue
        target = images / item.image
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(picture_of(job, item, size_px, folders))
    partial = data.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(llava_text(items_of(job.transaction, dataset_id)))
    partial.rename(data)


def picture_of(job: JobContext, item: DatasetItemRow, size_px: int | None, folders: PictureFolders) -> bytes:
    """The picture of an item as the model will see it when it serves: marks painted at its own input size."""
    if item.image_id is None:
        return folders.read(item)
    with job.transaction() as session:
        image = ImageRepository(session).get(item.image_id)
        mark_sets = MarkSetRepository(session)
        row = None if item.mark_set_id is None else mark_sets.get(item.mark_set_id)
        marks = [] if row is None else mark_sets.marks(row.id)
    blobs = job.resources.blobs
    if row is None:
        part = cut_of(item.image or "")
        return blobs.get(image.blob_key) if part is None else cut_out(blobs.get(image.blob_key), part)
    if size_px is None:
        return blobs.get(row.overlay_blob_key)
    pixels = read_canonical(blobs.get(image.blob_key))
    regions = regions_of((image.height, image.width), marks)
    return encode(paint_for_model(pixels, regions, [mark.mark for mark in marks], row.settings["style"], size_px))


def supervise(job: JobContext, spec: Path, out: Path) -> None:
    """Run the trainer to its end; raises JobFailed, or what `checkpoint` raises after the trainer was stopped."""
    out.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "models.training.run", "--spec", str(spec), "--out", str(out), "--resume"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    ranks = Ranks(argv, environment, job.resources.settings.training_processes, out / "ranks.log")
    last_words: list[str] = []
    try:
        for line in ranks.lines():
            job.checkpoint()
            if line is not None and not report(job, line):
                last_words = [*last_words, line][-LAST_WORDS:]
        status = ranks.wait()
    except BaseException:
        ranks.stop(STOP_GRACE_S)
        raise
    if status != 0:
        # The trainer's own errors are one sentence; a trace is for the log alone.
        log.error("trainer of job %s: %s", job.job_id, " | ".join(last_words))
        sentence = last_words[-1][:300] if last_words and not any('File "' in line for line in last_words) else ""
        raise JobFailed(sentence or "The trainer stopped with an error; the worker's log has it.")


def report(job: JobContext, line: str) -> bool:
    """Turn one line of the trainer into an event; False if it is not one of its reports."""
    try:
        event = json.loads(line)
        kind = event.pop("event")
    except (ValueError, KeyError, AttributeError, TypeError):
        return False
    if kind == "progress":
        job.progress(int(event["done"]), max(1, int(event["total"])), str(event.get("stage", "train")))
    elif kind == "metric":
        step = int(event.get("step", 0))
        for name, value in event.items():
            if name in TOLD and isinstance(value, int | float):
                job.metric(name, float(value), step=step, stage=event.get("stage"))
    elif kind == "log":
        job.log(str(event.get("message", "")))
    return True
