"""Who waits for a worker when the process is told to stop is answered with the job, which goes on elsewhere."""

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
        listener.let_go()
        caller.join(60)
        assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(202, "queued")]
        assert client.get(answers[0].headers["location"]).json()["status"] == "queued"
