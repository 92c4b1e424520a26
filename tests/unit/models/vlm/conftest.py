from collections.abc import Iterator
from pathlib import Path

import pytest

from models.vlm.fake import FakeBackend
from models.vlm.openai import OpenAiBackend
from models.vlm.transport import Transport
from models.vlm.types import VlmBackend
from tests.unit.models.vlm.random_llava import write_random_llava
from tests.unit.models.vlm.vllm_double import Script, vllm_double


@pytest.fixture(scope="session")
def random_llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint directory with random weights and a byte tokenizer; 0.2 MB."""
    directory = tmp_path_factory.mktemp("random-llava")
    write_random_llava(directory)
    return directory


@pytest.fixture(scope="session")
def local_backend(random_llava: Path) -> VlmBackend:
    from models.vlm.local import LocalBackend

    return LocalBackend(random_llava)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def served(script: Script) -> Iterator[OpenAiBackend]:
    """The client of a server that follows `script`; a test may change the script at any time."""
    with vllm_double(script) as url:
        transport = Transport(url, timeout_s=5.0, api_key="k-123", pause=lambda _: None)
        yield OpenAiBackend(transport, "m")
        transport.close()


@pytest.fixture(scope="session")
def vllm_backend(vllm_url: str) -> Iterator[VlmBackend]:
    """A running vLLM that serves our small model."""
    transport = Transport(vllm_url)
    yield OpenAiBackend(transport, "som-llava-tiny", dialect="tiny", input_px=224)
    transport.close()


@pytest.fixture(params=["fake", "fake-tiny", "openai", "local", "vllm"])
def backend(request: pytest.FixtureRequest) -> VlmBackend:
    match request.param:
        case "fake":
            return FakeBackend(answer="It is [1], I think.")
        case "fake-tiny":
            return FakeBackend(answer="Mark 1 and more.", dialect="tiny", input_px=64)
        case "openai":
            return request.getfixturevalue("served")
        case "vllm":
            return request.getfixturevalue("vllm_backend")
        case _:
            return request.getfixturevalue("local_backend")
