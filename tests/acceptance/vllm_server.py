"""A real vLLM server on our small model, held by the test session: `vllm_url` starts it once and ends it.

MARKWISE_TEST_VLLM_URL names a server that runs already. MARKWISE_TEST_VLLM_PYTHON names the Python of an environment with vLLM
(`make test-vllm` builds one); then the server is ours, and a test fails if it does not start. With neither, these tests are skipped.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "models" / "weights" / "som-llava-tiny"
START_S = 300
STOP_S = 20
# Loopback only; small enough for a laptop. LoRA adapters may be loaded and unloaded while it runs.
FLAGS = (
    *("--host", "127.0.0.1", "--served-model-name", "som-llava-tiny", "--dtype", "float32", "--enforce-eager"),
    *("--max-model-len", "2048", "--max-num-seqs", "8", "--limit-mm-per-prompt", '{"image": 2}'),
    *("--enable-lora", "--max-lora-rank", "16", "--max-loras", "2"),
    # So that a test can make it cut pictures; only for clients that are trusted.
    "--trust-request-mm-kwargs",
)
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
    # Binding to the first core would let it starve behind whatever runs there.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
}


@contextmanager
def vllm_serving(python: str, model: Path = WEIGHTS, flags: tuple[str, ...] = ()) -> Iterator[str]:
    """Run vLLM with `python` on a free port; yields the server's URL. Its log stays in the temporary folder."""
    port = _free_port()
    log = Path(tempfile.gettempdir()) / f"markwise-vllm-{port}.log"
    # `python -m`: the console script asks for a distribution called vllm, and ours is vllm-cpu.
    argv = [python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model), "--port", str(port)]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*argv, *FLAGS, *flags],
            cwd=ROOT,
            env=os.environ | ENVIRONMENT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        print(f"\nstarting vLLM (about a minute), log in {log}", flush=True)
        _wait(server, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(server)


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
        assert server.poll() is None, f"vLLM ended while starting:\n{_end_of(log)}"
    raise AssertionError(f"vLLM did not start in {START_S} s:\n{_end_of(log)}")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server and its engine processes, by their ids."""
    family = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    for left in psutil.wait_procs(family, timeout=5)[1]:
        left.kill()


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def vllm_url() -> Iterator[str]:
    """The URL of a running vLLM that serves som-llava-tiny."""
    url, python = os.environ.get("MARKWISE_TEST_VLLM_URL"), os.environ.get("MARKWISE_TEST_VLLM_PYTHON")
    if url:
        yield url.rstrip("/").removesuffix("/v1")
    elif python:
        with vllm_serving(python) as started:
            yield started
    else:
        pytest.skip("no vLLM to test against: make test-vllm builds one and runs these tests")
