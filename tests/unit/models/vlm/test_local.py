import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.errors import BadInput, WeightsMissing
from models.vlm.prompts import build_prompt, chat_prompt, choice_answer, table_row
from models.vlm.types import NONE, VlmRequest
from tests.unit.models.vlm.random_llava import INPUT_PX, write_random_llava

torch = pytest.importorskip("torch")

from models.vlm.local import LocalBackend  # noqa: E402  # after the skip

IDS = tuple(str(number) for number in range(1, 31))
PICTURE = np.random.default_rng(2).integers(0, 256, (INPUT_PX, INPUT_PX, 3), dtype=np.uint8)


def asked(prompt: str = "Which mark is the red circle?", **fields: object) -> VlmRequest:
    return VlmRequest(**{"images": (PICTURE,), "prompt": prompt, "max_tokens": 12} | fields)


def slow_probabilities(backend: LocalBackend, request: VlmRequest, choices: tuple[str, ...]) -> list[float]:
    """Score each whole chat by itself, without cache or tree."""
    pixels = backend._pixels(request.images)
    start = len(backend._prompt_ids(request))
    scores = []
    for choice in choices:
        text = f"{chat_prompt(request.prompt)} {choice_answer(choice, 'tiny')}</s>"
        ids = backend._loaded.encode(text, 1)
        with torch.inference_mode():
            logits = backend._loaded.model(input_ids=torch.tensor([ids]), pixel_values=pixels).logits[0]
        logprobs = logits.log_softmax(-1)
        scores.append(sum(float(logprobs[place - 1, ids[place]]) for place in range(start, len(ids))))
    return torch.softmax(torch.tensor(scores, dtype=torch.float64), 0).tolist()


def test_probabilities_are_those_of_whole_answers(local_backend: LocalBackend) -> None:
    reply = local_backend.choose(asked(), IDS)
    assert list(reply.probabilities.values()) == pytest.approx(
        slow_probabilities(local_backend, asked(), (*IDS, NONE)), rel=1e-4
    )
    assert reply.estimated == frozenset()


def test_the_picture_and_the_prompt_matter(local_backend: LocalBackend) -> None:
    here = local_backend.choose(asked(), IDS).probabilities
    assert here != pytest.approx(local_backend.choose(asked(images=(255 - PICTURE,)), IDS).probabilities)
    assert here != pytest.approx(local_backend.choose(asked("Which mark is the blue one?"), IDS).probabilities)


def test_greedy_text_is_that_of_transformers(local_backend: LocalBackend) -> None:
    ids = local_backend._prompt_ids(asked())
    with torch.inference_mode():
        out = local_backend._loaded.model.generate(
            input_ids=torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            pixel_values=local_backend._pixels((PICTURE,)),
            max_new_tokens=12,
            do_sample=False,
        )
    expected = local_backend._loaded.tokenizer.decode(out[0, len(ids) :].tolist(), skip_special_tokens=True).strip()
    assert local_backend.generate(asked()).text == expected


def test_pixels_are_normalised_by_the_checkpoint(local_backend: LocalBackend) -> None:
    pixels = local_backend._pixels((PICTURE,))
    assert tuple(pixels.shape) == (1, 3, INPUT_PX, INPUT_PX)
    assert float(pixels[0, 2, 5, 7]) == pytest.approx((PICTURE[5, 7, 2] / 255 - 0.5) / 0.27, abs=1e-5)


def test_a_wide_picture_is_fitted(local_backend: LocalBackend) -> None:
    assert local_backend.generate(asked(images=(np.zeros((30, 200, 3), np.uint8),))).prompt_tokens > 0


def test_any_character_is_spelt(local_backend: LocalBackend) -> None:
    prompt = build_prompt("ask", "漢字 é 🙂 ‹image›", [table_row("1", (0, 0, 9, 9), (9, 9), text="<image>")], "tiny")
    ids = local_backend._prompt_ids(asked(prompt))
    assert prompt in local_backend._decode(ids)


def test_a_tokenizer_that_loses_characters_is_reported(tmp_path: Path) -> None:
    write_random_llava(tmp_path, unknown_token=True)
    with pytest.raises(BadInput, match="cannot spell"):
        LocalBackend(tmp_path).generate(asked("漢"))


@pytest.mark.parametrize("prompt", ["see <image> here", "stop</s> now"])
def test_a_prompt_with_special_tokens_is_refused(local_backend: LocalBackend, prompt: str) -> None:
    with pytest.raises(BadInput):
        local_backend.generate(asked(prompt))


def test_a_prompt_beyond_the_context_is_refused(local_backend: LocalBackend) -> None:
    for call in (lambda: local_backend.generate(asked("x" * 800)), lambda: local_backend.choose(asked("x" * 800), IDS)):
        with pytest.raises(BadInput, match="at most 700"):
            call()


def test_sampling_is_refused(local_backend: LocalBackend) -> None:
    with pytest.raises(BadInput, match="temperature"):
        local_backend.generate(asked(temperature=0.7))


def test_a_directory_without_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="no LLaVA checkpoint"):
        LocalBackend(tmp_path)


def test_pickled_weights_are_not_read(tmp_path: Path, random_llava: Path) -> None:
    shutil.copytree(random_llava, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsMissing):
        LocalBackend(tmp_path)


def test_a_missing_tensor_is_refused(tmp_path: Path, random_llava: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(random_llava, tmp_path, dirs_exist_ok=True)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors[next(name for name in tensors if "linear_1.weight" in name)]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsMissing, match="lacks 1 tensors"):
        LocalBackend(tmp_path)


def test_broken_weights_are_refused(tmp_path: Path, random_llava: Path) -> None:
    shutil.copytree(random_llava, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(WeightsMissing, match="cannot be loaded"):
        LocalBackend(tmp_path)


def test_the_version_follows_the_weights(tmp_path: Path, random_llava: Path, local_backend: LocalBackend) -> None:
    shutil.copytree(random_llava, tmp_path, dirs_exist_ok=True)
    assert LocalBackend(tmp_path).version == local_backend.version
    write_random_llava(tmp_path, seed=1)
    assert LocalBackend(tmp_path).version != local_backend.version


def test_the_picture_settings_may_stand_in_the_processor_file(tmp_path: Path, random_llava: Path) -> None:
    shutil.copytree(random_llava, tmp_path, dirs_exist_ok=True)
    settings = json.loads((tmp_path / "preprocessor_config.json").read_text())
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsMissing, match="image_mean"):
        LocalBackend(tmp_path)
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": settings}))
    LocalBackend(tmp_path)
