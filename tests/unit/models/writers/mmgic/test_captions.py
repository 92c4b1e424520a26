"""The choice of a caption: the paper's numbers, repetition, and what happens without a scorer."""

from collections.abc import Sequence

import pytest

from models.writers.mmgic import captions
from models.writers.mmgic.captions import choose_caption, read_captions

GOOD, BETTER = "A man throws a ball far", "A tall man throws a ball to his dog"


def words(count: int) -> str:
    return " ".join(["word"] * count)


def scorer(**known: float) -> captions.CaptionScorer:
    table = {"good": GOOD, "better": BETTER}
    scores = {table.get(key, key): value for key, value in known.items()}

    def score(texts: Sequence[str]) -> Sequence[float]:
        return [scores.get(text, 0.3) for text in texts]

    return score


def test_the_papers_numbers() -> None:
    assert (captions.CANDIDATES, captions.MAX_ROUNDS) == (10, 10)
    assert (captions.MIN_WORDS, captions.MAX_WORDS, captions.MIN_SIMILARITY) == (5, 25, 0.25)


def test_the_most_similar_of_fit_length_is_taken() -> None:
    choice = choose_caption(lambda _: [GOOD, BETTER], scorer(good=0.26, better=0.4))
    assert choice is not None
    assert (choice.text, choice.similarity, choice.rounds) == (BETTER, 0.4, 1)


@pytest.mark.parametrize(("count", "fit"), [(4, False), (5, True), (25, True), (26, False)])
def test_five_to_twenty_five_words(count: int, fit: bool) -> None:
    choice = choose_caption(lambda _: [words(count)], scorer(), rounds=1)
    assert choice is not None
    assert choice.reason.startswith("the most similar") is fit


@pytest.mark.parametrize(("similarity", "fit"), [(0.2499, False), (0.25, True)])
def test_a_quarter_of_similarity(similarity: float, fit: bool) -> None:
    choice = choose_caption(lambda _: [GOOD], scorer(good=similarity), rounds=1)
    assert choice is not None
    assert choice.reason.startswith("the most similar") is fit


def test_ten_rounds_then_the_best_there_was() -> None:
    asked: list[int] = []

    def candidates(number: int) -> Sequence[str]:
        asked.append(number)
        return [f"the very words of round {number}", words(40)]

    score = {f"the very words of round {n}": n / 100 for n in range(10)}
    choice = choose_caption(candidates, lambda texts: [score.get(text, 0.9) for text in texts])
    assert asked == list(range(10))
    assert choice is not None
    assert (choice.text, choice.similarity, choice.rounds) == ("the very words of round 9", 0.09, 10)
    assert "best of all" in choice.reason


def test_a_later_round_may_save_it() -> None:
    choice = choose_caption(lambda number: [GOOD if number == 3 else "too short"], scorer())
    assert choice is not None
    assert (choice.text, choice.rounds) == (GOOD, 4)


def test_only_ten_candidates_count() -> None:
    choice = choose_caption(lambda _: [*(f"{words(5)} {n}" for n in range(10)), BETTER], scorer(better=1.0))
    assert choice is not None
    assert choice.text != BETTER


def test_without_a_scorer_the_words_decide_and_the_choice_says_so() -> None:
    choice = choose_caption(lambda _: ["too short", GOOD, BETTER], None)
    assert choice is not None
    assert (choice.text, choice.similarity) == (GOOD, None)
    assert "no scorer" in choice.reason


def test_nothing_offered_is_nothing_chosen() -> None:
    assert choose_caption(lambda _: [], scorer()) is None


@pytest.mark.parametrize(
    "text",
    [
        f"{GOOD}\n{BETTER}",
        f"Here are the captions:\n1. {GOOD}\n2. {BETTER}\n",
        f'- "{GOOD}"\n- "{BETTER}"\n- "{BETTER}"',
        f"**1)** {GOOD}\n\n**2)** {BETTER}".replace("**1)**", "(1)").replace("**2)**", "(2)"),
        f"1. {GOOD}\n2. As the caption says, he throws\n3. {BETTER} \n4. <image> {GOOD}",
    ],
)
def test_captions_are_read_from_many_hands(text: str) -> None:
    assert read_captions(text) == (GOOD, BETTER)


def test_a_refusal_offers_nothing() -> None:
    assert read_captions("I'm sorry, I can't see the picture.") == ()
