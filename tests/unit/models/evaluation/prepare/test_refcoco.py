"""RefCOCO's files, written as `refer` publishes them, become questions whose right answer scores full."""

import json
import pickle

import pytest
from click.testing import CliRunner

from app.cli import main
from models.errors import BadEvaluation
from models.evaluation.prepare.refcoco import find_refs, read_refs

IMAGES = [
    {"id": 581857, "file_name": "COCO_train2014_000000581857.jpg", "width": 64, "height": 48},
    {"id": 9, "file_name": "COCO_train2014_000000000009.jpg", "width": 32, "height": 32},
]
ANNOTATIONS = [
    {"id": 11, "image_id": 581857, "category_id": 1, "bbox": [0, 0, 20, 20], "iscrowd": 0, "area": 400,
     "segmentation": [[0, 0, 20, 0, 20, 20, 0, 20]]},
    {"id": 12, "image_id": 581857, "category_id": 1, "bbox": [30, 10, 20, 20], "iscrowd": 0, "area": 400,
     "segmentation": [[30, 10, 50, 10, 50, 30, 30, 30]]},
    {"id": 13, "image_id": 581857, "category_id": 2, "bbox": [0, 30, 64, 18], "iscrowd": 1, "area": 800,
     "segmentation": {"size": [48, 64], "counts": [30, 18, 3024]}},
    {"id": 21, "image_id": 9, "category_id": 2, "bbox": [4, 4, 8, 8], "iscrowd": 0, "area": 64,
     "segmentation": [[4, 4, 12, 4, 12, 12, 4, 12]]},
]  # fmt: skip
CATEGORIES = [
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 2, "name": "dog", "supercategory": "animal"},
]


def ref(ref_id, ann_id, image_id, split, *sentences):
    said = [
        {"sent_id": 100 * ref_id + i, "raw": words.title(), "sent": words, "tokens": words.split()}
        for i, words in enumerate(sentences)
    ]
    return {
        "ref_id": ref_id, "ann_id": ann_id, "image_id": image_id, "category_id": 1, "split": split,
        "file_name": f"COCO_train2014_{image_id:012d}_{ann_id}.jpg", "sent_ids": [one["sent_id"] for one in said], "sentences": said,
    }  # fmt: skip


REFS = [
    ref(0, 11, 581857, "val", "left person", "the lady with the blue shirt"),
    ref(1, 12, 581857, "val", "right person"),
    ref(2, 21, 9, "testA", "the dog"),
]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "refcoco"
    folder.mkdir()
    body = {"images": IMAGES, "annotations": ANNOTATIONS, "categories": CATEGORIES}
    (folder / "instances.json").write_text(json.dumps(body))
    (folder / "refs(unc).p").write_bytes(pickle.dumps(REFS, 2))
    return folder


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def prepare(*argv):
    return CliRunner().invoke(main, ["evaluate", "prepare", "refcoco", *map(str, argv)])


def test_the_true_region_scores_full_and_another_does_not(folder, tmp_path):
    out = tmp_path / "suite"
    result = prepare(folder, "--split", "val", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["questions"] == 3
    asked, labels = lines(out / "questions.jsonl"), lines(out / "labels.jsonl")
    assert [row["text"] for row in asked] == ["left person", "the lady with the blue shirt", "right person"]
    assert [row["question_id"] for row in asked] == ["0-0", "0-1", "1-100"]
    assert [one["id"] for one in asked[0]["regions"]] == ["11", "12"], "a crowd that nobody speaks of is no region"
    assert not any("person" in str(row["regions"]) for row in asked), "people's names for things are not told"

    def score(rows):
        (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        argv = [
            "evaluate",
            "score",
            "refer",
            "--labels",
            str(out / "labels.jsonl"),
            "--answers",
            str(tmp_path / "a.jsonl"),
        ]
        return json.loads(CliRunner().invoke(main, [*argv, "--json"]).stdout)["metrics"]

    assert score(labels) == {"miou": 100, "acc@0.5": 100}
    swapped = [
        {**label, "question_id": other["question_id"]}
        for label, other in zip(labels, labels[1:] + labels[:1], strict=True)
    ]
    assert score(swapped)["acc@0.5"] == pytest.approx(100 / 3)


def test_json_reads_as_the_pickle_and_comes_first(folder):
    (folder / "refs(unc).json").write_text(json.dumps(REFS))
    assert find_refs(folder).suffix == ".json"
    assert read_refs(folder / "refs(unc).json") == read_refs(folder / "refs(unc).p")


def test_splits_are_refers(folder):
    path = folder / "refs(unc).p"
    assert [one.ref_id for one in read_refs(path, "test")] == ["2"]
    assert [one.ref_id for one in read_refs(path, "testA")] == ["2"]
    with pytest.raises(BadEvaluation, match="it holds testA, val"):
        read_refs(path, "train")


def test_one_of_several_refs_must_be_named(folder):
    (folder / "refs(google).p").write_bytes(pickle.dumps(REFS, 2))
    with pytest.raises(BadEvaluation, match="say which"):
        find_refs(folder)
    assert find_refs(folder, "google").name == "refs(google).p"


class Running:
    def __reduce__(self):
        return eval, ("1 + 1",)


def test_a_pickle_that_runs_code_is_refused(folder, tmp_path):
    (folder / "refs(unc).p").write_bytes(pickle.dumps([Running()]))
    result = prepare(folder, "--out", tmp_path / "suite")
    assert result.exit_code == 1
    assert "wants to run code" in result.stderr


def test_refs_of_another_data_set_are_told(folder, tmp_path):
    (folder / "refs(unc).p").write_bytes(pickle.dumps([ref(5, 11, 404, "val", "a cat")], 2))
    assert "does not list image 404" in prepare(folder, "--out", tmp_path / "one").stderr
    (folder / "refs(unc).p").write_bytes(pickle.dumps([ref(5, 99, 9, "val", "a cat")], 2))
    assert "no annotation 99" in prepare(folder, "--out", tmp_path / "two").stderr
