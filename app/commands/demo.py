"""`make demo`: the whole loop on a picture of our own. Starts the service, marks, asks twice over HTTP, writes two files.

Writes `demo-out/overlay.png` and `demo-out/answer.json` (`{"mark_set": body, "answers": [body, body]}`), stops what it
started, and uses a service of the same data folder if one is running already. Exit code 0 only if all of it worked.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

PAGE = Path(__file__).parents[1] / "demo" / "page.png"
OUT = Path("demo-out")
QUESTIONS = (("ask", "Which mark is the search box?"), ("act", "Click Find trains"))
START_S = 180


def start(log: Path) -> tuple["subprocess.Popen[bytes]", str]:
    """Start the service on a free port; returns the process and its URL once it is ready to work."""
    argv = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]
    with log.open("wb") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        said = log.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"ready: (http://\S+)", said)
        if found and is_ready(found[1]):
            return process, found[1]
        if process.poll() is not None:
            sys.exit(f"the service did not start: {said.strip()[-400:]}")
        time.sleep(0.2)
    stop(process)
    sys.exit(f"the service was not ready within {START_S} s; see {log}")


def is_ready(url: str) -> bool:
    """Whether marking and asking can succeed now."""
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop the service and wait for it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def call(client: httpx.Client, method: str, path: str, **kwargs: Any) -> Any:
    """Return the JSON of a success; anything else ends the demo with its own words."""
    response = client.request(method, path, **kwargs)
    if response.status_code not in {200, 201}:
        sys.exit(f"{method} {path} answered {response.status_code}: {response.text[:400]}")
    return response.json()


def show(answer: dict[str, Any]) -> None:
    """Print an answer with its regions."""
    print(f"  answer: {answer['text']!r}  (decided by {answer['decided_by']}, {answer['model']['name']})")
    for mark in answer["marks"]:
        x, y = mark["point_xy_px"]
        box = [round(value) for value in mark["bbox_xyxy_px"]]
        print(f"  mark {mark['id']}: {mark['role']} {mark['text']!r}, box {box}, click ({x:.0f}, {y:.0f})")
    if answer["action"] is not None:
        print(f"  action: {json.dumps(answer['action']['openai'])}")


def run(url: str) -> None:
    """Mark the page, ask both questions, write both files."""
    with httpx.Client(base_url=url, timeout=150, trust_env=False, headers={"Prefer": "wait=120"}) as client:
        started = time.perf_counter()
        mark_set = call(client, "POST", "/v1/marksets", files={"file": PAGE.read_bytes()})
        took = time.perf_counter() - started
        print(f"{PAGE.name}: {len(mark_set['marks'])} marks by `{mark_set['segmenter']['name']}` in {took:.1f} s")
        answers = []
        for task, query in QUESTIONS:
            print(f"\n{task}: {query}")
            body = {"mark_set_id": mark_set["id"], "task": task, "query": query}
            answers.append(call(client, "POST", "/v1/ground", json=body))
            show(answers[-1])
        overlay = client.get(mark_set["overlay_url"])
        overlay.raise_for_status()
    (OUT / "overlay.png").write_bytes(overlay.content)
    (OUT / "answer.json").write_text(json.dumps({"mark_set": mark_set, "answers": answers}, indent=1), encoding="utf-8")
    print(f"\nwritten: {OUT / 'overlay.png'} (the marked picture), {OUT / 'answer.json'} (everything it knows)")


def main() -> None:
    """Run the demo."""
    OUT.mkdir(exist_ok=True)
    print("starting Postgres, Redis, the API and the workers ...", flush=True)
    process, url = start(OUT / "serve.log")
    try:
        run(url)
    finally:
        stop(process)
    (OUT / "serve.log").unlink()


if __name__ == "__main__":
    main()
