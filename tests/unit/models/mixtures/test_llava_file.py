"""LLaVA JSON of any size is read record by record, and each record is found again by its place."""

import json
from pathlib import Path

import pytest

from models.errors import BadInput
from models.mixtures import llava_file
from models.mixtures.llava_file import record_at, records

RECORDS = [
    {"id": str(n), "conversations": [{"from": "human", "value": f'☃ "{n}" [ ] {{ }} \\' * n}]} for n in range(60)
]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_every_record_and_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None, chunk: int
) -> None:
    monkeypatch.setattr(llava_file, "_CHUNK_BYTES", chunk)
    path = tmp_path / "d.json"
    few = RECORDS[: 12 if chunk == 1 else 60]
    path.write_text(json.dumps(few, indent=indent, ensure_ascii=False), encoding="utf-8")
    found = list(records(path))
    assert [record for _, record in found] == few
    with path.open("rb") as file:
        assert [record_at(file, place) for place, _ in reversed(found)] == few[::-1]


def test_one_record_per_line(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    assert [record for _, record in records(path)] == RECORDS


@pytest.mark.parametrize("text", ["", "[]", " [ ] \n"])
def test_nothing_is_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.json").write_text(text)
    assert list(records(tmp_path / "d.json")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"id": 1}, {"id": ', "record 1 is not JSON"),
        ('[{"id": 1}', "ends in the middle of its list, after record 0"),
        ("hello", "record 0 is not JSON"),
        ('[{"id": 1}, oops]', "record 1 is not JSON"),
    ],
)
def test_what_is_no_list_of_records_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(BadInput, match=message):
        list(records(tmp_path / "d.json"))


def test_a_file_that_changed_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text(json.dumps(RECORDS))
    places = [place for place, _ in records(path)]
    path.write_text("[]")
    with path.open("rb") as file, pytest.raises(BadInput, match="changed while it was read"):
        record_at(file, places[7])


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        list(records(tmp_path / "d.json"))
