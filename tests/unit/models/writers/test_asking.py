"""Asking until the answer is clean, and telling refusals from answers."""

import pytest

from models.errors import BackendDown, BadOutput
from models.vlm.types import Message
from models.writers.asking import REFUSED, UNREADABLE, Asked, ask_until
from models.writers.refusals import is_refusal
from models.writers.types import dialogue
from tests.unit.models.writers.scripted import ScriptedTeacher

QUESTION = (Message(role="system", text="Be exact."), Message(role="user", text="A number?"))


def number(text: str) -> tuple[int | None, list[str]]:
    return (int(text), []) if text.isdigit() else (None, [f"{text} is no number."])


def test_a_clean_answer_is_asked_for_once() -> None:
    teacher = ScriptedTeacher("7")
    asked = Asked(teacher)
    found = ask_until(asked, QUESTION, number, tries=3)
    assert (found.read, found.problems) == (7, ())
    assert asked.record() == {"tries": 1, "prompt_tokens": 100, "completion_tokens": 10, "latency_s": 0.5}


def test_the_next_try_is_told_what_was_wrong() -> None:
    teacher = ScriptedTeacher("seven", "7")
    assert ask_until(Asked(teacher), QUESTION, number, tries=3).read == 7
    second = teacher.asked[1]
    assert [message.role for message in second] == ["system", "user", "assistant", "user"]
    assert second[2].text == "seven"
    assert "seven is no number." in second[3].text


def test_a_refusal_is_asked_again_without_being_shown() -> None:
    teacher = ScriptedTeacher("I'm sorry, but I can't help with that.", "7")
    assert ask_until(Asked(teacher), QUESTION, number, tries=3).read == 7
    assert teacher.asked[1] == QUESTION


def test_after_the_last_try_the_best_answer_is_kept_with_its_problems() -> None:
    def read(text: str) -> tuple[str, list[str]]:
        return text, ["bad"] * len(text)

    found = ask_until(Asked(ScriptedTeacher("aaa", "a", "aa")), QUESTION, read, tries=3)
    assert (found.text, found.problems) == ("a", ("bad",))


def test_of_equally_faulty_answers_the_one_that_is_worth_most_is_kept_then_the_last() -> None:
    def read(text: str) -> tuple[str, list[str]]:
        return text, ["marks are missing"]

    answers = ScriptedTeacher("1. a", "1. a\n2. b", "1. c\n2. d", "1. e")
    found = ask_until(Asked(answers), QUESTION, read, tries=4, worth=lambda text: len(text.splitlines()))
    assert found.text == "1. c\n2. d"


@pytest.mark.parametrize(
    ("said", "problem"), [("I cannot see any image.", REFUSED), (BadOutput("no text"), UNREADABLE)]
)
def test_nothing_usable_is_no_answer(said: str | Exception, problem: str) -> None:
    found = ask_until(Asked(ScriptedTeacher(said)), QUESTION, number, tries=2)
    assert (found.read, found.problems) == (None, (problem,))


def test_a_server_that_is_away_is_not_a_try_gone_wrong() -> None:
    with pytest.raises(BackendDown):
        ask_until(Asked(ScriptedTeacher(BackendDown("away"))), QUESTION, number, tries=3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I'm sorry, but I can't assist with that request.",
        "I\u2019m sorry, I cannot see the picture.",
        "Sorry, the image is missing.",
        "As an AI language model, I have no eyes.",
        "The message is empty.",
        "It seems that no image was provided.",
        "Please provide the captions.",
        "Unfortunately, I am unable to describe people.",
    ],
)
def test_refusals_are_known(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "1. person\n2. dog",
        "Unfortunately, the dog has lost its ball.",
        "I can see a dog.",
        "Sorry is written on the sign.",
        "A man says: I'm sorry, I can't.",
        "The image is taken from above.",
    ],
)
def test_answers_are_not_refusals(text: str) -> None:
    assert not is_refusal(text)


def test_a_dialogue_has_one_picture_at_its_start() -> None:
    turns = dialogue([("What is <image> this?", "A dog."), ("<image>And that?", "A cat <image>.")])
    assert [turn["from"] for turn in turns] == ["human", "gpt", "human", "gpt"]
    assert "".join(turn["value"] for turn in turns).count("<image>") == 1
    assert turns[0]["value"].startswith("<image>\n")
