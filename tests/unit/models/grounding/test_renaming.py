"""A small model is shown, told and asked numbers; whoever asks it sees the catalog's ids and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from models import drawings
from models.grounding import GroundRequest, GroundResult, ground, stream
from models.grounding.renaming import numbers_of
from models.marks import Marking, paint_for_model, place
from models.regions import Regions
from tests.unit.models.grounding.scripted import IMAGE, MENU, PLAIN, Scripted, asked
from workers.shelf import BUILT_IN_FOLDER

LETTERS, GAPS = ("A", "B", "C"), ("5", "9", "12")


def named(texts: Sequence[str | None], ids: Sequence[str], query: str, task: str = "ask") -> GroundRequest:
    request = asked(texts, query, task, decide="model")
    return replace(request, marking=renumbered(request.marking, ids))


def renumbered(marking: Marking, ids: Sequence[str]) -> Marking:
    marks = tuple(replace(one, id=mark_id) for one, mark_id in zip(marking.marks, ids, strict=True))
    return replace(marking, marks=marks)


def small(*texts: str, favourites: Sequence[str] = ()) -> Scripted:
    return Scripted(*texts, favourites=favourites, dialect="tiny", input_px=224)


def test_numbers_in_order_stay_as_they_are() -> None:
    assert numbers_of(("1", "2", "3")) == {} == numbers_of(())
    assert numbers_of(GAPS) == {"5": "1", "9": "2", "12": "3"}


@pytest.mark.parametrize("ids", [LETTERS, GAPS])
def test_the_model_hears_numbers_and_its_words_come_back_as_ids(ids: tuple[str, ...]) -> None:
    model = small("Marks 1 and 3. Not [2].")
    result = ground(model, named(PLAIN, ids, f"Is mark {ids[1]} like [{ids[2]}]?"))
    assert model.requests[0].prompt == "Is mark 2 like [3]?"
    assert result.text == f"Marks {ids[0]} and {ids[2]}. Not [{ids[1]}]."
    assert [one.id for one in result.marks] == [ids[0], ids[2], ids[1]]
    request = named(PLAIN, ids, "x")
    painted = paint_for_model(IMAGE, request.regions, ["1", "2", "3"], request.marking.style, 224, close=True)
    assert np.array_equal(model.requests[0].images[0], painted)


@pytest.mark.parametrize("ids", [LETTERS, GAPS])
def test_choices_are_numbers_and_the_chosen_one_is_an_id(ids: tuple[str, ...]) -> None:
    model = small(favourites=["3"])
    result = ground(model, named(PLAIN, ids, "the red circle", "refer"))
    assert model.choices == [("1", "2", "3")]
    assert [one.mark for one in result.selected] == [ids[2]]
    assert ground(small(), named(PLAIN, ids, "the red circle", "refer")).none_of_these


def test_a_listing_is_held_to_numbers_and_read_as_ids() -> None:
    model = small("1. red circle\n2. blue star\n3. menu")
    result = ground(model, named(PLAIN, GAPS, "", "list"))
    assert model.requests[0].lines == ("1", "2", "3")
    assert [(one.mark, one.label) for one in result.labels] == [("5", "red circle"), ("9", "blue star"), ("12", "menu")]


def test_a_mark_that_does_not_exist_never_becomes_one() -> None:
    model = small("Mark 9.")
    result = ground(model, named(PLAIN, GAPS, "What is mark 2?"))
    assert model.requests[0].prompt == "What is mark 4?"
    assert (result.marks, result.unresolved) == ((), ("4",))


def test_a_count_is_not_a_mark() -> None:
    assert ground(small("3."), named(PLAIN, LETTERS, "How many marks are there?")).text == "3."


def test_a_stream_has_ids_from_the_first_piece_on() -> None:
    request = named(PLAIN, GAPS, "", "list")
    *pieces, last = stream(small("1. a\n2. b\n3. c"), request)
    assert isinstance(last, GroundResult)
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == last.text == "5. a\n9. b\n12. c"
    assert replace(last, timing_ms={}) == replace(ground(small("1. a\n2. b\n3. c"), request), timing_ms={})


def test_marks_with_a_table_large_models_and_clean_pictures_keep_their_ids() -> None:
    request = named(MENU, ("A", "B", "C", "D"), "Where is mark B?")
    assert "\nB region " in _prompt(small("x"), request)
    plain = named(PLAIN, LETTERS, "Where is mark B?")
    assert "mark B" in _prompt(Scripted("x"), plain)
    assert "mark B" in _prompt(small("x"), replace(plain, tags=False))


def test_the_shipped_model_says_of_letters_and_gaps_what_it_says_of_numbers() -> None:
    pytest.importorskip("torch")
    from models.vlm.local import LocalBackend

    backend = LocalBackend(BUILT_IN_FOLDER)
    for seed in drawings.HELD_OUT_SEEDS[:2]:
        drawing = drawings.scene(seed)
        marking = place(drawing.regions)
        count = len(marking.marks)
        labels = []
        for ids in (None, "ABCDEFGHIJ"[:count], tuple(str(7 * k) for k in range(1, count + 1))):
            now = marking if ids is None else renumbered(marking, ids)
            listed = ground(backend, _about(drawing.image, drawing.regions, now)).labels
            assert [one.mark for one in listed] == [one.id for one in now.marks]
            labels.append([one.label for one in listed])
        assert labels[0] == labels[1] == labels[2]


def _prompt(model: Scripted, request: GroundRequest) -> str:
    ground(model, request)
    return model.requests[0].prompt


def _about(image: np.ndarray, regions: Regions, marking: Marking) -> GroundRequest:
    return GroundRequest(image=image, regions=regions, marking=marking, query="", task="list")


@pytest.mark.parametrize("ids", [LETTERS, GAPS])
def test_a_table_is_numbered_for_the_choice_and_its_picture_with_it(ids: tuple[str, ...]) -> None:
    model = small(favourites=["2"])
    request = named(MENU[:3], ids, "the one for the kitchen", "act")
    result = ground(model, request)
    assert [line.split(" ")[0] for line in model.requests[0].prompt.splitlines()[1:4]] == ["1", "2", "3"]
    assert model.choices == [("1", "2", "3")]
    assert [one.mark for one in result.selected] == [ids[1]]
    painted = paint_for_model(IMAGE, request.regions, ["1", "2", "3"], request.marking.style, 224)
    assert np.array_equal(model.requests[0].images[0], painted)


def test_a_table_keeps_its_ids_where_the_question_speaks_of_them_and_for_a_large_model() -> None:
    model = small(favourites=["9"])
    ground(model, named(MENU[:3], GAPS, "the one that goes with [12]", "refer"))
    assert model.choices == [GAPS]
    large = Scripted(favourites=["9"])
    assert [one.mark for one in ground(large, named(MENU[:3], GAPS, "the one", "refer")).selected] == ["9"]
    assert large.choices == [GAPS]
