"""Runs the blocks of one document in order, in a folder that has what the documents speak of, against a running service.

Ids of what a command made are at hand for the next as SET, JOB, DATASET, ..., as the documents say; jobs are waited for.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from tests.acceptance.service import DEMO_PAGE, ROOT, drawn, finished
from tests.documents.blocks import Block
from tests.documents.commands import statements

_NAMES = {
    "mark_set": "SET",
    "dataset": "DATASET",
    "job": "JOB",
    "image": "IMAGE",
    "webhook": "WEBHOOK",
    "answer": "ANSWER",
}
_LONGEST_S = 300
_PATIENT = "-fsS --retry 8 --retry-delay 1"
"""A service that is busy for a moment says 429 or 503, and a reader would try again."""
_WRITTEN = "http://127.0.0.1:8000"


class Desk:
    """A working folder, the environment of its shell, and the service."""

    def __init__(self, folder: Path, service: httpx.Client, url: str) -> None:
        self.folder, self._service, self._url = folder, service, url
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._known = {"M": url, "MARKWISE_SERVER": url, "PATH": programs, "MARKWISE_HOME": str(folder / "home")}
        _lay_out(folder)

    def run(self, block: Block) -> None:
        """Run a block; every command of it must succeed."""
        if block.language == "python" and block.name.startswith("file="):
            (self.folder / block.name.removeprefix("file=")).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self._do(block, [sys.executable, "-c", block.text.replace(_WRITTEN, self._url)])
        else:
            for statement in statements(block.text):
                self._shell(block, statement)

    def _shell(self, block: Block, statement: str) -> None:
        """Run one command; what it exports is there for the next."""
        told = self.folder / ".environment"
        asked = statement.replace(_WRITTEN, self._url).replace("curl ", f"curl {_PATIENT} ", 1)
        printed = self._do(block, ["bash", "-euo", "pipefail", "-c", f"{asked}\nenv -0 > {told}"], statement)
        pairs = (pair.partition("=") for pair in told.read_text(encoding="utf-8").split("\0") if pair)
        self._known = {name: value for name, _, value in pairs}
        if printed.startswith("{"):
            self._remember(json.loads(printed))

    def _do(self, block: Block, argv: list[str], shown: str = "") -> str:
        done = subprocess.run(
            argv,
            cwd=self.folder,
            env=os.environ | self._known,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
        assert done.returncode == 0, f"{block}: {shown}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _remember(self, body: dict[str, Any]) -> None:
        if name := _NAMES.get(body.get("object", "")):
            self._known[name] = body["id"]
        if body.get("object") == "job":
            job = finished(self._service, body["id"], _LONGEST_S)
            assert job["status"] == "succeeded", job
            made = (job["result"] or {}).items()
            self._known |= {
                key.removesuffix("_id").rpartition("_")[0].upper() or key: str(value) for key, value in made
            }


def _lay_out(folder: Path) -> None:
    """The files that the documents name, as small as they can be."""
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / ".venv").symlink_to(sys.prefix)
    page = Image.open(DEMO_PAGE).convert("RGB")
    page.save(folder / "screenshot.png")
    page.putpixel((1, 1), (1, 2, 3))
    page.save(folder / "changed.png")
    night = np.full((120, 160, 3), 20, np.uint8)
    night[20:60, 20:80] = 240
    Image.fromarray(night).save(folder / "night.png")
    (folder / "pictures").mkdir()
    for seed in (931, 932):
        (folder / "pictures" / f"{seed}.png").write_bytes(drawn(seed))
    asked = {"question_id": 1, "image": "1.jpg", "text": "Is there a cat in the image?"}
    (folder / "labels.jsonl").write_text(json.dumps(asked | {"label": "yes"}) + "\n")
    (folder / "answers.jsonl").write_text(json.dumps({"question_id": 1, "text": "Yes."}) + "\n")
