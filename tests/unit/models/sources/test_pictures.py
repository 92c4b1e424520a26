"""Folders of pictures and lists of URLs; and which files of a folder a format takes."""

from pathlib import Path

import pytest

from models.errors import BadInput
from models.sources.formats import FORMATS, open_source
from models.sources.records import BrokenFile, Fault, Record, Tools


def test_a_folder_is_walked_in_order_without_links(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "a.png", "b/1.webp", "notes.txt", "b/c/3.bmp"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    reading = open_source("folder", [tmp_path], Tools(scratch=tmp_path, decode=NotImplemented))
    found = list(reading.records())
    assert [one.external_id for one in found] == ["a.png", "b/1.webp", "b/2.JPG", "b/c/3.bmp"]
    assert reading.total == 4
    assert all(isinstance(one, Record) and one.facts is None and one.image.path.is_file() for one in found)


def test_urls_are_read_line_by_line(opened) -> None:
    records, faults = opened("urls", list__txt="# mine\nhttps://a/1.png\n\nftp://a/2.png\n http://a/3.png \n")
    assert [record.image.url for record in records.values()] == ["https://a/1.png", "http://a/3.png"]
    assert faults == {"list.txt line 4": "a URL begins with http:// or https://"}


def test_a_folder_stands_for_its_files_of_the_format_and_unknown_formats_are_listed(tmp_path: Path) -> None:
    tools = Tools(scratch=tmp_path, decode=NotImplemented)
    with pytest.raises(BrokenFile, match="No file for the format `urls`"):
        open_source("urls", [tmp_path], tools)
    (tmp_path / "list.txt").write_text("http://a/1.png\n")
    assert [one.external_id for one in open_source("urls", [tmp_path], tools).records()] == ["http://a/1.png"]
    with pytest.raises(BadInput, match=", ".join(FORMATS)):
        open_source("yolo", [tmp_path], tools)


def test_what_a_beat_raises_ends_the_reading(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    (tmp_path / "a.png").touch()
    reading = open_source("folder", [tmp_path], Tools(scratch=tmp_path, decode=NotImplemented, beat=stop))
    with pytest.raises(Stop):
        next(reading.records())
    assert not isinstance(Stop(), Fault)
