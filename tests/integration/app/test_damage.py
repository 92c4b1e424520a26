"""What is stored and no longer what was written: noticed wherever it is read, said in words, and no reason for a 500 without a name."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.services.diagnosis import examine
from app.settings import Settings
from app.stack.migrate import head
from tests.acceptance.service import drawn


def flip(path: Path) -> None:
    """Turn one bit over, in the middle of the file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.fixture
def stored(client: TestClient, work: Callable[[], None], tmp_path: Path) -> dict[str, Path]:
    """The files of one image and of its marked picture, by the paths that show them."""
    image = client.post("/v1/images", files={"file": drawn(1)}).json()
    ask = {"image": {"type": "id", "id": image["id"]}, "regions": [{"bbox_xyxy_px": [30.0, 40.0, 110.0, 120.0]}]}
    assert client.post("/v1/marksets", json=ask, headers={"Prefer": "wait=0"}).status_code == 202
    work()
    (mark_set,) = client.get("/v1/marksets").json()["data"]
    (picture,) = tmp_path.glob("*/images/*")
    (overlay,) = tmp_path.glob("*/overlays/*/*.png")
    shown = f"/v1/images/{image['id']}/content"
    marked = f"/v1/marksets/{mark_set['id']}/overlay"
    return {
        shown: picture,
        f"{shown}?cut=0,0,9,9": picture,
        f"{marked}.png": overlay,
        f"{marked}.webp": overlay,
        f"{marked}.png?style=som": picture,
    }


def test_a_flipped_byte_is_said_and_not_shown(
    client: TestClient, stored: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    for path in stored:
        assert client.get(path).status_code == 200
    for file in set(stored.values()):
        flip(file)
    for path, file in stored.items():
        with caplog.at_level(logging.ERROR, "markwise.http"):
            response = client.get(path)
        assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
        assert response.json()["code"] == "storage.damaged"
        assert file.name not in response.text
        assert file.name in caplog.text


def test_a_file_that_is_gone_is_404(client: TestClient, stored: dict[str, Path]) -> None:
    for file in set(stored.values()):
        file.unlink()
    for path in stored:
        response = client.get(path)
        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
        assert response.json()["code"] == "not_found"


def test_a_damaged_image_can_be_deleted_and_let_in_again(client: TestClient, stored: dict[str, Path]) -> None:
    path, file = next(iter(stored.items()))
    flip(file)
    assert client.delete(path.removesuffix("/content")).status_code == 204
    assert not file.exists()
    again = client.post("/v1/images", files={"file": drawn(1)})
    assert again.status_code == 201
    assert client.get(f"/v1/images/{again.json()['id']}/content").status_code == 200


def test_the_doctor_reads_all_files_when_asked(database: Settings, stored: dict[str, Path], tmp_path: Path) -> None:
    settings = database.model_copy(update={"blobs": str(tmp_path)})
    assert examine(settings, head(), files=True)["stored files"] is None
    file = next(iter(stored.values()))
    flip(file)
    assert file.name in (examine(settings, head(), files=True)["stored files"] or "")
    assert "stored files" not in examine(settings, head())
