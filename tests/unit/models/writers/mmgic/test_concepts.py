"""Descriptions of labels: what is asked, what is read, what makes no sense, and that each concept is asked about once."""

import threading

import pytest

from models.errors import BackendDown, BadInput
from models.writers.asking import Asked
from models.writers.mmgic import concepts
from models.writers.mmgic.concepts import Concept, Verdict, concepts_of, description_messages, read_verdict
from models.writers.mmgic.descriptions import Descriptions
from tests.unit.models.writers.scripted import ScriptedTeacher
from tests.unit.models.writers.svit.beach import FACTS

TEXT = "A dog is a domestic animal with four legs, fur and a tail, kept for company, work and hunting by people everywhere."
DOG = Concept(kind="object", label="dog", synset="dog.n.01")
FLYING = Concept(kind="attribute", label="flying", related=("elephant",))


def test_the_papers_number() -> None:
    assert concepts.ABOUT_WORDS == 50
    assert "about 50 words" in description_messages(DOG)[0].text


def test_things_properties_and_relations_with_what_they_are_said_of() -> None:
    found = concepts_of(FACTS)
    assert [(concept.kind, concept.label) for concept in found] == [
        ("object", "man"),
        ("object", "dog"),
        ("object", "ball"),
        ("object", "boat"),
        ("attribute", "tall"),
        ("attribute", "brown"),
        ("relationship", "throwing"),
    ]
    assert [concept.related for concept in found[4:]] == [("man",), ("dog",), ("man-ball",)]
    assert (found[0].synset, found[3].synset) == ("man.n.01", None)


@pytest.mark.parametrize("concept", [*concepts_of(FACTS)])
def test_every_prompt_has_five_tips_and_a_way_to_object(concept: Concept) -> None:
    (message,) = description_messages(concept)
    assert [line[0] for line in message.text.splitlines() if line[:1].isdigit()] == list("12345")
    assert message.text.split("guide you:")[1].split("\n")[0].count("?") == 4
    assert "`Invalid.`" in message.text
    assert concept.label in message.text
    assert all(related in message.text for related in concept.related)
    assert (concept.synset or "") in message.text
    assert message.images == ()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"  {TEXT}\n",
        f'"{TEXT}"',
        f"**Description:** {TEXT}",
        TEXT.replace(" with ", "\nwith "),
        f"```\n{TEXT}\n```",
    ],
)
def test_a_description_is_read_from_many_hands(text: str) -> None:
    assert read_verdict(text) == (Verdict(text=TEXT), ())


@pytest.mark.parametrize(
    "text",
    [
        "Invalid. Elephants do not fly.",
        "invalid: Elephants do not fly.",
        "**Invalid.** Reason: Elephants do not fly.",
        "`Invalid.`\nElephants do not fly.",
        '"Invalid." - Elephants do not fly.',
    ],
)
def test_what_makes_no_sense_is_told_with_its_reason(text: str) -> None:
    assert read_verdict(text) == (Verdict(invalid="Elephants do not fly."), ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("A dog is an animal.", "words"),
        (" ".join([TEXT] * 6), "words"),
        (f"{TEXT} In this image it is brown.", "one picture"),
        (f"{TEXT} <image>", "<image>"),
    ],
)
def test_what_is_asked_for_again(text: str, problem: str) -> None:
    assert problem in " ".join(read_verdict(text)[1])


def test_invalidity_is_a_word_of_its_own() -> None:
    text = f"Invalidated tickets are tickets that were stamped. {TEXT}"
    assert read_verdict(text)[0] == Verdict(text=text)


def test_each_concept_is_asked_about_once() -> None:
    teacher = ScriptedTeacher(TEXT)
    book = Descriptions()
    threads = [threading.Thread(target=book.of, args=(DOG, Asked(teacher), n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.of(DOG, None, 0) == Verdict(text=TEXT)
    assert len(teacher.asked) == 1


class Shared(dict[str, dict[str, object]]):
    """A ledger in memory."""

    def find(self, keys: list[str]) -> dict[str, dict[str, object]]:
        return {key: self[key] for key in keys if key in self}

    def keep(self, key: str, found: dict[str, object]) -> dict[str, object]:
        return self.setdefault(key, found)


def test_what_another_worker_was_told_is_not_asked_again() -> None:
    ledger, other = Shared(), ScriptedTeacher("Never asked.")
    assert Descriptions(ledger=ledger).of(DOG, Asked(ScriptedTeacher(TEXT)), 0) == Verdict(text=TEXT)
    Descriptions(ledger=ledger).of(FLYING, Asked(ScriptedTeacher("Invalid. They do not.")), 0)
    book = Descriptions(ledger=ledger)
    assert book.of(DOG, Asked(other), 0) == Verdict(text=TEXT)
    assert book.of(FLYING, Asked(other), 0) == Verdict(invalid="They do not.")
    assert other.asked == []


def test_of_two_answers_of_one_moment_both_workers_take_the_first() -> None:
    ledger = Shared()
    late = f"{TEXT} So it is."

    class Slow(ScriptedTeacher):
        def ask(self, *messages: object, **how: object) -> object:
            Descriptions(ledger=ledger).of(DOG, Asked(ScriptedTeacher(TEXT)), 0)
            return super().ask(*messages, **how)

    assert Descriptions(ledger=ledger).of(DOG, Asked(Slow(late)), 0) == Verdict(text=TEXT)


def test_a_label_without_sense_in_one_image_is_asked_about_in_another() -> None:
    book = Descriptions()
    assert book.of(FLYING, Asked(ScriptedTeacher("Invalid. They do not.")), 0) == Verdict(invalid="They do not.")
    assert book.of(FLYING, None, 0) == Verdict(invalid="They do not.")
    birds = Concept(kind="attribute", label="flying", related=("bird",))
    assert book.of(birds, None, 0) is None
    assert book.of(birds, Asked(ScriptedTeacher(TEXT)), 0) == Verdict(text=TEXT)


def test_no_clean_answer_is_no_description() -> None:
    teacher = ScriptedTeacher("Too short.")
    assert Descriptions(tries=2).of(DOG, Asked(teacher), 0) == Verdict()
    assert len(teacher.asked) == 2


def test_a_teacher_that_is_away_leaves_no_trace() -> None:
    book = Descriptions()
    with pytest.raises(BackendDown):
        book.of(DOG, Asked(ScriptedTeacher(BackendDown("away"))), 0)
    assert book.of(DOG, Asked(ScriptedTeacher(TEXT)), 0) == Verdict(text=TEXT)


def test_given_descriptions_need_no_teacher() -> None:
    book = Descriptions({"object:dog": TEXT, "attribute:flying": ""})
    assert book.of(DOG, None, 0) == Verdict(text=TEXT)
    assert book.of(FLYING, None, 0) == Verdict(invalid="left out by the order")
    with pytest.raises(BadInput):
        Descriptions(dict.fromkeys((str(n) for n in range(50_001)), "x"))
