"""Every task of Set-of-Mark over HTTP, on drawn pictures, with the model that ships: what it was taught, it answers here too."""

import json

import httpx
import pytest

from app.imaging.encode import encode
from models import drawings
from models.evaluation import grounding as metrics
from tests.acceptance.service import DEMO_PAGE
from tests.unit.models.grounding.moving import next_frame

SEED = drawings.HELD_OUT_SEEDS.start + 7_003
FIELDS = ("labels", "phrases", "correspondences", "selected", "mentions")


def marked(service: httpx.Client, image, regions) -> tuple[dict, dict[int, str]]:
    """A mark set of these regions, and the mark of each region."""
    given = [{"id": str(i), "rle": dict(rle)} for i, rle in enumerate(regions.rles)]
    form = {"regions": json.dumps(given)}
    made = service.post("/v1/marksets", files={"file": encode(image)}, data=form, params={"include": "masks"}).json()
    return made, {int(mark["region_id"]): mark["id"] for mark in made["marks"]}


@pytest.fixture(scope="module")
def scene() -> drawings.Drawing:
    return drawings.scene(SEED)


@pytest.fixture(scope="module")
def first(service: httpx.Client, scene: drawings.Drawing) -> tuple[dict, dict[int, str]]:
    return marked(service, scene.image, scene.regions)


def test_classify_names_every_mark_from_the_pool(service: httpx.Client, scene: drawings.Drawing, first) -> None:
    made, mark_of = first
    pool = [*scene.names, "orange teapot", "black cat"]
    ask = {"mark_set_id": made["id"], "task": "classify", "choices": pool}
    answer = service.post("/v1/ground", json=ask).json()
    labels = {label["mark"]: label["label"] for label in answer["labels"]}
    truth = {mark_of[i]: name for i, name in enumerate(scene.names)}
    assert set(labels.values()) <= set(pool)
    assert metrics.precision(labels, truth) >= 0.6
    assert all(0 <= label["confidence"] <= 1 for label in answer["labels"])
    assert {mark["id"] for mark in answer["marks"]} == set(labels)
    again = service.post("/v1/ground", json=ask).json()
    assert {name: again[name] for name in (*FIELDS, "text")} == {name: answer[name] for name in (*FIELDS, "text")}


def test_phrases_of_a_sentence_are_tied_to_marks(service: httpx.Client, scene: drawings.Drawing, first) -> None:
    made, mark_of = first
    unique = [i for i, name in enumerate(scene.names) if scene.names.count(name) == 1]
    sentence = " and ".join(f"the {scene.names[i]}" for i in unique)
    answer = service.post("/v1/ground", json={"mark_set_id": made["id"], "task": "phrases", "query": sentence}).json()
    found = [(sentence[p["char_start"] : p["char_end"]], p["marks"]) for p in answer["phrases"]]
    assert [words for words, _ in found] == [f"the {scene.names[i]}" for i in unique]
    boxes = {mark["id"]: mark["bbox_xyxy_px"] for mark in made["marks"]}
    first_boxes = [boxes[marks[0]] if marks else None for _, marks in found]
    assert metrics.recall_at_1(first_boxes, [[boxes[mark_of[i]]] for i in unique]) >= 0.6
    for phrase in answer["phrases"]:
        assert answer["text"][phrase["char_start"] : phrase["char_end"]] in sentence
    for mention in answer["mentions"]:
        assert answer["text"][mention["char_start"] : mention["char_end"]] == mention["mark"]


def test_the_next_frame_is_matched_by_place_and_look(service: httpx.Client, scene: drawings.Drawing, first) -> None:
    made, mark_of = first
    image, regions, order = next_frame(scene, 3)
    second, _ = marked(service, image, regions)
    ask = {"mark_set_id": made["id"], "task": "correspond", "target_mark_set_id": second["id"]}
    answer = service.post("/v1/ground", json=ask).json()
    assert answer["decided_by"] == "position"
    assert {mark["id"] for mark in answer["marks"]} == set(mark_of.values())
    masks = {mark["id"]: mark["rle"] for mark in second["marks"]}
    found = {pair["mark"]: masks[pair["target_mark"]] for pair in answer["correspondences"]}
    truth = {mark_of[order[j]]: rle for j, rle in enumerate(regions.rles)}
    assert metrics.jaccard(found, truth) == 1.0


def test_refer_is_scored_on_masks_and_boxes(service: httpx.Client, scene: drawings.Drawing, first) -> None:
    made, mark_of = first
    queries = [f"the {name}" for name in dict.fromkeys(scene.names)]
    ask = {"mark_set_id": made["id"], "task": "refer", "queries": queries}
    answers = service.post("/v1/ground", json=ask).json()["data"]
    masks = {mark["id"]: mark["rle"] for mark in made["marks"]}
    overlaps = []
    for name, answer in zip(dict.fromkeys(scene.names), answers, strict=True):
        truths = [masks[mark_of[i]] for i, each in enumerate(scene.names) if each == name]
        chosen = answer["selected"][0]["mark"] if answer["selected"] else None
        overlaps.append(max(metrics.mask_iou(masks.get(chosen), truth) for truth in truths))
    assert metrics.mean_iou(overlaps) >= 0.6
    assert metrics.accuracy_at(overlaps) >= 0.6


def test_a_question_may_name_marks_between_its_words(service: httpx.Client, first) -> None:
    made, _ = first
    names = [mark["id"] for mark in made["marks"]]
    answer = service.post(
        "/v1/ground", json={"mark_set_id": made["id"], "query": f"what is left of {names[1]}?"}
    ).json()
    assert {mention["mark"] for mention in answer["mentions"]} <= set(names)
    assert answer["unresolved"] == []


def test_stages_are_told_in_the_body_and_in_a_header(service: httpx.Client) -> None:
    files = {"file": DEMO_PAGE.read_bytes()}
    response = service.post("/ground", files=files, data={"query": "Find trains", "task": "refer"})
    timing = response.json()["timing_ms"]
    assert {"queue", "accept", "rank", "total"} <= set(timing)
    told = dict(part.split(";dur=") for part in response.headers["server-timing"].split(", "))
    assert set(told) == set(timing)
    assert float(told["rank"]) == pytest.approx(timing["rank"], abs=0.051)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"task": "classify"}, "choices"),
        ({"task": "correspond"}, "target_mark_set_id"),
        ({"task": "ask", "query": "x", "choices": ["a"]}, "choices"),
        ({"task": "phrases"}, "query"),
    ],
)
def test_what_a_task_needs_is_said(service: httpx.Client, first, body: dict, word: str) -> None:
    response = service.post("/v1/ground", json={"mark_set_id": first[0]["id"], **body})
    assert response.status_code == 422
    assert word in response.text


def test_a_target_that_is_not_there_is_404(service: httpx.Client, first) -> None:
    ask = {"mark_set_id": first[0]["id"], "task": "correspond", "target_mark_set_id": first[0]["image"]["id"]}
    assert service.post("/v1/ground", json=ask).status_code == 404


def test_a_deadline_that_cannot_be_met_is_504_and_leaves_nothing(service: httpx.Client, first) -> None:
    before = {job["id"] for job in service.get("/v1/jobs").json()["data"]}
    ask = {"mark_set_id": first[0]["id"], "task": "list", "deadline_ms": 1}
    response = service.post("/v1/ground", json=ask)
    assert (response.status_code, response.json()["code"]) == (504, "deadline")
    assert {job["id"] for job in service.get("/v1/jobs").json()["data"]} == before
    told = service.post("/v1/ground", json=ask | {"stream": True}).text
    assert "event: error" in told
    assert '"code":"deadline"' in told


def test_a_stream_ends_well_whenever_its_deadline_falls(service: httpx.Client, first) -> None:
    for deadline_ms in range(1, 61, 2):
        ask = {"mark_set_id": first[0]["id"], "task": "list", "deadline_ms": deadline_ms, "stream": True}
        told = service.post("/v1/ground", json=ask).text
        assert '"code":"deadline"' in told or "event: answer" in told


def test_a_worker_tells_what_the_model_writes_before_the_answer(service: httpx.Client, first) -> None:
    ask = {"mark_set_id": first[0]["id"], "task": "list", "stream": True}
    events: list[tuple[str, dict]] = []
    with service.stream("POST", "/v1/ground", json=ask) as response:
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
    names = [name for name, _ in events]
    answer = events[-1][1]
    assert names[-1] == "answer"
    assert names.count("answer") == 1
    assert "".join(data["text"] for name, data in events if name == "text") == answer["text"]
    told = [(data["mark"], data["char_start"], data["char_end"]) for name, data in events if name == "mention"]
    assert told == [(m["mark"], m["char_start"], m["char_end"]) for m in answer["mentions"]]
    points = {mark["id"]: mark["point_xy_px"] for mark in answer["marks"]}
    assert all(data["point_xy_px"] == points[data["mark"]] for name, data in events if name == "mention")
