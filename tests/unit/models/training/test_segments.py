"""The answers that training teaches are true of the marks they are about."""

import re
from collections import Counter
from random import Random

import pytest

from models.training.segments import Scene, fresh_texts, random_rows, row_name, scene_segments, table_segments
from models.vlm import prompts

SCENE = Scene(ids=("2", "7", "15"), names=("red circle", "red square", "blue heart"))


def drawn(task, make, seeds=range(200)):
    return [one for seed in seeds for one in make(Random(seed)) if one.task == task]


def test_a_listing_names_every_mark_in_order():
    (listing,) = drawn("list", lambda rng: scene_segments(SCENE, rng), range(1))
    assert listing.answer == "2. red circle\n7. red square\n15. blue heart"


def test_which_answers_point_to_the_one_mark_that_fits():
    for one in drawn("which", lambda rng: scene_segments(SCENE, rng)):
        fitting = [mark for mark, name in zip(SCENE.ids, SCENE.names, strict=True) if _fits(one.query, name)]
        assert one.answer == (f"Mark {fitting[0]}." if fitting else "None.")
        assert len(fitting) <= 1


def _fits(query, name):
    color, kind = name.split(" ")
    asked = set(re.findall(r"[a-z]+", query.lower()))
    colors = asked & {"red", "blue", "orange", "yellow", "green", "cyan", "purple", "pink", "brown", "white"}
    kinds = asked & {"circle", "square", "heart", "star", "triangle", "diamond", "hexagon", "cross", "button"}
    kinds |= asked & {"checkbox", "textfield", "slider", "toggle", "menu"}
    return (not colors or color in colors) and (not kinds or kind in kinds) and bool(colors or kinds)


def test_some_questions_have_no_answer():
    answers = [one.answer for one in drawn("which", lambda rng: scene_segments(SCENE, rng))]
    assert 0.05 < answers.count("None.") / len(answers) < 0.2


def test_what_answers_name_the_mark():
    truth = dict(zip(SCENE.ids, SCENE.names, strict=True))
    for one in drawn("what", lambda rng: scene_segments(SCENE, rng)):
        mark = re.search(r"\d+", one.query)[0]
        assert one.answer == f"{truth[mark]}."


def test_yes_and_no_are_both_taught_and_true():
    truth = dict(zip(SCENE.ids, SCENE.names, strict=True))
    answers = Counter()
    for one in drawn("yes-no", lambda rng: scene_segments(SCENE, rng)):
        mark = re.search(r"\d+", one.query)[0]
        assert one.answer == ("Yes." if truth[mark] in one.query else "No.")
        answers[one.answer] += 1
    assert min(answers.values()) > 60


def test_a_yes_no_question_is_taught_through_where_the_named_thing_is():
    known, absent = dict(zip(SCENE.names, SCENE.ids, strict=True)), 0
    for one in drawn("yes-no", lambda rng: scene_segments(SCENE, rng, yes_no=4, dotless=0.3)):
        at = known.get(one.hint.removeprefix("the "))
        assert one.hinted == ("None." if at is None else f"Mark {at}.")
        absent += at is None
    assert absent > 60


@pytest.mark.parametrize("seed", range(20))
def test_table_answers_point_to_a_row_that_fits_the_words(seed):
    rng = Random(seed)
    rows = random_rows(rng, 9)
    by_id = {row.id: row for row in rows}
    for one in table_segments(rows, rng):
        if one.task == "table-which" and one.answer != "None.":
            row = by_id[one.answer.removeprefix("Mark ").rstrip(".")]
            named = row.text is not None and row.text.lower() in one.query.lower()
            assert named or sum(other.role == row.role for other in rows) == 1
        if one.task == "table-what":
            mark = re.search(r"\d+", one.query)[0]
            assert one.answer == f"{row_name(by_id[mark])}."


def test_absent_texts_are_absent():
    for seed in range(50):
        rng = Random(seed)
        rows = random_rows(rng, 6)
        table = prompts.mark_table(rows).lower()
        for one in table_segments(rows, rng):
            if one.answer == "None.":
                assert not any(f'"{row.text.lower()}"' in one.query.lower() for row in rows if row.text), table


def test_fresh_texts_change_words_only():
    rows = random_rows(Random(1), 12)
    other = fresh_texts(rows, Random(2))
    assert [(row.id, row.role, row.text is None) for row in rows] == [
        (row.id, row.role, row.text is None) for row in other
    ]
    assert [row.text for row in rows] != [row.text for row in other]
