"""SoM-QA: what a right conversation is, who writes one, and answers that follow from marks alone."""

import re

import pytest

from models.errors import BadInput, BadOutput
from models.writers.som_qa.reading import read_conversation
from models.writers.som_qa.rules import RuleQa
from models.writers.som_qa.taught import TaughtQa
from models.writers.types import CHECKS_FAILED, Subject, TaggedMark, WriterOptions
from tests.unit.models.writers.scripted import FakePicture, ScriptedTeacher

IDS = ("1", "2")
GOOD = (
    "Person: What is [1]?\nAssistant: [1] is a cat.\n"
    "Person: And beside it?\nAssistant: That is [2], a dog.\n"
    "Person: Who is larger?\nAssistant: [2] is."
)
MARKS = (
    TaggedMark(id="1", name="cat", bbox_xyxy_px=(0, 0, 10, 10)),
    TaggedMark(id="2", name="dog", bbox_xyxy_px=(30, 20, 50, 40)),
    TaggedMark(id="3", name="cat", bbox_xyxy_px=(60, 60, 90, 90)),
)


def options(**extra: object) -> WriterOptions:
    return WriterOptions(kind="conversation", extra=extra, tries=2)


def subject(marks: tuple[TaggedMark, ...] = MARKS[:2], seed: int = 3) -> Subject:
    return Subject(image_id="a", seed=seed, size_hw=(100, 100), tagged=FakePicture(marks))


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("Person:", "**Person:**").replace("Assistant:", "**Assistant:**"),
        GOOD.replace("\n", "\n\n"),
        GOOD.replace("Person:", "User:"),
        "Here it is:\n" + GOOD,
        GOOD.replace("[1] is a cat.", "[1] is a cat.\nIt sleeps."),
    ],
)
def test_right_conversations_are_read(text: str) -> None:
    pairs, problems = read_conversation(text, IDS, least_turns=3)
    assert problems == []
    assert pairs is not None
    assert pairs[2] == ("Who is larger?", "[2] is.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD + "\nPerson: What is [7]?\nAssistant: [7] is a bat.", "These marks are not on the picture: 7."),
        (GOOD.rsplit("\n", 2)[0], "There are 2 questions with answers; at least 3 are needed."),
        (GOOD.replace("[2] is.", "I'm sorry, I cannot tell."), "An answer is a refusal."),
        (GOOD.replace("[2] is.", ""), "A turn is empty."),
        (re.sub(r"\[(\d)\]", r"it", GOOD), "At least every second question or its answer must name a mark in square brackets."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text: str, problem: str) -> None:
    assert problem in read_conversation(text, IDS, least_turns=3)[1]


@pytest.mark.parametrize(
    "text", ["", "A cat.", "Assistant: Hi.\nPerson: What?", "Person: a?\nPerson: b?\nAssistant: c."]
)
def test_speakers_must_take_turns(text: str) -> None:
    assert read_conversation(text, IDS, least_turns=1)[0] is None


def test_a_teacher_writes_a_conversation_about_the_tagged_picture() -> None:
    teacher = ScriptedTeacher("Person: Hm?", GOOD)
    (draft,) = TaughtQa(options()).write(subject(), teacher)
    assert (draft.kind, draft.tagged, draft.provenance["tries"]) == ("conversation", True, 2)
    assert [turn["from"] for turn in draft.conversations] == ["human", "gpt"] * 3
    assert "Its tags are 1, 2." in teacher.asked[0][1].text
    (kept,) = TaughtQa(options(turns=4)).write(subject(), ScriptedTeacher(GOOD))
    assert kept.provenance[CHECKS_FAILED] == ["There are 3 questions with answers; at least 4 are needed."]
    with pytest.raises(BadOutput, match="no conversation"):
        TaughtQa(options()).write(subject(), ScriptedTeacher("Sorry, I cannot."))
    with pytest.raises(BadInput):
        TaughtQa(options(turns=0))


def test_the_small_model_is_interviewed() -> None:
    teacher = ScriptedTeacher("")
    teacher.dialect, teacher.backend = "tiny", object()
    picture = FakePicture(MARKS[:2], answers=["cat", "dog", "2"])
    (draft,) = TaughtQa(options()).write(Subject(image_id="a", seed=3, size_hw=(9, 9), tagged=picture), teacher)
    assert [turn["value"] for turn in draft.conversations[1::2]] == ["cat", "dog", "2"]


@pytest.mark.parametrize("seed", range(40))
def test_rules_say_nothing_that_the_marks_do_not(seed: int) -> None:
    (draft,) = RuleQa(options(turns=6)).write(subject(MARKS, seed), None)
    turns = [turn["value"].removeprefix("<image>\n") for turn in draft.conversations]
    assert len(turns) == 12
    assert len(set(turns[::2])) == 6, "no question comes twice"
    names = {mark.id: mark.name for mark in MARKS}
    for question, answer in zip(turns[::2], turns[1::2], strict=True):
        asked = re.findall(r"\d", question)
        if answer in ("Yes.", "No."):
            said = next(name for name in ("cat", "dog") if name in question)
            assert answer == ("Yes." if names[asked[0]] == said else "No.")
        elif "further left" in question or "higher up" in question:
            assert answer == f"Mark {min(asked)}.", "marks are numbered from the top left here"
        elif "cat" in question:
            assert answer == "Marks 1 and 3."
        elif "dog" in question:
            assert answer == "Mark 2."
        elif asked:
            assert answer == names[asked[0]]
        else:
            assert answer == "3"
