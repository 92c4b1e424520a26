"""The S3 store against a small S3 over real HTTP: the contract, and what only a network can get wrong."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from botocore.config import Config

from app.storage import s3
from app.storage.blobs import StoreUnavailable, open_blobs
from app.storage.s3 import S3Blobs
from tests.integration.s3_stub import BUCKET, S3Stub, running_stub
from tests.unit.app.storage.contract import DATA, KEY, SHA256, BlobStoreContract


@pytest.fixture(scope="module")
def server() -> Iterator[S3Stub]:
    with running_stub() as stub:
        yield stub


@pytest.fixture
def stub(server: S3Stub, monkeypatch: pytest.MonkeyPatch) -> S3Stub:
    server.objects.clear()
    server.said.clear()
    server.faults.clear()
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def store(stub: S3Stub) -> Iterator[S3Blobs]:
    opened = open_blobs(f"s3://{BUCKET}/some/prefix")
    assert isinstance(opened, S3Blobs)
    yield opened
    opened.close()


@pytest.fixture
def keep(stub: S3Stub) -> Callable[[str, bytes], None]:
    def write(key: str, data: bytes) -> None:
        stub.objects[f"some/prefix/{key}"] = (data, datetime.now(UTC))

    return write


class TestS3Blobs(BlobStoreContract):
    pass


def test_keys_lie_below_the_prefix(store: S3Blobs, stub: S3Stub) -> None:
    store.put_if_absent(KEY, DATA)
    assert list(stub.objects) == [f"some/prefix/{KEY}"]


def test_another_prefix_is_not_listed(store: S3Blobs, stub: S3Stub) -> None:
    other = open_blobs(f"s3://{BUCKET}")
    other.put_if_absent("some/prefixed/blob", DATA)
    assert list(store.list()) == []
    assert [stat.key for stat in other.list()] == ["some/prefixed/blob"]
    other.close()


@pytest.mark.parametrize("fault", ["500", "503", "drop"])
def test_one_fault_is_retried(store: S3Blobs, stub: S3Stub, fault: str) -> None:
    stub.faults.append(fault)
    assert store.put_if_absent(KEY, DATA)
    stub.faults.append(fault)
    assert store.get(KEY, sha256=SHA256) == DATA


def test_a_store_that_stays_broken_is_unavailable(store: S3Blobs, stub: S3Stub) -> None:
    for call in (lambda: store.put_if_absent(KEY, DATA), lambda: store.get(KEY), store.check):
        stub.faults.extend(["drop"] * 10)
        with pytest.raises(StoreUnavailable) as failed:
            call()
        stub.faults.clear()
        assert stub.url not in str(failed.value)
    assert stub.objects == {}


@pytest.fixture
def hurried(stub: S3Stub, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Blobs]:
    """A store that waits for an answer for a fifth of a second instead of six."""
    settings = s3.CLIENT_SETTINGS.merge(Config(connect_timeout=0.2, read_timeout=0.2))
    monkeypatch.setattr(s3, "CLIENT_SETTINGS", settings)
    opened = open_blobs(f"s3://{BUCKET}/some/prefix")
    assert isinstance(opened, S3Blobs)
    yield opened
    stub.faults.clear()
    stub.speak.set()
    opened.close()


def test_a_store_that_falls_silent_is_asked_again_and_then_given_up(hurried: S3Blobs, stub: S3Stub) -> None:
    hurried.put_if_absent(KEY, DATA)
    stub.faults.append("silent")
    assert hurried.get(KEY) == DATA
    before = stub.requests
    stub.faults.extend(["silent"] * 10)
    with pytest.raises(StoreUnavailable):
        hurried.get(KEY)
    assert stub.requests - before == 4, "the tries of CLIENT_SETTINGS"


def test_a_silent_store_is_given_up_while_a_caller_still_waits() -> None:
    given = s3.CLIENT_SETTINGS
    assert given.read_timeout * given.retries["total_max_attempts"] < 30
    assert given.connect_timeout * given.retries["total_max_attempts"] < 30


def test_a_body_cut_short_is_not_taken_for_the_blob(store: S3Blobs, stub: S3Stub) -> None:
    store.put_if_absent(KEY, DATA)
    stub.faults.append("torn")
    with pytest.raises(StoreUnavailable):
        store.get(KEY)


def test_a_missing_bucket_is_unavailable_rather_than_missing(stub: S3Stub) -> None:
    elsewhere = open_blobs("s3://another-bucket")
    for call in (elsewhere.check, lambda: elsewhere.get(KEY), lambda: elsewhere.put_if_absent(KEY, DATA)):
        with pytest.raises(StoreUnavailable):
            call()
    elsewhere.close()


def test_an_object_of_an_earlier_release_has_no_sum(store: S3Blobs, stub: S3Stub) -> None:
    store.put_if_absent(KEY, DATA)
    stub.said.clear()
    assert store.get(KEY) == DATA


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix"])
def test_a_url_without_a_bucket_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected s3://"):
        open_blobs(url)
