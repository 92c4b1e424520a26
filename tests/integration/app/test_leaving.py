"""Who waits for a worker when the process is told to stop is answered with the job, which goes on elsewhere; who watches it is sent on."""

import threading
import time

import httpx
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.acceptance.service import drawn


def test_a_waiting_request_is_answered_202_when_the_process_leaves(database: Settings) -> None:
    answers: list[httpx.Response] = []
    with TestClient(create_app(database)) as client:
        listener = client.app.state.web.listener  # type: ignore[attr-defined]  # a FastAPI app

        def wait() -> None:
            form = {"segmenter": "regions"}
            answers.append(
                client.post("/v1/marksets", files={"file": drawn(5)}, data=form, headers={"Prefer": "wait=120"})
            )

        caller = threading.Thread(target=wait)
        caller.start()
        while not listener._watched:
            assert caller.is_alive(), answers
            time.sleep(0.01)
        assert answers == [], "no worker is there: it waits"
        assert "process" not in client.get("/readyz").json()["checks"]
        listener.let_go()
        caller.join(60)
        assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(202, "queued")]
        job = answers[0].headers["location"]
        assert client.get(job).json()["status"] == "queued"
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["process"]) == (503, "the process is stopping")
        # A stream that would go on for as long as the job does ends in order, and says when to come again.
        assert client.get(f"{job}/events").text.endswith("retry: 1000\n\n")
