"""The directory store: the contract, and what only a directory can get wrong."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.storage.blobs import BadKey, BlobStore, StoreUnavailable, open_blobs
from app.storage.local import LocalBlobs
from tests.unit.app.storage.contract import DATA, KEY, BlobStoreContract


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def store(root: Path) -> LocalBlobs:
    return LocalBlobs(root)


@pytest.fixture
def keep(root: Path) -> Callable[[str, bytes], None]:
    def write(key: str, data: bytes) -> None:
        (root / key).write_bytes(data)

    return write


class TestLocalBlobs(BlobStoreContract):
    pass


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_failed_write_leaves_nothing(
    store: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreUnavailable):
        store.put_if_absent(KEY, DATA)
    assert files_below(root) == []


def test_a_write_that_was_killed_half_way_is_not_a_blob(store: LocalBlobs, root: Path) -> None:
    (root / ".tmp").mkdir(parents=True)
    (root / ".tmp" / "half").write_bytes(DATA[:10])
    assert list(store.list()) == []
    assert store.put_if_absent(KEY, DATA)


def test_no_temporary_file_stays(store: LocalBlobs, root: Path) -> None:
    store.put_if_absent(KEY, DATA)
    store.put_if_absent(KEY, DATA)
    assert sorted(files_below(root)) == [root / ".sums" / f"{KEY}.sha256", root / KEY]
    store.delete(KEY)
    assert files_below(root) == []


@pytest.mark.parametrize("kept", [None, "", "ab" * 20, "x" * 64])
def test_a_blob_that_has_no_sum_is_as_good_as_it_was_before_there_were_sums(
    store: LocalBlobs, root: Path, kept: str | None
) -> None:
    """Of an earlier release, or its sum was cut short when the power went."""
    store.put_if_absent(KEY, DATA)
    (root / ".sums" / f"{KEY}.sha256").unlink()
    if kept is not None:
        (root / ".sums" / f"{KEY}.sha256").write_text(kept)
    assert store.get(KEY) == DATA
    assert [stat.key for stat in store.list()] == [KEY]


def test_a_sum_that_finds_no_room_does_not_stop_the_blob(store: LocalBlobs, root: Path) -> None:
    root.mkdir()
    (root / ".sums").write_text("a file where the folder should be")
    assert store.put_if_absent(KEY, DATA)
    assert store.get(KEY) == DATA


def test_only_the_owner_can_look_in(store: LocalBlobs, root: Path) -> None:
    store.put_if_absent(KEY, DATA)
    assert root.stat().st_mode & 0o077 == 0
    assert (root / KEY).stat().st_mode & 0o077 == 0


def test_a_folder_cannot_become_a_blob(store: LocalBlobs) -> None:
    store.put_if_absent("t/models/v1/weights", DATA)
    with pytest.raises(BadKey):
        store.put_if_absent("t/models/v1", DATA)


def test_a_folder_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        LocalBlobs(tmp_path / "file").check()


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_path_opens_a_directory_store(tmp_path: Path, form: str) -> None:
    opened: BlobStore = open_blobs(form.format(tmp_path))
    assert isinstance(opened, LocalBlobs)
    assert opened.root == tmp_path
