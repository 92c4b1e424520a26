"""Each rule of a mixture alone: draws, concepts, yes and no, noun phrases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.mixtures.concepts import concept_words
from models.mixtures.coreset import informative, overlap, sampled
from models.mixtures.draws import chance, draw, held_out, identity
from models.mixtures.noun_phrases import PhraseTable, phrases
from models.mixtures.yes_no import surplus, verdict


def test_a_draw_depends_on_seed_purpose_sample_and_copy() -> None:
    sample = identity("a")
    drawn = {draw(*args) for args in [(0, "x", sample), (1, "x", sample), (0, "y", sample), (0, "x", sample, 1)]}
    assert len(drawn) == 4


def test_draws_are_the_same_in_every_release() -> None:
    assert identity("text") == 15_560_886_287_559_301_660
    assert draw(7, "take", identity("text"), 1) == 10_536_163_737_303_023_387
    assert 0 <= chance(draw(7, "take", identity("text"))) < 1


def test_about_a_tenth_of_the_pictures_is_held_out_whatever_the_recipe() -> None:
    tested = sum(held_out(f"picture {n}") for n in range(10_000))
    assert 900 < tested < 1_100
    assert all(held_out(f"picture {n}", 1.0) for n in range(10))


@given(st.lists(st.integers(), unique=True, max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_a_larger_sample_holds_the_smaller_one(keys: list[int], few: int, many: int) -> None:
    items = [(index, identity(str(key))) for index, key in enumerate(keys)]
    few, many = sorted((few, many))
    small = sampled(items, few, seed=1, purpose="take")
    assert set(small) <= set(sampled(items, many, seed=1, purpose="take"))
    assert small == sorted(small)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A RED car in front of two small houses.", {"red", "in front of", "two", "small"}),
        ("Reddish figures infrontof", set()),
        ("grey wooden gate", {"gray/grey", "wood/wooden"}),
        ("gray and grey, wood and wooden", {"gray/grey", "wood/wooden"}),
        ("an aluminium can, a golden ring", {"aluminum/aluminium", "gold/golden"}),
    ],
)
def test_key_words_are_found_whole_and_once(text: str, found: set[str]) -> None:
    assert concept_words(text) == found


def test_the_overlap_counts_the_whole_conversation() -> None:
    assert overlap([("What color is it?", "Red."), ("Where?", "On the left, next to the red bus.")]) == 3


def test_the_less_informative_half_is_dropped_and_ties_are_drawn() -> None:
    scored = [(index, identity(str(index)), score) for index, score in enumerate([5, 1, 4, 2, 3])]
    assert informative(scored, seed=0) == [0, 2, 4]
    assert informative(scored[:4], seed=0) == [0, 2]
    equal = [(index, identity(str(index)), 7) for index in range(40)]
    first, second = informative(equal, seed=0), informative(equal, seed=1)
    assert len(first) == len(second) == 20
    assert first != second


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("Is there a dog?", "Yes, a brown one.", "yes"),
        ("Is there a dog?", "no", "no"),
        ("Is there a dog?", "No dog can be seen.", "no"),
        ("How many dogs are visible?", "No dogs can be seen.", None),
        ("What does the sign say?", "Yesterday", None),
        ("What color is the dog?", "Brown.", None),
        ("In the picture, does he smile?", "Yes he does", "yes"),
        ("What is it?", "No. 5 is a bus.", "no"),
    ],
)
def test_yes_and_no_are_answers_to_such_questions(question: str, answer: str, said: str | None) -> None:
    assert verdict(question, answer) == said


def test_surplus_yes_rounds_are_dropped_to_8_for_each_no() -> None:
    yes = [(index, identity(str(index)), number) for index in range(10) for number in range(4)]
    dropped = surplus(yes, 3, seed=0)
    assert sum(map(len, dropped.values())) == 40 - 24
    assert surplus(yes, 5, seed=0) == {}
    assert surplus(yes, 3, seed=0) == dropped
    assert surplus(yes, 3, seed=1) != dropped


def test_noun_phrases_of_a_caption_lose_their_determiners() -> None:
    assert phrases("A brown dog and the two cats on a sofa") == {"brown dog", "cats", "sofa"}


def test_rare_phrases_are_passed_over_and_common_ones_capped() -> None:
    table = PhraseTable()
    for number in range(100):
        table.add(identity(f"dog {number}"), {"dog"})
    for number in range(30):
        table.add(identity(f"zebra {number}"), {"dog", "zebra"})
    for number in range(5):
        table.add(identity(f"yak {number}"), {"yak"})
    taken = table.capped(seed=0)
    assert set(range(100, 130)) <= set(taken), "the rarer phrase comes first and is below its cap"
    assert not set(range(130, 135)) & set(taken), "seen fewer than 20 times"
    assert len(taken) == 50, "captions that zebra brought count for dog"


def test_a_phrase_that_is_common_alone_gets_its_cap() -> None:
    table = PhraseTable()
    for number in range(200):
        table.add(identity(str(number)), {"dog"})
    assert len(table.capped(seed=0)) == 50
    assert len(table.capped(seed=0, cap=7)) == 7
    assert table.capped(seed=0, skip_below=201) == []
