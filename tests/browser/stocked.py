"""A service with something of everything in it, made through its own routes from pictures that we draw.

For `sheets.py`, which shows every page at work. Knows nothing of browsers.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

from app.imaging.encode import encode
from models.drawings.drawing import HELD_OUT_SEEDS
from models.drawings.scenes import scene
from tests.acceptance.service import DEMO_PAGE, finished

PICTURES = 36
STEPS = 20
QUESTIONS = 6
PATIENT_S = 300.0
AWAY = "away"
SETTINGS = {"MARKWISE_TEACHERS": json.dumps({AWAY: {"url": "http://127.0.0.1:9/v1", "model": "m", "timeout_s": 2}})}
"""What the service is started with: a teacher at whose address nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """Ids that addresses are made of."""

    page_set: str
    scene_set: str
    image: str
    annotation: str
    waiting: str
    dataset: str
    trainings: tuple[str, str]
    model: str
    evaluation: str


def stock(api: httpx.Client) -> Stock:
    """Fill an empty service; some minutes. Raises where something does not come out as it should."""
    sets = _pictures(api)
    page = _made(api, "/v1/marksets", files={"file": DEMO_PAGE.read_bytes()})
    for task, query in (("list", "List the marks"), ("act", "Click Find trains"), ("refer", "the search box")):
        _made(api, "/v1/ground", json={"mark_set_id": page["id"], "task": task, "query": query})
    annotation = _written(api, sets)
    dataset = _made(api, "/v1/datasets", json={"name": "scenes", "recipe": _mixture()})
    trainings = tuple(_trained(api, dataset["id"], rate) for rate in (0.002, 0.0005))
    model = trainings[0]["result"]["model_version_id"]
    evaluation = _measured(api)
    _kept_house(api)
    return Stock(
        page_set=page["id"],
        scene_set=sets[0],
        image=api.get(f"/v1/marksets/{sets[0]}").json()["image"]["id"],
        annotation=annotation,
        waiting=_waiting(api),
        dataset=dataset["id"],
        trainings=(trainings[0]["id"], trainings[1]["id"]),
        model=model,
        evaluation=evaluation,
    )


def _made(api: httpx.Client, path: str, **request: Any) -> dict[str, Any]:
    """What a POST makes, waited for."""
    answer = api.post(path, headers={"Prefer": "wait=120"}, **request)
    answer.raise_for_status()
    made: dict[str, Any] = answer.json()
    return made


def _pictures(api: httpx.Client) -> list[str]:
    """Drawn scenes, most of them with marks that know their names; returns the mark sets."""
    sets = []
    for place, seed in enumerate(HELD_OUT_SEEDS[:PICTURES]):
        drawing = scene(seed)
        labels = '["scenes", "checked"]' if place % 3 else '["scenes"]'
        image = api.post("/v1/images", files={"file": encode(drawing.image)}, data={"labels": labels}).json()
        if place % 3:
            boxes = drawing.regions.boxes_xyxy_px.tolist()
            regions = [{"bbox_xyxy_px": box, "text": name} for box, name in zip(boxes, drawing.names, strict=True)]
            ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
            sets.append(_made(api, "/v1/marksets", json=ask)["id"])
    return sets


def _written(api: httpx.Client, sets: list[str]) -> str:
    """Listings about the marked pictures, some of them reviewed; returns the job."""
    order = {"kind": "listing", "writer": "rules", "images": {"label": "checked"}, "mark_set_ids": sets}
    job = finished(api, api.post("/v1/annotations", json=order).json()["id"], PATIENT_S)
    texts = api.get("/v1/texts", params={"job_id": job["id"]}).json()["data"]
    for text, verdict in zip(texts, ("accepted", "accepted", "accepted", "rejected"), strict=False):
        api.patch(f"/v1/texts/{text['id']}", json={"review": verdict}).raise_for_status()
    return str(job["id"])


def _mixture() -> dict[str, Any]:
    parts = [
        {"name": "reviewed", "texts": {"reviews": ["accepted", "edited"]}, "repeat": 2},
        {"name": "others", "texts": {"kinds": ["listing"], "reviews": ["unreviewed"]}, "take": 16},
    ]
    return {
        "name": "scenes",
        "purpose": "Listings of drawn scenes; what people have accepted counts twice.",
        "parts": parts,
    }


def _trained(api: httpx.Client, dataset: str, rate: float) -> dict[str, Any]:
    order = {"name": "scenes", "dataset_id": dataset, "steps": STEPS, "batch_size": 2, "learning_rate": rate}
    return finished(api, api.post("/v1/trainings", json=order).json()["id"], PATIENT_S)


def _measured(api: httpx.Client) -> str:
    """Two models, with marks and without; returns the evaluation that compares them."""
    order = {"benchmark": "listing", "models": ["som-llava-tiny", "scenes@1"], "tags": [True, False], "n": QUESTIONS}
    job = finished(api, api.post("/v1/evaluations", json=order).json()["id"], PATIENT_S)
    return str(job["result"]["evaluation_id"])


def _waiting(api: httpx.Client) -> str:
    """An order to a teacher who is not there: it waits, says why, and tries again; returns the job."""
    order = {"kind": "listing", "writer": "vlm", "images": {"label": "checked", "limit": 6}, "model": AWAY}
    job = api.post("/v1/annotations", json=order).json()["id"]
    deadline = time.monotonic() + PATIENT_S
    while api.get(f"/v1/jobs/{job}").json()["error"] is None:
        assert time.monotonic() < deadline, "the teacher was never asked"
        time.sleep(0.5)
    return str(job)


def _kept_house(api: httpx.Client) -> None:
    """Keys and a webhook."""
    for name, scopes in (("robot", ["mark", "ground"]), ("night jobs", ["mark", "ground", "jobs"])):
        _made(api, "/v1/keys", json={"name": name, "scopes": scopes})
    _made(api, "/v1/webhooks", json={"url": "http://127.0.0.1/hook", "events": ["job.failed"]})
