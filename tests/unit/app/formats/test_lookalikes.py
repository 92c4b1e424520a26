import json

from app.formats.lookalikes import kept_lookalikes, lookalikes_of, warnings
from models.marks import LookAlike

FOUND = (
    LookAlike(text="12", bbox_xyxy_px=(50.0, 40.0, 70.0, 56.0)),
    LookAlike(text="7", bbox_xyxy_px=(1.0, 2.0, 13.0, 16.0)),
)


def test_what_a_row_keeps_is_read_back() -> None:
    assert lookalikes_of(json.loads(json.dumps(kept_lookalikes(FOUND)))) == FOUND
    assert lookalikes_of(None) == ()


def test_a_warning_names_the_mark_that_shows_it() -> None:
    told = warnings(FOUND, {"1": (0, 30, 200, 120), "2": (45, 35, 90, 60)})
    assert [(one["kind"], one["text"], one["mark"]) for one in told] == [
        ("painted_mark", "12", "2"),
        ("painted_mark", "7", None),
    ]
    assert told[0]["bbox_xyxy_px"] == [50.0, 40.0, 70.0, 56.0]
