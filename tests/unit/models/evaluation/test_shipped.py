"""The shipped som-llava-tiny does what its RECIPE says, on a few held-out drawings."""

from pathlib import Path

import pytest
import torch

from models import drawings
from models.errors import WeightsMissing
from models.evaluation.drawings import Checkpoint, evaluate, screen_questions, varied_questions
from models.evaluation.listing import score_answers

HELD_OUT = drawings.HELD_OUT_SEEDS.start
SHIPPED = Path(__file__).parents[4] / "models" / "weights" / "som-llava-tiny"


@pytest.fixture(scope="module")
def checkpoint():
    torch.set_num_threads(1)
    return Checkpoint(SHIPPED)


def test_it_lists_names_and_finds_marks_and_does_not_guess(checkpoint):
    results = evaluate(checkpoint, 8, HELD_OUT + 5000)
    assert results["list-item"] >= 0.8
    assert results["what"] >= 0.8
    assert results["which"] >= 0.85
    assert results["blank-list-item"] <= 0.1
    assert results["blank-which"] <= 0.1


def test_it_finds_marks_by_the_table(checkpoint):
    seeds = range(HELD_OUT + 5000, HELD_OUT + 5010)
    questions = [one for seed in seeds for one in screen_questions(drawings.screen(seed), seed, checkpoint.input_px)]
    which = [one for one in questions if one.task == "table-which"]
    assert len(which) > 20
    assert (
        score_answers(checkpoint.answer(which), [one.answer for one in which]) >= 0.7
    )  # .87 over 25 screens; about .1 by chance


def test_it_reads_letters_smaller_pictures_and_any_number(checkpoint):
    """Version 1 named .12 of the marks with letters, .18 at .7 of the size, and listed .07 with ids up to 99."""
    asked = [varied_questions(seed) for seed in range(HELD_OUT + 5000, HELD_OUT + 5008)]
    for way, least in (("letters", 0.6), ("x0.7", 0.5), ("ids to 99", 0.6)):
        questions = [one for ways in asked for one in ways[way] if one.task == f"{way}: what"]
        assert score_answers(checkpoint.answer(questions), [one.answer for one in questions]) >= least


def test_it_is_small():
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) <= 16 * 2**20


def test_a_folder_without_a_checkpoint_is_named(tmp_path):
    with pytest.raises(WeightsMissing, match="not a checkpoint folder"):
        Checkpoint(tmp_path)
