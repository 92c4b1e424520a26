"""Listings: 40 instructions, what a right one is, and the three ways of asking for one."""

import pytest

from models.errors import BadInput, BadOutput
from models.vlm.prompts import LIST_TEMPLATES
from models.writers.listing.instructions import INSTRUCTIONS, instruction_for
from models.writers.listing.reading import MAX_LABEL_CHARS, read_listing
from models.writers.listing.rules import RuleListing
from models.writers.listing.taught import SYSTEM, Example, TaughtListing
from models.writers.types import CHECKS_FAILED, Subject, TaggedMark, WriterOptions
from tests.unit.models.writers.scripted import FakePicture, ScriptedTeacher

IDS = ("1", "2", "3")
GOOD = "1. a cat\n2. a dog\n3. a ball"


def subject(names: tuple[str | None, ...] = ("cat", "dog", "ball")) -> Subject:
    marks = tuple(TaggedMark(id=str(n), name=name, bbox_xyxy_px=(0, 0, 9, 9)) for n, name in enumerate(names, start=1))
    return Subject(image_id="a", seed=7, size_hw=(48, 64), tagged=FakePicture(marks))


def taught(mode: str | None = None, tries: int = 3, **extra: object) -> TaughtListing:
    return TaughtListing(WriterOptions(kind="listing", mode=mode, tries=tries, extra=extra))


def test_there_are_40_instructions_of_which_the_small_model_knows_the_first_12() -> None:
    assert len(set(INSTRUCTIONS)) == len(INSTRUCTIONS) == 40
    assert INSTRUCTIONS[:12] == LIST_TEMPLATES
    assert {instruction_for(seed) for seed in range(2_000)} == set(INSTRUCTIONS)
    assert instruction_for(5) == instruction_for(5)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "Here are the items:\n\n1. a cat.\n2. a dog.\n3. a ball.\n\nThat is all.",
        "[1] a cat\n[2] a dog\n[3] a ball",
        "- **1.** a cat\n- **2.** a dog\n- **3.** a ball",
        "Tag 1: a cat\nMark 2: a dog\nID 3: a ball",
        "3. a ball\n1. a cat\n2. a dog",
        "1) a cat\n2) a dog\n3) a ball",
        "1.\n   a cat\n2. a dog\n3. a ball",
    ],
)
def test_right_listings_are_read_in_mark_order(text: str) -> None:
    listing, problems = read_listing(text, IDS)
    assert problems == []
    assert listing is not None
    assert listing.text == GOOD


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1. a cat\n3. a ball", "These marks have no line: 2."),
        ("1. a cat\n2. a dog\n2. a fox\n3. a ball", "These marks have more than one line: 2."),
        (GOOD + "\n4. a bat", "These marks are not on the picture: 4."),
        ("1. a cat\n2.\n3. a ball", "These marks have no line: 2."),
        (f"1. {'x' * (MAX_LABEL_CHARS + 1)}\n2. a dog\n3. a ball", "The lines of these marks are too long: 1."),
    ],
)
def test_what_is_wrong_is_said(text: str, problem: str) -> None:
    assert read_listing(text, IDS)[1] == [problem]


def test_letters_are_marks_only_on_pictures_with_letters() -> None:
    assert read_listing("A. prose\n" + GOOD, IDS)[1] == []
    listing, problems = read_listing("A. cat\nB. dog\nC. bat", ("A", "B"))
    assert listing is not None
    assert (listing.text, problems) == ("A. cat\nB. dog", ["These marks are not on the picture: C."])


def test_no_line_is_no_listing() -> None:
    assert read_listing("A cat and a dog.", IDS) == (None, ["These marks have no line: 1, 2, 3."])


def test_rules_need_every_name() -> None:
    (draft,) = RuleListing(WriterOptions(kind="listing")).write(subject(), None)
    assert draft.conversations[1]["value"] == "1. cat\n2. dog\n3. ball"
    assert draft.conversations[0]["value"] == f"<image>\n{instruction_for(7)}"
    with pytest.raises(BadInput, match="1 of 3 marks have none"):
        RuleListing(WriterOptions(kind="listing")).write(subject(("cat", None, "ball")), None)


def test_zero_shot_asks_in_one_turn_and_keeps_the_instruction_for_the_text() -> None:
    teacher = ScriptedTeacher(GOOD)
    (draft,) = taught().write(subject(), teacher)
    (messages,) = teacher.asked
    assert [message.role for message in messages] == ["user"]
    assert "There are 3 of them: 1, 2, 3." in messages[0].text
    assert instruction_for(7) not in messages[0].text, "the instruction is never sent to the teacher"
    assert draft.conversations[0]["value"].endswith(instruction_for(7))
    assert draft.provenance["tries"] == 1
    assert CHECKS_FAILED not in draft.provenance


def test_the_improved_system_message_forbids_far_away_things() -> None:
    teacher = ScriptedTeacher(GOOD)
    taught("improved-system").write(subject(), teacher)
    assert [message.role for message in teacher.asked[0]] == ["system", "user"]
    assert teacher.asked[0][0].text == SYSTEM
    assert "farther away" in SYSTEM


def test_two_shot_shows_pictures_and_listings_and_then_the_picture_alone() -> None:
    examples = [Example(text_id=f"t{n}", tagged=FakePicture(()), listing=f"1. example {n}") for n in (1, 2)]
    teacher = ScriptedTeacher(GOOD)
    (draft,) = taught("two-shot", examples=examples).write(subject(), teacher)
    roles = [message.role for message in teacher.asked[0]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [message.text for message in teacher.asked[0][1::2]] == ["", "", ""]
    assert draft.provenance["examples"] == ["t1", "t2"]
    with pytest.raises(BadInput, match="2 examples"):
        taught("two-shot", examples=examples[:1])
    with pytest.raises(BadInput, match="take none"):
        taught("zero-shot", examples=examples)


def test_a_wrong_listing_is_asked_again_and_then_kept_for_review() -> None:
    teacher = ScriptedTeacher("1. a cat", GOOD)
    (draft,) = taught().write(subject(), teacher)
    assert draft.provenance["tries"] == 2
    assert "These marks have no line: 2, 3." in teacher.asked[1][-1].text
    (kept,) = taught(tries=2).write(subject(), ScriptedTeacher("1. a cat"))
    assert kept.provenance[CHECKS_FAILED] == ["These marks have no line: 2, 3."]
    assert kept.conversations[1]["value"] == "1. a cat"
    with pytest.raises(BadOutput, match="no listing in 2 tries"):
        taught(tries=2).write(subject(), ScriptedTeacher("I cannot see any tags."))


def test_the_small_model_is_asked_in_the_words_it_was_taught_with() -> None:
    teacher = ScriptedTeacher("")
    teacher.dialect, teacher.backend = "tiny", object()
    picture = FakePicture(subject().tagged.marks, answers=["1. cat", "1. cat\n2. dog\n3. ball"])
    given = Subject(image_id="a", seed=7, size_hw=(48, 64), tagged=picture)
    (draft,) = taught().write(given, teacher)
    assert len(set(picture.asked)) == 2
    assert set(picture.asked) <= set(LIST_TEMPLATES)
    assert draft.provenance["tries"] == 2
    assert draft.conversations[0]["value"] == f"<image>\n{picture.asked[1]}"
    with pytest.raises(BadInput, match="zero-shot only"):
        taught("improved-system").write(given, teacher)
