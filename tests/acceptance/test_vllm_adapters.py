"""A version that was trained with LoRA answers from a running vLLM: trained, deployed, verified, forgotten and loaded again."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from app.imaging.encode import encode
from app.services.remote import LISTED_S
from models import drawings
from models.errors import BackendUnfit
from models.vlm.adapters import LEAST_CHANGE, effect, load_adapter
from models.vlm.openai import OpenAiBackend
from models.vlm.transport import Transport
from tests.acceptance.service import drawn, finished, serving
from tests.acceptance.test_ground import check
from tests.acceptance.vllm_server import WEIGHTS


@pytest.fixture(scope="module")
def transport(vllm_url: str) -> Iterator[Transport]:
    made = Transport(vllm_url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def base(transport: Transport) -> OpenAiBackend:
    return OpenAiBackend(transport, "som-llava-tiny", dialect="tiny", input_px=224)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What our trainer leaves in out/adapter after two steps."""
    from models.training.run import main

    folder = tmp_path_factory.mktemp("lora")
    folder.chmod(0o755)
    Image.fromarray(np.full((40, 40, 3), (200, 0, 0), np.uint8)).save(folder / "red.png")
    turns = [{"from": "human", "value": "<image>\nWhich color?"}, {"from": "gpt", "value": "red."}]
    (folder / "data.json").write_text(json.dumps([{"id": "red", "image": "red.png", "conversations": turns}]))
    spec = {"recipe": "finetune", "base": str(WEIGHTS), "dataset": str(folder / "data.json"), "images": str(folder)}
    (folder / "spec.json").write_text(json.dumps(spec | {"steps": 2, "batch_size": 1, "lora_rank": 16}))
    assert main(["--spec", str(folder / "spec.json"), "--out", str(folder / "out")]) == 0
    return folder / "out" / "adapter"


def test_our_adapters_have_the_names_that_vllm_expects(
    transport: Transport, base: OpenAiBackend, adapter: Path
) -> None:
    load_adapter(transport, base, "ours", adapter)
    moved = effect(base, base.adapter("ours", "ours"))
    print(f"two steps of LoRA move a log probability by up to {moved:.3f}; the same model asked twice, by", end=" ")
    again = effect(base, base)
    print(f"{again:.6f}")
    assert moved > LEAST_CHANGE > again
    load_adapter(transport, base, "ours", adapter)  # loading again replaces


def test_an_adapter_without_effect_is_refused_and_unloaded(
    transport: Transport, base: OpenAiBackend, adapter: Path, tmp_path: Path
) -> None:
    tensors = load_file(adapter / "adapter_model.safetensors")
    strange = {name.replace("language_model.layers", "other_model.blocks"): value for name, value in tensors.items()}
    save_file(strange, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())
    with pytest.raises(BackendUnfit, match="changes no answer"):
        load_adapter(transport, base, "strange", tmp_path)
    assert "strange" not in {model["id"] for model in transport.get("models")["data"]}


def test_a_folder_that_the_server_cannot_read_names_the_setting(
    transport: Transport, base: OpenAiBackend, tmp_path: Path
) -> None:
    with pytest.raises(BackendUnfit, match="MARKWISE_VLM_ADAPTERS"):
        load_adapter(transport, base, "nowhere", tmp_path / "nothing")
    base.ready()


@pytest.mark.timeout(400)
def test_a_trained_version_is_deployed_into_the_server(vllm_url: str) -> None:
    with serving(MARKWISE_VLM_URL=vllm_url) as url, httpx.Client(base_url=url, timeout=120) as client:
        model_id = _trained(client)
        deployment = client.post("/v1/models/deploy", json={"model_version_id": model_id})
        assert deployment.status_code == 200, deployment.text
        assert model_id in _served(vllm_url)
        made = client.post("/v1/marksets", files={"file": drawn(500)}, data={"segmenter": "regions"}).json()
        ask = {"mark_set_id": made["id"], "query": "What is mark 1?"}
        answer = client.post("/v1/ground", json=ask).json()
        check(answer, made)
        assert answer["model"]["name"] == "adapted@1"
        plain = client.post("/v1/ground", json=ask | {"model": "som-llava-tiny"}).json()
        assert plain["model"]["name"] == "som-llava-tiny"
        kinds = {job["kind"] for job in client.get("/v1/jobs").json()["data"]}
        assert "answer.create" not in kinds, "both were asked straight from the API"

        # A server that was restarted has forgotten its adapters.
        httpx.post(f"{vllm_url}/v1/unload_lora_adapter", json={"lora_name": model_id}).raise_for_status()
        time.sleep(LISTED_S)
        assert client.post("/v1/ground", json=ask).json()["model"]["name"] == "adapted@1"
        assert model_id in _served(vllm_url)
        # A worker takes the same way.
        image = {"type": "id", "id": made["image"]["id"]}
        asked = {"image": image, "marks": {"segmenter": "regions"}, "query": "What is mark 1?"}
        worked = client.post("/v1/ground", json=asked).json()
        assert (worked["model"], worked["text"]) == (answer["model"], answer["text"])


def _served(vllm_url: str) -> set[str]:
    return {model["id"] for model in httpx.get(f"{vllm_url}/v1/models").json()["data"]}


def _trained(client: httpx.Client) -> str:
    """Train a LoRA adapter on one annotated drawing through the API; returns its version's id."""
    scene = drawings.scene(7)
    image = client.post("/v1/images", files={"file": encode(scene.image)}, data={"labels": '["lora"]'}).json()
    regions = [
        {"id": str(number), "bbox_xyxy_px": [float(v) for v in box], "text": name}
        for number, (name, box) in enumerate(zip(scene.names, scene.regions.boxes_xyxy_px, strict=True))
    ]
    made = client.post("/v1/marksets", json={"image": {"type": "id", "id": image["id"]}, "regions": regions}).json()
    order = {"images": {"label": "lora"}, "mark_set_ids": [made["id"]]}
    job = finished(client, client.post("/v1/annotations", json=order).json()["id"])
    assert job["status"] == "succeeded", job
    dataset = client.post("/v1/datasets", json={"name": "lora", "job_ids": [job["id"]]}).json()
    order = {"name": "adapted", "dataset_id": dataset["id"], "steps": 2, "batch_size": 1, "lora": True}
    training = finished(client, client.post("/v1/trainings", json=order).json()["id"], 240)
    assert training["status"] == "succeeded", training
    return str(training["result"]["model_version_id"])
