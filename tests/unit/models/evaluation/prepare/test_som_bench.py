"""SoM-Bench's folders, written as its page shows them, become questions that runs ask and scorers read."""

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from app.cli import main
from models.errors import BadEvaluation
from models.evaluation.prepare.som_bench import read_som_bench


def part(tmp_path, name, files):
    folder = tmp_path / name
    (folder / "som_images").mkdir(parents=True)
    for file, body in files.items():
        path = folder / "som_images" / file
        if body is None:
            cv2.imwrite(str(path), np.full((16, 16, 3), 90, np.uint8))
        else:
            path.write_text(json.dumps(body))
    return folder


def test_groups_of_regions_are_asked_by_name(tmp_path):
    folder = part(
        tmp_path, "coco_ovseg", {"000000000872_0.jpg": None, "000000000872_5.jpg": None, "000000000285_0.jpg": None}
    )
    made = read_som_bench(folder, names=["person", "dog"])
    assert made.benchmark == "listing"
    assert [(row["image_id"], row["first"]) for row in made.questions] == [
        ("000000000285", 0),
        ("000000000872", 0),
        ("000000000872", 5),
    ]
    assert all(row["text"].endswith("Use only these names: person, dog.") for row in made.questions)
    assert made.labels == []


def test_ade20k_names_keep_their_underscores(tmp_path):
    made = read_som_bench(part(tmp_path, "ade20k_ovseg", {"ADE_val_00000001_5.jpg": None}))
    assert (made.questions[0]["image_id"], made.questions[0]["first"]) == ("ADE_val_00000001", 5)


FLICKR = {
    "14868339.jpg": None,
    "14868339_wbox.jpg": None,
    "14868339.json": {"caption": "(a man in glasses) holding (a piece of paper)", "gt_ids": [2, 1]},
    "302740416.jpg": None,
    "302740416.json": {"caption": "(a dog)", "gt_ids": [1]},
}


def test_phrases_are_asked_one_by_one(tmp_path):
    folder = part(tmp_path, "flickr30k_grounding", FLICKR)
    made = read_som_bench(folder, boxes=True)
    assert made.benchmark == "gqa"
    assert [row["answer"] for row in made.labels] == ["2", "1", "1"]
    assert [row["image"] for row in made.questions] == ["14868339_wbox.jpg", "14868339_wbox.jpg", "302740416.jpg"]
    assert (
        'a man in glasses holding a piece of paper Which number is "a man in glasses" of' in made.questions[0]["text"]
    )
    assert read_som_bench(folder).questions[0]["image"] == "14868339.jpg"


def test_expressions_are_asked_one_by_one(tmp_path):
    stated = [
        {"text": ["The laptop behind the beer bottle", "laptop turned on"], "ref_id": 1},
        {"text": "a cup", "ref_id": 3},
    ]
    made = read_som_bench(part(tmp_path, "refcocog_refseg", {"000000000795.jpg": None, "000000000795.json": stated}))
    assert [row["answer"] for row in made.labels] == ["1", "1", "3"]
    assert '"laptop turned on"' in made.questions[1]["text"]


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"caption": "(a dog)", "gt_ids": [1, 2]}, "1 phrases and 2 marks"),
        ({"caption": "(a dog)"}, "gt_ids"),
        ([{"ref_id": 1}], "text"),
        ("no", "not as SoM-Bench"),
    ],
)
def test_other_json_is_told(tmp_path, stated, told):
    with pytest.raises(BadEvaluation, match=told):
        read_som_bench(part(tmp_path, "x", {"1.jpg": None, "1.json": stated}))


def test_a_picture_without_its_json_is_told(tmp_path):
    with pytest.raises(BadEvaluation, match=r"302740416\.jpg has no"):
        read_som_bench(part(tmp_path, "x", {name: body for name, body in FLICKR.items() if name != "302740416.json"}))


def test_what_is_prepared_runs_and_scores(tmp_path):
    folder, out = part(tmp_path, "flickr30k_grounding", FLICKR), tmp_path / "suite"
    command = CliRunner()
    made = command.invoke(main, ["evaluate", "prepare", "som-bench", str(folder), "--out", str(out), "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout) == {"benchmark": "gqa", "questions": 3, "labels": 3, "folder": str(out)}
    answers = tmp_path / "answers.jsonl"
    run = [
        "run",
        "gqa",
        "--questions",
        str(out / "questions.jsonl"),
        "--images",
        str(out / "images"),
        "--out",
        str(answers),
    ]
    ran = command.invoke(main, ["evaluate", *run, "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["answered"] == 3
    score = ["score", "gqa", "--labels", str(out / "labels.jsonl"), "--answers", str(answers), "--json"]
    assert json.loads(command.invoke(main, ["evaluate", *score]).stdout)["n"] == 3


def test_another_folder_and_a_used_one_are_told(tmp_path):
    with pytest.raises(BadEvaluation, match="no folder `som_images`"):
        read_som_bench(tmp_path)
    folder, out = part(tmp_path, "flickr30k_grounding", FLICKR), tmp_path / "suite"
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    result = CliRunner().invoke(main, ["evaluate", "prepare", "som-bench", str(folder), "--out", str(out)])
    assert result.exit_code == 1
    assert "not empty" in result.stderr
