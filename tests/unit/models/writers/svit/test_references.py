"""References to boxes: read from many hands, held to what is really there."""

import time

import pytest

from models.writers.svit.references import COPY_TOLERANCE, SAME_IOU, checked, read_references, write_reference
from tests.unit.models.writers.svit.beach import CONTEXT, DOG, MAN

BOATS = "[0.750, 0.275, 0.825, 0.325], [0.875, 0.275, 0.950, 0.325]"


def test_the_written_form() -> None:
    assert write_reference("men", [(0.1, 0.2, 0.3, 0.4), (0.5, 0.2, 0.7, 0.4)]) == (
        "<st>men<ed> [0.100, 0.200, 0.300, 0.400], [0.500, 0.200, 0.700, 0.400]"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<st>the dog<ed> [0.500, 0.500, 0.700, 0.700] runs",
        "<st>the dog<ed>[0.5, 0.5, 0.7, 0.7] runs",
        "< st >the dog< ed >  (0.5,0.5,0.7,0.7) runs",
        "<ST> the dog </st> [[0.5, 0.5, 0.7, 0.7]] runs",
        "<st>the dog</ed> [.5, .501, .7, .699] runs",
        "&lt;st&gt;the dog&lt;ed&gt; [0.5, 0.5, 0.7, 0.7] runs",
        "<st>the dog<ed> [0.5, 0.5, 0.7, 0.7] and [0.5, 0.5, 0.7, 0.7] runs",
    ],
)
def test_every_hand_becomes_the_one_form_with_the_annotated_digits(text: str) -> None:
    found = checked(text, CONTEXT.places)
    assert found.problem is None
    assert found.text == f"<st>the dog<ed> {DOG} runs"
    reference = found.references[0]
    assert found.text[reference.start : reference.end] == f"<st>the dog<ed> {DOG}"


@pytest.mark.parametrize("joint", [", ", " and ", ", and ", "", "; ", " "])
def test_a_plural_has_several_boxes(joint: str) -> None:
    first, second = BOATS.split(", [")
    found = checked(f"Where are <st>boats<ed> {first}{joint}[{second}?", CONTEXT.places)
    assert found.problem is None
    assert found.text == f"Where are <st>boats<ed> {BOATS}?"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("The dog runs.", "names no thing"),
        (f"<st>the dog {DOG} runs", "names no thing"),
        ("<st>the dog<ed> runs", "names no thing"),
        (f"<st><ed> {DOG} runs", "empty"),
        ("<st>the dog<ed> [0.5, 0.5, 0.7, 1.2] runs", "is no box"),
        ("<st>the dog<ed> [0.7, 0.5, 0.5, 0.7] runs", "is no box"),
        ("<st>the dog<ed> [0.5, 0.7, 0.7, 0.7] runs", "is no box"),
        ("<st>the dog<ed> [200, 100, 280, 180] runs", "is no box"),
        ("<st>the dog<ed> [0.500, 0.500, 0.800, 0.900] runs", "the box of nothing"),
        (f"<st>the dog<ed> {MAN} runs", "is not the box of 'the dog'"),
        (f"<st>the dog<ed> {DOG} and <st>a ball jump", "stands alone"),
        (f"<st>the dog<ed> {DOG} and a ball [0.1, 0.3, 0.3, 0.7]", "stands alone"),
    ],
)
def test_what_is_refused(text: str, problem: str) -> None:
    assert problem in (checked(text, CONTEXT.places).problem or "")


@pytest.mark.parametrize("name", ["the person", "his owner", "a man with a dog", "somebody"])
def test_another_word_for_a_thing_is_fine_unless_it_means_another_thing(name: str) -> None:
    assert checked(f"<st>{name}<ed> {MAN} waits", CONTEXT.places).problem is None


def test_what_counts_as_the_same_box() -> None:
    assert (COPY_TOLERANCE, SAME_IOU) == (0.002, 0.9)
    assert checked("<st>dog<ed> [0.502, 0.498, 0.702, 0.700]", CONTEXT.places).text == f"<st>dog<ed> {DOG}"
    assert checked("<st>dog<ed> [0.500, 0.500, 0.700, 0.680]", CONTEXT.places).problem is None  # IoU .9
    assert checked("<st>dog<ed> [0.500, 0.500, 0.700, 0.670]", CONTEXT.places).problem is not None


def test_references_are_read_as_they_stand() -> None:
    (found,) = read_references("a <st>red  dog<ed> [1, 2, 3, 4], [5, 6, 7, 8]")
    assert (found.name, found.boxes) == ("red dog", ((1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)))


def test_long_garbage_is_read_in_linear_time() -> None:
    start = time.process_time()
    for piece in ("<st>", "<st>dog<ed> ", "[0.1, 0.2, 0.3, 0.4], ", "<st>dog<ed> [0.1, 0.2, 0.3, ", "[" * 9):
        checked(piece * 4_000, CONTEXT.places)
    assert time.process_time() - start < 8.0
