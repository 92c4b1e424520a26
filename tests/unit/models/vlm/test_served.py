import pytest

from models.errors import BadOutput, ModelMissing
from models.tiny.config import INPUT_PX
from models.vlm.served import ServedModel, find_served, manner_of, served_models


def test_vllms_list_is_read() -> None:
    body = {
        "object": "list",
        "data": [
            {"id": "m", "root": "/models/m", "parent": None, "max_model_len": 2048},
            {"id": "m-lora", "root": "/adapters/1", "parent": "m"},
            {"id": 3},
            "x",
        ],
    }
    assert served_models(body) == (
        ServedModel(id="m", root="/models/m"),
        ServedModel(id="m-lora", root="/adapters/1", parent="m"),
    )
    with pytest.raises(BadOutput):
        served_models({"data": None})


def test_the_first_that_is_no_adapter_is_taken() -> None:
    listed = (ServedModel(id="a", parent="b"), ServedModel(id="b"), ServedModel(id="c"))
    assert find_served(listed, None).id == "b"
    assert find_served(listed, "c").id == "c"
    assert find_served(listed, "routed").id == "routed"
    with pytest.raises(ModelMissing, match="MARKWISE_VLM_MODEL"):
        find_served(listed[:1], None)


@pytest.mark.parametrize(
    ("model", "dialect", "input_px"),
    [
        (ServedModel(id="som-llava-tiny"), "tiny", INPUT_PX),
        (ServedModel(id="tagger", root="/srv/weights/som-llava-tiny/"), "tiny", INPUT_PX),
        (ServedModel(id="zzxslp/som-llava-v1.5-13b-hf"), "general", 336),
        (ServedModel(id="llava-hf/llava-1.5-7b-hf"), "general", 336),
        (ServedModel(id="default", root="llava-hf/llava-1.5-7b-hf"), "general", 336),
        (ServedModel(id="llava-v1.6-mistral-7b"), "general", None),
        (ServedModel(id="qwen3-vl", root="/som-llava-tiny/qwen3-vl"), "general", None),
    ],
)
def test_a_model_is_known_by_its_name_or_its_folder(model: ServedModel, dialect: str, input_px: int | None) -> None:
    manner = manner_of(model)
    assert (manner.dialect, manner.input_px) == (dialect, input_px)
