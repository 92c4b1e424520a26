"""Drawn suites: a model that sees all scores all, one that says nothing scores nothing, and files hold no names."""

import json

import numpy as np
import pytest
from PIL import Image

from models.errors import BadEvaluation
from models.evaluation.drawn import DRAWABLE, draw
from models.evaluation.runs import Asking, Tags, run
from models.evaluation.scores import benchmark, score
from models.evaluation.suites import suite
from models.regions import Regions
from models.vlm.fake import FakeBackend


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def never(_picture):
    raise AssertionError("the questions bring their regions")


def measured(tmp_path, name, asking, n=4):
    made = draw(name, tmp_path / name, n=n)
    out = tmp_path / "answers.jsonl"
    outcome = run(made.asked(), asking, out, settings={"model": "fake"})
    assert outcome.failed == {}
    return score(name, questions=[made.questions], labels=made.labels, answers=[out])


@pytest.mark.parametrize("name", DRAWABLE)
def test_every_drawn_suite_is_asked_and_scored(tmp_path, name):
    asking = Asking(backend=FakeBackend(), read=read, tags=Tags(segment=never), choosing="likelihood")
    if name in ("pope", "listing"):
        asking = Asking(backend=FakeBackend(answer="Yes"), read=read)
    result = measured(tmp_path, name, asking)
    assert result.n > 0
    assert (result.missing, result.unknown, result.duplicates) == (0, 0, 0)
    assert 0 <= result.metrics[benchmark(name).chief] <= 100


@pytest.mark.parametrize(("name", "floor"), [("click", 99), ("video", 90)])
def test_the_ranker_beside_the_model_finds_what_leaves_no_doubt(tmp_path, name, floor):
    asking = Asking(backend=FakeBackend(), read=read, tags=Tags(segment=never), choosing="likelihood", decide="ranker")
    assert measured(tmp_path, name, asking).metrics[benchmark(name).chief] > floor


def test_a_listing_counts_regions_whatever_order_the_style_counts_in(tmp_path):
    """som-llava counts the smallest first; the labels count the regions of the file."""
    made = draw("listing", tmp_path, n=1)
    (question,) = made.asked()
    truth = json.loads(made.labels[0].read_text())["items"]
    asking = Asking(backend=FakeBackend(), read=read, tags=Tags(segment=never))
    picture = read(question.image)
    marking = asking.tags.place(picture, asking.tags.regions(picture, question.regions))
    said = "\n".join(f"{one.id}. {truth[one.region_index]}" for one in marking.marks)
    out = tmp_path / "a.jsonl"
    run([question], Asking(backend=FakeBackend(answer=said), read=read, tags=asking.tags), out, settings={"model": "f"})
    assert score("listing", labels=made.labels, answers=[out]).metrics["image_accuracy"] == 100


def test_without_tags_coordinates_are_read_and_nothing_is_guessed(tmp_path):
    made = draw("refer", tmp_path, n=1)
    (question,) = made.asked()
    height, width = read(question.image).shape[:2]
    asking = Asking(backend=FakeBackend(answer="It is at [0.1, 0.2, 0.5, 0.9]."), read=read)
    assert asking(question)["bbox_xyxy_px"] == pytest.approx([0.1 * width, 0.2 * height, 0.5 * width, 0.9 * height])
    for words in ("[10, 20, 50, 90]", "[0.5, 0.2, 0.1, 0.9]", "in the middle", "[0.1, 0.2]"):
        assert Asking(backend=FakeBackend(answer=words), read=read)(question) == {"bbox_xyxy_px": None}


def test_a_model_that_sees_padded_squares_speaks_of_those(tmp_path):
    made = draw("click", tmp_path, n=1)
    (question,) = made.asked()
    height, width = read(question.image).shape[:2]
    (point,) = [Asking(backend=FakeBackend(answer="[0.5, 0.5]", input_px=224), read=read)(question)["point_xy_px"]]
    assert point == pytest.approx([width / 2, height / 2], abs=3)


def test_golden_masks_can_be_left_aside(tmp_path):
    made = draw("refer", tmp_path, n=1)
    (question,) = made.asked()
    found = Tags(segment=lambda picture: Regions.from_boxes(picture.shape[:2], [[0, 0, 9, 9]]), golden=False)
    answer = Asking(backend=FakeBackend(favourite="1"), read=read, tags=found, choosing="likelihood")(question)
    assert answer["bbox_xyxy_px"] == [0, 0, 9, 9]


def test_an_operators_folder_is_found_by_name(tmp_path):
    made = draw("pope", tmp_path / "pope", n=3)
    assert suite(tmp_path, "pope") == made
    assert suite(tmp_path, "mme") is None
    (tmp_path / "gqa").mkdir()
    with pytest.raises(BadEvaluation, match="questions"):
        suite(tmp_path, "gqa")


def test_what_cannot_be_drawn_says_so(tmp_path):
    with pytest.raises(BadEvaluation, match="its files are needed"):
        draw("mme", tmp_path)
