"""Of a message in Redis the job's id is believed, if it has one; whatever else it says is not."""

import base64
import json
from uuid import uuid4

import pytest

from app.queue.envelope import hint_of, job_in
from app.queue.tasks import RUN_JOB

JOB = uuid4()


def with_body(arguments: object) -> dict[str, object]:
    return hint_of(JOB, "batch") | {"body": base64.b64encode(json.dumps(arguments).encode()).decode()}


def test_our_own_message_is_read_back() -> None:
    assert job_in(json.loads(json.dumps(hint_of(JOB, "batch")))) == JOB


def test_what_else_a_message_says_is_not_passed_on() -> None:
    forged = with_body([[str(JOB)], {"tenant": "x"}, {"chain": ["celery.backend_cleanup"]}])
    forged["headers"] |= {"eta": "2999-01-01", "group": "x"}  # type: ignore[operator]  # a dict
    assert job_in(forged) == JOB
    told = hint_of(JOB, "batch")
    assert json.loads(base64.b64decode(told["body"]))[0] == [str(JOB)]
    assert "eta" not in told["headers"]
    assert told["headers"]["task"] == RUN_JOB


@pytest.mark.parametrize(
    "message",
    [
        None,
        1,
        [],
        {},
        "x",
        {"headers": None},
        hint_of(JOB, "batch") | {"headers": {"task": "celery.backend_cleanup"}},
        hint_of(JOB, "batch") | {"content-type": "application/x-python-serialize"},
        hint_of(JOB, "batch") | {"properties": {}},
        hint_of(JOB, "batch") | {"body": "no base64"},
        hint_of(JOB, "batch") | {"body": 1},
        with_body([]),
        with_body([[]]),
        with_body([["no id"]]),
        with_body([[1, 2]]),
        with_body("x"),
        with_body({"args": [str(JOB)]}),
    ],
)
def test_anything_else_names_no_job(message: object) -> None:
    assert job_in(message) is None
