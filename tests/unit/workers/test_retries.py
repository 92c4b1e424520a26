"""What becomes of an error: a deadline that is over is final, a model that is down is not."""

import pytest

from app.storage.blobs import BlobCorrupt, BlobMissing, StoreUnavailable
from models import errors
from workers.retries import GiveUp, NotWaitedFor, Retry, decide


def test_a_deadline_that_is_over_is_504_and_final() -> None:
    decided = decide(errors.OutOfTime("the answer was not ready before its deadline"), 1)
    assert isinstance(decided, GiveUp)
    assert (decided.error["code"], decided.error["status"]) == ("deadline", 504)


def test_a_model_that_is_down_is_tried_again_unless_somebody_waits() -> None:
    decided = decide(errors.BackendDown("the model server cannot be reached"), 3)
    assert isinstance(decided, Retry)
    assert (decided.counts, decided.delay_s) == (False, 4.0)
    waited = decide(NotWaitedFor("the model server cannot be reached"), 1)
    assert isinstance(waited, GiveUp)
    assert waited.error["status"] == 503


@pytest.mark.parametrize("error", [ValueError("secret at 0x7f"), KeyError("x")])
def test_of_an_unknown_error_nothing_leaves(error: Exception) -> None:
    decided = decide(error, 1)
    assert isinstance(decided, GiveUp)
    assert "secret" not in str(decided.error)


def test_a_store_that_is_down_is_tried_again_and_a_deleted_picture_is_not() -> None:
    later = decide(StoreUnavailable("the object store refused t/images/0: SlowDown"), 2)
    assert isinstance(later, Retry)
    assert (later.counts, later.delay_s, later.error["status"]) == (False, 2.0, 503)
    assert "SlowDown" not in str(later.error)
    gone = decide(BlobMissing("t/images/0"), 1)
    assert isinstance(gone, GiveUp)
    assert (gone.error["code"], gone.error["status"], gone.error["detail"]) == ("image.gone", 404, None)
    for key, code in (("t/overlays/0/markwise.png", "image.gone"), ("t/models/0/model.safetensors", "model.gone")):
        other = decide(BlobMissing(key), 1)
        assert isinstance(other, GiveUp)
        assert other.error["code"] == code
        assert code.split(".")[0] in other.error["title"]
    damaged = decide(BlobCorrupt("blob t/images/0 does not match its checksum"), 1)
    assert isinstance(damaged, GiveUp)
    assert (damaged.error["code"], damaged.error["status"], damaged.error["detail"]) == ("storage.damaged", 500, None)
