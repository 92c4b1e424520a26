"""docker/llava.jinja renders what LLaVA-1.5 was trained on, to the character."""

from pathlib import Path
from typing import Any

import pytest
from transformers import CLIPImageProcessorPil, LlavaProcessor, PreTrainedTokenizerFast

TEMPLATE = Path(__file__).resolve().parents[4] / "docker" / "llava.jinja"
TINY = Path(__file__).resolve().parents[4] / "models" / "weights" / "som-llava-tiny"
SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
IMAGE = {"type": "image"}


def said(text: str, *images: dict[str, str], role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": [*images, {"type": "text", "text": text}]}


@pytest.fixture(scope="module")
def processor() -> LlavaProcessor:
    return LlavaProcessor(
        image_processor=CLIPImageProcessorPil(),
        tokenizer=PreTrainedTokenizerFast(
            tokenizer_file=str(TINY / "tokenizer.json"), bos_token="<s>", eos_token="</s>"
        ),
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE.read_text(encoding="utf-8"),
    )


def rendered(processor: LlavaProcessor, messages: list[dict[str, Any]], **more: bool) -> str:
    """As transformers' processor does it; vLLM renders the same file with the same engine."""
    return str(processor.apply_chat_template(messages, tokenize=False, **({"add_generation_prompt": True} | more)))


def test_one_question_about_one_picture(processor: LlavaProcessor) -> None:
    expected = f"<s>{SYSTEM} USER: <image>\nWhat is mark 3? ASSISTANT:"
    assert rendered(processor, [said("What is mark 3?", IMAGE)]) == expected


def test_our_own_body_is_rendered_alike(processor: LlavaProcessor) -> None:
    # vLLM turns image_url parts into image parts before it renders; other servers may not.
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}
    assert rendered(processor, [said("Q", url)]) == f"<s>{SYSTEM} USER: <image>\nQ ASSISTANT:"
    assert rendered(processor, [{"role": "user", "content": "Q"}]) == f"<s>{SYSTEM} USER: Q ASSISTANT:"


def test_a_conversation_ends_its_answers_as_in_training(processor: LlavaProcessor) -> None:
    messages = [said("One?", IMAGE), said("A.", role="assistant"), said("Two?")]
    expected = f"<s>{SYSTEM} USER: <image>\nOne? ASSISTANT: A.</s>USER: Two? ASSISTANT:"
    assert rendered(processor, messages) == expected
    whole = rendered(processor, messages[:2], add_generation_prompt=False)
    assert whole == f"<s>{SYSTEM} USER: <image>\nOne? ASSISTANT: A.</s>"


def test_two_pictures_and_a_system_sentence_of_the_callers(processor: LlavaProcessor) -> None:
    messages = [said("Be brief.", role="system"), said("Same?", IMAGE, IMAGE)]
    assert rendered(processor, messages) == "<s>Be brief. USER: <image>\n<image>\nSame? ASSISTANT:"


def test_braces_and_newlines_of_a_query_stay_as_they_are(processor: LlavaProcessor) -> None:
    query = "{{ bos_token }} {% if %}\n\n  x  "
    assert rendered(processor, [said(query, IMAGE)]) == f"<s>{SYSTEM} USER: <image>\n{query} ASSISTANT:"
