"""Set-of-Mark's own tasks against handmade files, with figures worked out by hand."""

import json

import numpy as np
import pytest

from models.errors import BadEvaluation
from models.evaluation.grounding import rle_of
from models.evaluation.scores import score


def lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rectangle(x0, y0, x1, y1, size_hw=(40, 60)):
    mask = np.zeros(size_hw, bool)
    mask[y0:y1, x0:x1] = True
    return rle_of(mask)


def scored(tmp_path, name, labels, answers):
    return score(name, labels=[lines(tmp_path / "l", *labels)], answers=[lines(tmp_path / "a", *answers)])


def test_classes_are_found_by_id_and_articles_do_not_matter(tmp_path):
    labels = [{"question_id": 1, "items": {"1": "dog", "2": "cat", "3": "kite"}}]
    result = scored(tmp_path, "classify", labels, [{"question_id": "1", "text": "1. A dog\n2. cow"}])
    assert result.metrics["precision"] == pytest.approx(100 / 3)


def test_classes_of_a_segmenters_own_regions_are_found_by_overlap(tmp_path):
    labels = [
        {
            "question_id": 1,
            "items": [
                {"id": "7", "name": "dog", "rle": rectangle(0, 0, 20, 20)},
                {"id": "8", "name": "cat", "rle": rectangle(30, 0, 50, 20)},
            ],
        }
    ]
    answers = [
        {
            "question_id": 1,
            "items": [
                {"id": "1", "name": "cat", "rle": rectangle(32, 0, 50, 20)},
                {"id": "8", "name": "dog", "rle": rectangle(0, 0, 20, 9)},  # overlaps by less than half
            ],
        }
    ]
    assert scored(tmp_path, "classify", labels, answers).metrics["precision"] == 50


def test_referring_counts_overlap_of_masks_and_hits_of_boxes(tmp_path):
    labels = [
        {"question_id": 1, "rle": rectangle(0, 0, 20, 20)},
        {"question_id": 2, "polygon_px": [[0, 0, 20, 0, 20, 20, 0, 20]], "size_hw": [40, 60]},
        {"question_id": 3, "bbox_xyxy_px": [0, 0, 10, 10]},
        {"question_id": 4, "rle": rectangle(0, 0, 20, 20)},
    ]
    answers = [
        {"question_id": 1, "rle": rectangle(0, 0, 10, 20)},
        {"question_id": 2, "rle": None},
        {"question_id": 3, "bbox_xyxy_px": [0, 0, 10, 4]},
    ]
    result = scored(tmp_path, "refer", labels, answers)
    assert result.metrics["miou"] == pytest.approx(100 * (0.5 + 0 + 0.4) / 3)
    assert result.metrics["acc@0.5"] == pytest.approx(100 / 3)
    assert (result.n, result.missing) == (3, 1)


def test_masks_of_different_frames_are_told(tmp_path):
    labels = [{"question_id": 1, "rle": rectangle(0, 0, 5, 5)}]
    with pytest.raises(BadEvaluation, match="sizes"):
        scored(tmp_path, "refer", labels, [{"question_id": 1, "rle": rectangle(0, 0, 5, 5, (10, 10))}])


def test_a_phrase_is_found_by_any_of_its_boxes(tmp_path):
    labels = [
        {
            "question_id": 1,
            "phrases": [
                {"phrase": "two dogs", "boxes_xyxy_px": [[0, 0, 10, 10], [20, 0, 30, 10]]},
                {"phrase": "a cat", "boxes_xyxy_px": [[40, 0, 50, 10]]},
                {"phrase": "a bird", "boxes_xyxy_px": [[0, 20, 10, 30]]},
            ],
        }
    ]
    said = [{"phrase": "two dogs", "bbox_xyxy_px": [21, 0, 30, 10]}, {"phrase": "a cat", "bbox_xyxy_px": None}]
    result = scored(tmp_path, "phrases", labels, [{"question_id": 1, "phrases": said}])
    assert result.metrics["recall@1"] == pytest.approx(100 / 3)


def test_an_object_that_was_lost_overlaps_nothing(tmp_path):
    labels = [
        {
            "question_id": "f1",
            "video": "v",
            "objects": {"1": {"rle": rectangle(0, 0, 9, 9)}, "2": {"rle": rectangle(9, 9, 20, 20)}},
        }
    ]
    answers = [{"question_id": "f1", "objects": {"1": {"rle": rectangle(0, 0, 9, 9)}, "2": None}}]
    assert scored(tmp_path, "video", labels, answers).metrics == {"j": 50}


@pytest.mark.parametrize(
    ("point", "lands"), [([0, 0], 100), ([9.9, 9.9], 100), ([10, 5], 0), ([-0.1, 5], 0), (None, 0)]
)
def test_a_click_lands_in_a_half_open_box(tmp_path, point, lands):
    labels = [{"question_id": 1, "bbox_xyxy_px": [0, 0, 10, 10]}]
    assert scored(tmp_path, "click", labels, [{"question_id": 1, "point_xy_px": point}]).metrics["accuracy"] == lands


@pytest.mark.parametrize("name", ["classify", "refer", "phrases", "video", "click"])
def test_a_label_without_a_truth_is_told(tmp_path, name):
    with pytest.raises(BadEvaluation, match="has no `"):
        scored(tmp_path, name, [{"question_id": 1}], [{"question_id": 1, "items": {}, "phrases": [], "objects": {}}])
