"""COCO -> a listing and QA dataset, in one command: `python -m tests.bench.factory_coco [FOLDER] [--out OUT]`.

FOLDER holds `instances.json`, `captions.json` and `images/` (default ../shared/data/coco). A service of its own imports them,
rules write a listing and a conversation about every image, the shipped small model writes about a few to prove the path of a
teacher, the texts are frozen, exported with their pictures, compared with the annotations and read as LLaVA's trainer does.
Writes results/factory/coco.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from models.evaluation.listing import parse_listing
from tests.acceptance.service import new_home, serving
from tests.bench.factory import RESULTS, surroundings

COCO = Path(__file__).resolve().parents[3] / "shared" / "data" / "coco"
TAUGHT = 8


def markwise(url: str, *arguments: str) -> Any:
    """Run a command of ours as a person would, show it, and return the JSON that it prints."""
    print(f"$ markwise {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments, "--server", url, "--json"],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"markwise {arguments[0]} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def build(url: str, home: Path, coco: Path, out: Path, *, taught: int = TAUGHT) -> dict[str, Any]:
    """Import, write, freeze, export; returns the bodies of what was made. `home` is the service's data folder."""
    os.environ["MARKWISE_HOME"] = str(home)
    imported = markwise(
        url, "import", "coco", str(coco / "instances.json"), str(coco / "captions.json"), "--images",
        str(coco / "images"), "--label", "coco",
    )  # fmt: skip
    listing = markwise(url, "annotate", "--label", "coco", "--source", "coco")
    job = ("--job", listing["id"])
    qa = markwise(url, "annotate", *job, "--kind", "conversation", "--option", "turns=5")
    small = ("--writer", "vlm", "--model", "som-llava-tiny", "--limit", str(taught))
    tiny = [
        markwise(url, "annotate", *job, *small),
        markwise(url, "annotate", *job, *small, "--kind", "conversation"),
    ]
    dataset = markwise(url, "dataset", "build", "coco-listing-qa", "--recipe", "markwise-listing-qa")
    pictures = ("--out", str(out / "train.json"), "--images", str(out / "images"))
    exported = markwise(url, "dataset", "export", "coco-listing-qa", *pictures)
    return {
        "import": imported,
        "listing": listing,
        "qa": qa,
        "tiny": tiny,
        "dataset": dataset,
        "exported": exported,
    }


def truths(coco: Path) -> dict[str, dict[str, str]]:
    """What people said of each image: {file name: {annotation id: class name}}, annotations without a pixel left out."""
    said = json.loads((coco / "instances.json").read_text())
    names = {category["id"]: category["name"] for category in said["categories"]}
    files = {image["id"]: image["file_name"] for image in said["images"]}
    found: dict[str, dict[str, str]] = {name: {} for name in files.values()}
    for annotation in said["annotations"]:
        found[files[annotation["image_id"]]][str(annotation["id"])] = names[annotation["category_id"]]
    return found


def compare(client: httpx.Client, job_id: str, coco: Path) -> dict[str, int]:
    """Hold every listing of a job against the annotations: each object's own line, none missing, none added.

    Images are matched by their objects' ids, which the marks carry.
    """
    truth_of = {frozenset(truth): truth for truth in truths(coco).values() if truth}
    counts: Counter[str] = Counter()
    after: dict[str, str] = {}
    while True:
        page = client.get("/v1/texts", params={"job_id": job_id, "limit": 100, **after}).json()
        for text in page["data"]:
            marks = client.get(f"/v1/marksets/{text['mark_set_id']}").json()["marks"]
            said = parse_listing(text["conversations"][1]["value"])
            listed = {mark["region_id"]: said[mark["id"]] for mark in marks}
            truth = truth_of[frozenset(listed)]
            counts["images"] += 1
            counts["objects"] += len(truth)
            counts["equal"] += listed == truth and len(said) == len(marks)
        if not page["has_more"]:
            return {**counts, "annotated_images": len(truth_of)}
        after = {"after": page["next_cursor"]}


def load(out: Path) -> int:
    """Read the export as LLaVA's trainer does, every sample through transformers' processor; returns how many have answers."""
    from transformers import AutoProcessor

    from models.training.conversations import read_conversations
    from models.training.encoder import Encoder
    from models.training.packed import IGNORED
    from workers.shelf import BUILT_IN_FOLDER

    processor = AutoProcessor.from_pretrained(BUILT_IN_FOLDER)
    encoder = Encoder(processor, out / "images", max_tokens=2048, broken_allowed=0)
    rows = [encoder.encode(conversation) for conversation in read_conversations(out / "train.json")]
    return sum(row is not None and bool((row["labels"] != IGNORED).any()) for row in rows)


def main() -> None:
    """Do it all and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("coco", nargs="?", type=Path, default=COCO)
    parser.add_argument("--out", type=Path, default=Path("coco-out"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    with (
        new_home() as home,
        serving(MARKWISE_HOME=str(home)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        made = build(url, home, given.coco, given.out)
        equal = compare(client, made["listing"]["id"], given.coco)
    print(
        f"rule-based listings: {equal['equal']} of {equal['images']} equal the annotations ({equal['objects']} objects)"
    )
    written = [
        {"kind": job["report"]["kind"]} | {name: row[name] for name in ("writer", "texts", "checks_failed")}
        for job in (made["listing"], made["qa"], *made["tiny"])
        for row in job["report"]["texts"]
    ]
    for row in written:
        print(f"  {row['kind']} by {row['writer']}: {row['texts']} texts, {row['checks_failed']} kept for review")
    texts, loaded, took_s = made["dataset"]["statistics"]["texts"], load(given.out), time.perf_counter() - began
    print(f"dataset: {texts} texts, loaded with answers: {loaded}")
    print(f"written to {given.out} in {took_s:.0f} s")
    found = {"listings": equal, "written": written, "dataset": texts, "loaded_with_answers": loaded, "s": round(took_s)}
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "coco.json").write_text(json.dumps(found | {"on": surroundings()}, indent=1) + "\n", encoding="utf-8")
    if equal["equal"] < equal["annotated_images"]:
        raise SystemExit("a listing differs from the annotations")


if __name__ == "__main__":
    main()
