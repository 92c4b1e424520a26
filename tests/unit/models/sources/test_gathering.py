"""Entries of one image meet whatever their order and however many shares there are; JSON is read as json would."""

import json
from pathlib import Path

import pytest

from models.sources import gathering
from models.sources.gathering import Gathering
from models.sources.records import BrokenFile, Tools
from models.sources.streaming import entries, first_entry, is_list


@pytest.mark.parametrize("share_bytes", [10, 10_000_000])
def test_every_entry_comes_once_with_its_image(tmp_path: Path, monkeypatch, share_bytes: int) -> None:
    monkeypatch.setattr(gathering, "SHARE_BYTES", share_bytes)
    source = tmp_path / "source"
    source.write_bytes(b"x" * 2000)
    beats: list[None] = []
    tools = Tools(scratch=tmp_path, decode=NotImplemented, beat=lambda: beats.append(None))
    with Gathering(tools, [source]) as gathered:
        for number in range(300):
            gathered.put(f"image\t{number % 100}", "ab"[number % 2], {"n": number, "text": "tab\tline\n"})
    groups = dict(gathered.groups())
    assert len(list(tmp_path.glob("share-*"))) == min(256, 1 + 2000 // share_bytes)
    assert (len(groups), len(beats), gathered.count()) == (100, 300, 100)
    assert gathered.count(beside="a") == 50
    assert groups["image\t3"] == {"b": [{"n": n, "text": "tab\tline\n"} for n in (3, 103, 203)]}
    assert sorted(entry["n"] for parts in groups.values() for listed in parts.values() for entry in listed) == list(
        range(300)
    )


def test_entries_are_those_that_json_reads(tmp_path: Path) -> None:
    document = {"a": [1, 2.5, {"x": [None, True, "ü"]}], "b": {"a": [9]}, "c": [{"a": [8]}]}
    path = tmp_path / "d.json"
    path.write_text(json.dumps(document))
    assert list(entries(path, "a")) == document["a"]
    assert list(entries(path, "missing")) == []
    assert (first_entry(path, "c"), is_list(path)) == ({"a": [8]}, False)
    path.write_bytes(b"\xef\xbb\xbf \n [1, [2]]")
    assert is_list(path)
    with pytest.raises(BrokenFile, match=r"missing\.json"):
        list(entries(tmp_path / "missing.json"))
