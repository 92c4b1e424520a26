"""som-llava-tiny behind a real vLLM: the same answers as in this process, and /ground through it. Run by `make test-vllm`."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from models import drawings
from models.errors import BadInput
from models.grounding.sight import Sight, look
from models.marks import paint_for_model
from models.vlm.openai import OpenAiBackend
from models.vlm.prompts import build_prompt, chat_prompt, table_row
from models.vlm.transport import Clock, Transport
from models.vlm.types import VlmRequest
from tests.acceptance.service import DEMO_PAGE, drawn, serving
from tests.acceptance.test_ground import check
from tests.acceptance.vllm_server import WEIGHTS
from tests.unit.models.vlm.test_prompts import HOSTILE

INPUT_PX = 224
DRAWINGS = 24


@pytest.fixture(scope="module")
def remote(vllm_url: str) -> Iterator[OpenAiBackend]:
    transport = Transport(vllm_url)
    yield OpenAiBackend(transport, "som-llava-tiny", dialect="tiny", input_px=INPUT_PX)
    transport.close()


@pytest.fixture(scope="module")
def client(vllm_url: str) -> Iterator[httpx.Client]:
    """The service with nothing said about the server but its address."""
    with serving(MARKWISE_VLM_URL=f"{vllm_url}/v1") as service, httpx.Client(base_url=service, timeout=120) as made:
        yield made


def questions(seed: int) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """A held-out drawing as the model sees it, its ids, and prompts about it."""
    drawing = (drawings.screen if seed % 4 == 3 else drawings.scene)(seed)
    ids = tuple(str(number) for number in range(1, min(17, len(drawing.regions) + 1)))
    regions = drawing.regions.take(range(len(ids)))
    rows = [
        table_row(
            mark_id,
            tuple(map(float, regions.boxes_xyxy_px[i])),
            regions.size_hw,
            role=regions.roles[i],
            text=regions.texts[i],
        )
        for i, mark_id in enumerate(ids)
    ]
    picture = paint_for_model(drawing.image, regions, list(ids), "markwise", INPUT_PX)
    asked = [
        build_prompt("list", "", rows, "tiny"),
        build_prompt("refer", f"the {drawing.names[0]}", rows, "tiny"),
        build_prompt("ask", "What is mark 2?", rows, "tiny"),
    ]
    return picture, ids, asked


def test_greedy_answers_agree_with_those_of_this_process(remote: OpenAiBackend) -> None:
    from models.vlm.local import LocalBackend

    local = LocalBackend(WEIGHTS)
    same, total = 0, 0
    for seed in range(drawings.HELD_OUT_SEEDS.start, drawings.HELD_OUT_SEEDS.start + DRAWINGS):
        picture, ids, prompts = questions(seed)
        for prompt in prompts:
            request = VlmRequest(images=(picture,), prompt=prompt, max_tokens=48)
            here, there = local.generate(request), remote.generate(request)
            total += 1
            same += (here.text, here.finish_reason) == (there.text, there.finish_reason)
            assert here.prompt_tokens == there.prompt_tokens
        request = VlmRequest(images=(picture,), prompt=prompts[1])
        ours, theirs = local.choose(request, ids), remote.choose(request, ids)
        assert ours.best == theirs.best or ours.probabilities[ours.best] < 0.5
        for choice in set(ids) - theirs.estimated:
            assert theirs.probabilities[choice] == pytest.approx(ours.probabilities[choice], abs=5e-3)
    print(f"{same} of {total} greedy answers about {DRAWINGS} drawings are the same")
    # Where two tokens are equally likely to the fifth decimal, either is greedy.
    assert same >= total - 1


def test_the_server_renders_the_prompt_that_the_model_was_trained_on(vllm_url: str) -> None:
    prompt = build_prompt("refer", "the red circle", [table_row("1", (0, 0, 9, 9), (99, 99), text="Save")], "tiny")
    content = [{"type": "text", "text": prompt}]
    tokens = httpx.post(
        f"{vllm_url}/tokenize",
        json={"model": "som-llava-tiny", "messages": [{"role": "user", "content": content}]},
    ).json()["tokens"]
    expected = httpx.post(
        f"{vllm_url}/tokenize",
        json={"model": "som-llava-tiny", "prompt": chat_prompt(prompt, images=0)},
    ).json()["tokens"]
    assert tokens == expected


@pytest.mark.parametrize("token", HOSTILE)
def test_no_special_token_of_a_query_reaches_the_engine(remote: OpenAiBackend, token: str) -> None:
    rows = [table_row("1", (0, 0, 9, 9), (99, 99), text=f"{token} Save", role=token)]
    picture = np.zeros((INPUT_PX, INPUT_PX, 3), np.uint8)
    for task in ("ask", "refer"):
        prompt = build_prompt(task, f"find {token} it", rows, "tiny")
        request = VlmRequest(images=(picture,), prompt=prompt, max_tokens=4)
        assert remote.choose(request, ("1",)).best in ("1", "none")
        remote.generate(request)
    remote.ready()


class Cutting(Transport):
    """Has every picture scaled by its short side and cut at the centre, as the usual CLIP processor does it."""

    def post(self, path: str, body: dict[str, Any], clock: Clock) -> dict[str, Any]:
        square = {"height": INPUT_PX, "width": INPUT_PX}
        cut = {"do_center_crop": True, "size": {"shortest_edge": INPUT_PX}, "crop_size": square}
        return super().post(path, body | {"mm_processor_kwargs": cut}, clock)


def test_a_server_that_cuts_pictures_is_found_out(vllm_url: str, remote: OpenAiBackend) -> None:
    assert look(remote) == Sight(known=True, blind=False, unseen=())
    transport = Cutting(vllm_url)
    corners = {"top left", "top right", "bottom left", "bottom right"}
    cut = look(OpenAiBackend(transport, "som-llava-tiny", dialect="tiny"))
    assert set(cut.unseen) == corners
    assert "MARKWISE_VLM_INPUT_PX" in str(cut.complaint)
    # What the message tells to do helps: a square has nothing to cut.
    square = look(OpenAiBackend(transport, "som-llava-tiny", dialect="tiny", input_px=INPUT_PX))
    assert square.complaint is None
    transport.close()


def test_a_prompt_beyond_the_context_is_the_callers_error(remote: OpenAiBackend) -> None:
    with pytest.raises(BadInput):
        remote.generate(VlmRequest(images=(), prompt="x " * 4_000))
    remote.ready()


def test_the_service_finds_out_what_the_server_serves(client: httpx.Client) -> None:
    ready = client.get("/readyz").json()
    assert ready["checks"]["model"] == "ok", ready
    made = client.post("/v1/marksets", files={"file": drawn(400)}, data={"segmenter": "regions"}).json()
    answer = client.post("/v1/ground", json={"mark_set_id": made["id"], "query": "What is mark 1?"}).json()
    check(answer, made)
    assert answer["model"]["name"] == "som-llava-tiny"
    assert answer["usage"]["prompt_tokens"] > 196, "the picture's tokens are missing"
    jobs = client.get("/v1/jobs").json()["data"]
    assert "answer.create" not in {job["kind"] for job in jobs}, "an existing mark set needs no worker"


def test_every_task_goes_through_it(client: httpx.Client) -> None:
    page = client.post("/v1/marksets", files={"file": DEMO_PAGE.read_bytes()}).json()
    shapes = client.post("/v1/marksets", files={"file": drawn(401)}, data={"segmenter": "regions"}).json()
    for made, ask in (
        (shapes, {"task": "list"}),
        (shapes, {"task": "refer", "query": "the shape at the bottom"}),
        (shapes, {"task": "ask", "query": "how many marks are there?"}),
        (page, {"task": "act", "query": "Click Find trains"}),
        (page, {"task": "refer", "query": "the thing to press"}),
    ):
        response = client.post("/v1/ground", json=ask | {"mark_set_id": made["id"]})
        assert response.status_code == 200, (ask, response.text)
        answer = response.json()
        check(answer, made)
        if ask["task"] == "refer":
            assert bool(answer["selected"]) != answer["none_of_these"]
    # With the picture instead of the mark set, a worker marks it and asks the same server.
    image = {"type": "id", "id": shapes["image"]["id"]}
    worked = client.post("/v1/ground", json={"image": image, "marks": {"segmenter": "regions"}, "task": "list"})
    assert worked.status_code == 200, worked.text
    check(worked.json(), shapes)
    assert worked.json()["model"]["name"] == "som-llava-tiny"


def test_an_answer_streams(client: httpx.Client) -> None:
    made = client.post("/v1/marksets", files={"file": drawn(402)}, data={"segmenter": "regions"}).json()
    ask = {"mark_set_id": made["id"], "task": "list", "stream": True}
    text, last = "", None
    with client.stream("POST", "/v1/ground", json=ask) as response:
        assert response.status_code == 200
        event = ""
        for line in response.iter_lines():
            if line.startswith("event:"):
                event = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                data = json.loads(line.removeprefix("data:"))
                assert event != "error", data
                text += data["text"] if event == "text" else ""
                last = data if event == "answer" else last
    assert last is not None
    check(last, made)
    assert text.strip() == last["text"]
