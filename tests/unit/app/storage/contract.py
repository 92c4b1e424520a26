"""What every BlobStore has to do; a store's test module gives the fixtures `store` and `keep`, and inherits this.

`keep(key, data)` puts other bytes in the place of a stored blob's, behind the store's back.
"""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from app.storage.blobs import BadKey, BlobCorrupt, BlobMissing, BlobStore, image_key

DATA = bytes(range(256)) * 5
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = image_key("tenant-1", SHA256)

BAD_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "a/../b",
    "../a",
    "a//b",
    "a/",
    "a/.",
    ".tmp/a",
    "a\\b",
    "a\0b",
    "a b",
    "é",
    "a" * 600,
]


class BlobStoreContract:
    def test_what_is_put_comes_back(self, store: BlobStore) -> None:
        assert store.put_if_absent(KEY, DATA)
        assert store.get(KEY) == DATA
        assert store.get(KEY, sha256=SHA256) == DATA
        assert store.exists(KEY)

    def test_an_empty_blob_is_a_blob(self, store: BlobStore) -> None:
        assert store.put_if_absent("t/empty", b"")
        assert store.get("t/empty") == b""
        assert store.stat("t/empty").size_bytes == 0

    def test_the_first_writer_wins(self, store: BlobStore) -> None:
        assert store.put_if_absent(KEY, DATA)
        assert not store.put_if_absent(KEY, b"other")
        assert store.get(KEY) == DATA

    def test_one_of_many_writers_wins(self, store: BlobStore) -> None:
        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(lambda number: store.put_if_absent(KEY, b"%d" % number), range(32)))
        assert outcomes.count(True) == 1
        assert store.get(KEY) == b"%d" % outcomes.index(True)

    def test_other_bytes_than_expected_are_noticed(self, store: BlobStore) -> None:
        store.put_if_absent(KEY, DATA[:-1])
        with pytest.raises(BlobCorrupt):
            store.get(KEY, sha256=SHA256)

    @pytest.mark.parametrize("place", [0, len(DATA) // 2, len(DATA) - 1])
    def test_a_flipped_byte_is_noticed(self, store: BlobStore, keep: Callable[[str, bytes], None], place: int) -> None:
        store.put_if_absent(KEY, DATA)
        keep(KEY, DATA[:place] + bytes([DATA[place] ^ 1]) + DATA[place + 1 :])
        with pytest.raises(BlobCorrupt):
            store.get(KEY)
        keep(KEY, DATA)
        assert store.get(KEY) == DATA

    @pytest.mark.parametrize("cut", [b"", DATA[:-1], DATA + b"x"])
    def test_another_length_is_noticed(self, store: BlobStore, keep: Callable[[str, bytes], None], cut: bytes) -> None:
        store.put_if_absent(KEY, DATA)
        keep(KEY, cut)
        with pytest.raises(BlobCorrupt):
            store.get(KEY)

    def test_what_is_written_again_is_held_to_its_own_sum(self, store: BlobStore) -> None:
        store.put_if_absent(KEY, DATA)
        store.delete(KEY)
        store.put_if_absent(KEY, b"new")
        store.put_if_absent(KEY, b"newer, and too late")
        assert store.get(KEY) == b"new"

    def test_what_is_missing(self, store: BlobStore) -> None:
        assert not store.exists(KEY)
        for read in (store.get, store.open, store.stat):
            with pytest.raises(BlobMissing):
                read(KEY)
        store.delete(KEY)

    def test_a_folder_of_blobs_is_not_a_blob(self, store: BlobStore) -> None:
        store.put_if_absent("t/models/v1/weights", DATA)
        assert not store.exists("t/models/v1")
        with pytest.raises(BlobMissing):
            store.get("t/models/v1")

    def test_delete_removes_and_the_key_can_be_written_again(self, store: BlobStore) -> None:
        store.put_if_absent(KEY, DATA)
        store.delete(KEY)
        assert not store.exists(KEY)
        assert store.put_if_absent(KEY, b"new")

    def test_a_stream_reads_in_pieces(self, store: BlobStore) -> None:
        store.put_if_absent(KEY, DATA)
        with store.open(KEY) as stream:
            assert stream.read(10) == DATA[:10]
            assert stream.read() == DATA[10:]
            assert stream.read() == b""

    def test_stat_knows_size_and_time(self, store: BlobStore) -> None:
        store.put_if_absent(KEY, DATA)
        stat = store.stat(KEY)
        assert (stat.key, stat.size_bytes) == (KEY, len(DATA))
        assert abs(datetime.now(UTC) - stat.modified_at) < timedelta(minutes=1)

    def test_list_is_in_key_order_and_by_prefix(self, store: BlobStore) -> None:
        keys = ["t1/images/b", "t1/images/a", "t1/overlays/m/som.png", "t10/images/a", "t2/images/a"]
        for key in keys:
            store.put_if_absent(key, b"x")
        assert [stat.key for stat in store.list()] == sorted(keys)
        assert [stat.key for stat in store.list("t1/")] == sorted(keys[:3])
        assert [stat.key for stat in store.list("t1/images/")] == ["t1/images/a", "t1/images/b"]
        assert [stat.key for stat in store.list("t1")] == sorted(keys[:4])
        assert list(store.list("t3/")) == []

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_a_key_that_leaves_its_place_is_refused(self, store: BlobStore, key: str) -> None:
        for call in (store.get, store.open, store.stat, store.exists, store.delete):
            with pytest.raises(BadKey):
                call(key)
        with pytest.raises(BadKey):
            store.put_if_absent(key, DATA)

    @pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//", "/etc"])
    def test_a_prefix_that_leaves_its_place_is_refused(self, store: BlobStore, prefix: str) -> None:
        with pytest.raises(BadKey):
            list(store.list(prefix))

    def test_a_store_that_works_says_so(self, store: BlobStore) -> None:
        store.check()
        assert list(store.list()) == []
