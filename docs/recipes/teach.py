"""From a folder of pictures to a model that lists them: python teach.py pictures/ --name shopper --steps 500

Every picture is marked, a listing is written about each ("1. lamp / 2. sofa / ..."), the listings are sealed as a dataset, and
a model is taught with them. The names come from texts on the screen; a photo shows none. Where NAME.json lies beside NAME.png, its
regions are taken (COCO, LabelMe, or a list as `POST /v1/marksets` takes it): their texts are the names. --teacher has a model of
MARKWISE_TEACHERS name things instead. A picture without names is told on stderr and left out.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from markwise import Client, MarkwiseError
from markwise.types import Job, MarkSet

PICTURES = {".png", ".jpg", ".jpeg", ".webp"}


def marked(client: Client, path: Path, label: str) -> MarkSet:
    """Upload a picture under a label and mark it, by the regions beside it where there are some."""
    image = client.upload(path, labels=[label])
    beside = path.with_suffix(".json")
    return client.mark(image, regions=json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else None)


def listed(client: Client, pictures: dict[str, Path], **order: Any) -> Job:
    """Have the listings written, and say about which pictures (by the id of the image) none could be."""
    job = client.annotate(kind="listing", images={"ids": list(pictures)}, **order)
    try:
        return client.wait(job, on_progress=show)
    finally:
        for item in client.job_items(job, status="failed"):
            print(f"{pictures[item.payload['image_id']]}: {(item.error or {}).get('detail')}", file=sys.stderr)


def show(job: Job) -> None:
    """Print a line of progress."""
    print(
        f"  {job.kind} {job.status}: {job.progress.done} of {job.progress.total} {job.progress.stage or ''}", flush=True
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True, help="of the dataset and of the model")
    parser.add_argument("--base", default="som-llava-tiny", help="the model to start from")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--teacher", help="the model that writes; without one, rules write what the regions say")
    parser.add_argument("--deploy", action="store_true", help="let the new model answer from now on")
    given = parser.parse_args()

    pictures = sorted(path for path in given.folder.glob("*") if path.suffix.lower() in PICTURES)
    if not pictures:
        parser.error(f"{given.folder} holds no pictures")
    with Client() as client:  # MARKWISE_SERVER and MARKWISE_KEY say where
        mark_sets = {path: marked(client, path, given.name) for path in pictures}
        order: dict[str, Any] = {"mark_set_ids": [each.id for each in mark_sets.values()]}
        if given.teacher:
            order["model"] = given.teacher
        written = listed(client, {each.image.id: path for path, each in mark_sets.items()}, **order)
        dataset = client.build_dataset(given.name, job_ids=[written.id])
        print(f"{dataset.name} version {dataset.version}: {dataset.statistics['texts']} listings")
        training = client.train(name=given.name, base=given.base, dataset_id=dataset.id, steps=given.steps)
        result = client.wait(training, on_progress=show).result or {}
        model = client.model(result["model_version_id"])
        print(f"{model.name}@{model.version}: {model.metrics}")
        if given.deploy:
            client.deploy(model)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MarkwiseError as error:
        sys.exit(str(error))
