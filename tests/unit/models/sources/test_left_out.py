"""Lists of pictures that nobody may train on: text files and Karpathy's splits, and the names they are known by."""

import json
from pathlib import Path

import pytest

from models.sources.left_out import coco_and_flickr, flickr_number, names_in
from models.sources.records import BrokenFile


def test_a_text_file_has_a_name_per_line(tmp_path: Path) -> None:
    path = tmp_path / "ids.txt"
    path.write_text("\ufeff# test pictures\n12\n\n coco:42 \nflickr:7\n12\n")
    assert names_in(path) == {"12", "coco:42", "flickr:7"}


def test_of_karpathys_coco_the_test_split_goes_and_of_flickr30k_everything(tmp_path: Path) -> None:
    coco, flickr = tmp_path / "dataset_coco.json", tmp_path / "dataset_flickr30k.json"
    splits = enumerate(("test", "val", "restval", "train"))
    coco.write_text(
        json.dumps({"images": [{"cocoid": n, "filename": f"{n}.jpg", "split": name} for n, name in splits]})
    )
    flickr.write_text(json.dumps({"images": [{"filename": "36979.jpg", "split": "train"}]}))
    assert names_in(coco) == {"coco:0"}
    assert names_in(flickr) == {"flickr:36979"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "# nothing\n"),
        ("a.json", "{}"),
        ("a.json", '{"images": [{"id": 3}]}'),
        ("a.json", '{"images": [{"cocoid": 3}]}'),
    ],
)
def test_what_is_no_list_is_told_what_one_looks_like(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(BrokenFile, match="expected a text file with a name per line"):
        names_in(tmp_path / name)


def test_a_picture_is_known_by_the_numbers_it_carries() -> None:
    assert coco_and_flickr(42, None) == ("coco:42",)
    assert coco_and_flickr("1", 2) == ("coco:1", "flickr:2")
    assert flickr_number("http://farm9.staticflickr.com/8186/8119368305_4e622c8349_z.jpg") == "8119368305"
    assert flickr_number("http://example.com/8119368305_4e.jpg") is None
    assert flickr_number(None) is None
