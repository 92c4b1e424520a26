"""The README's ten lines, run as they stand on the running service."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.service import DEMO_PAGE, ROOT, finished

VARIABLES = {"mark_set": "SET", "dataset": "DATASET", "job": "JOB", "image": "IMAGE"}


def lines() -> list[str]:
    block = re.search(r"```bash api\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    return block[1].strip().splitlines()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_line_of_the_readme_works(service: httpx.Client, service_url: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    shutil.copy(DEMO_PAGE, tmp_path / "screenshot.png")
    known = {"M": service_url}
    assert len(lines()) == 10
    for line in lines():
        done = subprocess.run(
            ["bash", "-c", line.replace("curl ", "curl -fsS ", 1)],
            cwd=tmp_path,
            env=os.environ | known,
            capture_output=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr, done.stdout)
        if done.stdout.startswith(b"{"):
            body = json.loads(done.stdout)
            if name := VARIABLES.get(body["object"]):
                known[name] = body["id"]
            if body["object"] == "job":
                job = finished(service, body["id"], 240)
                assert job["status"] == "succeeded", job
                known["MODEL"] = (job["result"] or {}).get("model_version_id", "")
    assert (tmp_path / "marked.png").read_bytes().startswith(b"\x89PNG")
    assert service.post("/v1/models/rollback").status_code == 200


def test_the_client_of_the_readme_prints_a_point(service_url: str, tmp_path: Path) -> None:
    block = re.search(r"```python client\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    shutil.copy(DEMO_PAGE, tmp_path / "screenshot.png")
    program = block[1].replace("http://127.0.0.1:8000", service_url)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\(\d+\.\d+, \d+\.\d+\)\n", done.stdout)
