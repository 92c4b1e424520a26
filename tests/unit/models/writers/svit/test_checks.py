"""The filters: texts that betray their source, that decline, that hold foreign tokens; and texts that must pass."""

import pytest

from models.writers.svit.checks import foreign_token, pair_problem, refuses, source_leak


@pytest.mark.parametrize(
    "text",
    [
        "According to the caption, the man throws a ball.",
        "Based on the region descriptions, it is warm.",
        "As described in the third description, he smiles.",
        "As mentioned in the notes, the dog is brown.",
        "The captions suggest that it is summer.",
        "The image description says that there are two boats.",
        "What does the caption say about the dog?",
        "Judging from the bounding boxes, the dog is smaller.",
        "The dog\u2019s bounding-box lies to the right.",
        "The colour of the hat isn't specified.",
        "It is not mentioned who throws.",
        "The provided information shows a beach.",
        "From the given context it follows that he is strong.",
        "Going by the coordinates, the ball is high.",
        "According to the region, it is wet.",
        "The remarks tell of a dog.",
        "In this Annotation, a dog runs.",
        "The data does not show his age.",
        "According to the list of objects, there are two boats.",
    ],
)
def test_what_betrays_the_source(text: str) -> None:
    assert source_leak(text, "") is not None


@pytest.mark.parametrize(
    "text",
    [
        "The dog is brown and runs along the sea.",
        "The text on the sign says that swimming is forbidden.",
        "A region of dark water lies behind the boats.",
        "He takes notes while a cardboard box stands beside him.",
        "The boxes are stacked to the left of the door.",
        "Judging by his posture, he has just thrown the ball.",
        "The list of dishes hangs on the wall.",
        "Based on the shadows, it is about noon.",
        "According to the clock, it is ten past four.",
        "The picture shows a busy street.",
        "He stands in the region between the two boats.",
        "These facts suggest that he has just come out of the water.",
    ],
)
def test_what_does_not(text: str) -> None:
    assert source_leak(text, "") is None


def test_a_word_that_the_notes_use_themselves_is_forgiven_but_a_phrase_is_not() -> None:
    told = "a caption under the poster"
    assert source_leak("The caption under the poster is red.", told) is None
    assert source_leak("The caption under the poster is red.", "a poster") == "caption"
    assert source_leak("According to the caption, it is red.", told) is not None
    assert source_leak("Based on the boxes by the door, they move house.", "boxes by a door") is None
    assert source_leak("Based on the boxes, the dog is left of the man.", "a dog") == "based on the boxes"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I cannot see the image.",
        "The message is empty. Please provide a description.",
        "It cannot be determined who throws.",
        "It is impossible to tell from here.",
        "",
    ],
)
def test_what_declines(text: str) -> None:
    assert refuses(text)


def test_what_answers() -> None:
    assert not refuses("The man, because his arm is raised.")


@pytest.mark.parametrize("text", ["see <image> here", "end</s>", "<|im_start|>", "[INST] go", "so. ASSISTANT: yes"])
def test_tokens_that_a_training_file_must_not_hold(text: str) -> None:
    assert foreign_token(text) is not None
    assert foreign_token("<st>a dog<ed> [0.1, 0.2, 0.3, 0.4] and a shop assistant: both wait") is None


def test_both_halves_of_a_pair_are_looked_at() -> None:
    assert pair_problem("What is it?", "A dog.", "") is None
    assert "caption" in (pair_problem("What does the caption say?", "A dog.", "") or "")
    assert "caption" in (pair_problem("What is it?", "As stated in the caption, a dog.", "") or "")
    assert pair_problem("What is it?", "I'm sorry, I can't see it.", "") == "it is not answered"
