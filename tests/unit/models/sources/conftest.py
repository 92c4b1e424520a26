"""Open handmade files of any format in an empty folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.imaging.encode import read_canonical
from models.sources.formats import open_source
from models.sources.records import Fault, Record, Tools

Opened = Callable[..., tuple[dict[str, Record], dict[str, str]]]


def decode(data: bytes) -> NDArray[np.uint8]:
    return read_canonical(data)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    made = tmp_path / "scratch"
    made.mkdir()
    return made


@pytest.fixture
def opened(tmp_path: Path, scratch: Path) -> Opened:
    """Write the files (JSON, or text as it is), open them, return records by id and faults by id."""

    def read(format_name: str, **files: Any) -> tuple[dict[str, Record], dict[str, str]]:
        paths = []
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            paths.append(path)
        reading = open_source(format_name, paths, Tools(scratch=scratch, decode=decode))
        found = list(reading.records())
        assert list(reading.records()) == found, "a second reading yields the same in the same order"
        assert reading.total == len(found)
        records = {one.external_id: one for one in found if isinstance(one, Record)}
        faults = {one.external_id: one.detail for one in found if isinstance(one, Fault)}
        assert len(records) + len(faults) == len(found), "no id comes twice"
        return records, faults

    return read
