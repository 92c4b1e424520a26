"""Probes ask as often about what is there as about what is not, and choose the absent by their rule."""

from collections import Counter

import pytest

from models.errors import BadEvaluation
from models.evaluation.probes import PAIRS, SAMPLINGS, probes

KITCHEN, STREET = ["cup", "fork", "oven"], ["car", "bus", "person"]
THINGS = {
    **{f"kitchen{i}": [*KITCHEN, "sink"] for i in range(4)},
    "bare kitchen": [*KITCHEN, "cup"],
    **{f"street{i}": [*STREET, "sign"] for i in range(6)},
    "bare street": STREET,
    "nearly empty": ["cup", "car"],
    "zoo": ["zebra", "giraffe", "person"],
}


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_each_picture_is_asked_evenly_and_truly(sampling):
    found = probes(THINGS, sampling, seed=1)
    counts = Counter(probe.image for probe in found)
    assert set(counts.values()) == {2 * PAIRS}
    assert "nearly empty" not in counts
    assert all((probe.thing in THINGS[probe.image]) is probe.present for probe in found)
    assert Counter(probe.present for probe in found)[True] == len(found) / 2
    asked = [(probe.image, probe.thing) for probe in found]
    assert len(set(asked)) == len(asked)
    assert probes(THINGS, sampling, seed=1) == found


def absent(image, sampling):
    return {probe.thing for probe in probes(THINGS, sampling) if probe.image == image and not probe.present}


def test_popular_asks_about_the_most_frequent():
    assert absent("bare kitchen", "popular") == {"person", "bus", "car"}


def test_adversarial_asks_about_what_stands_beside():
    assert "sink" in absent("bare kitchen", "adversarial")
    assert "sign" in absent("bare street", "adversarial")


def test_another_seed_asks_otherwise():
    first, second = (probes(THINGS, "random", seed=seed) for seed in (1, 2))
    assert first != second


def test_lines_are_those_of_the_published_files():
    probe = next(one for one in probes(THINGS, "random") if one.thing == "oven" and one.present)
    assert probe.question(7, "random")["text"].startswith("Is there an oven in the image?\n")
    assert probe.label(7) == {
        "question_id": 7,
        "image": probe.image,
        "text": "Is there an oven in the image?",
        "label": "yes",
    }


def test_a_set_of_few_kinds_is_refused():
    with pytest.raises(BadEvaluation, match="nearly every kind"):
        probes({"a": ["x", "y", "z"]}, "random")
