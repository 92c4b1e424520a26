"""Events of an answer that is being written: nothing is told twice, nothing is lost, whatever a worker's asides suffer on the way."""

from hypothesis import given
from hypothesis import strategies as st

from app.services.telling import Asides, Event, Heard

TEXT = "It is [1], then [2], and [1] again."
BODY = {
    "text": TEXT,
    "marks": [{"id": m, "bbox_xyxy_px": [0, 0, 9, 9], "point_xy_px": [int(m), 5]} for m in "12"],
    "mentions": [{"mark": TEXT[i + 1], "char_start": i, "char_end": i + 3} for i in (6, 16, 25)],
}


def spoken(cuts: list[int]) -> list[dict]:
    """What a worker tells of TEXT, cut into pieces at `cuts`."""
    asides, told, at = Asides(0), [], 0
    for end in sorted({*cuts, len(TEXT)}):
        asides.add(Event(name="text", data={"text": TEXT[at:end]}))
        for mention in BODY["mentions"]:
            if at < mention["char_end"] <= end:
                asides.add(Event(name="mention", data=mention))
        at = end
        told += asides.take()
    return told


@given(st.lists(st.integers(1, len(TEXT)), max_size=8), st.data())
def test_lost_and_repeated_asides_change_nothing_of_what_is_told_in_the_end(
    cuts: list[int], data: st.DataObject
) -> None:
    asides = spoken(cuts)
    kept = data.draw(st.lists(st.sampled_from(asides), max_size=12) | st.just(asides))
    heard, events = Heard(many=False), []
    for aside in kept:
        events += heard.take(aside)
    events += heard.finish([BODY])
    assert "".join(event.data["text"] for event in events if event.name == "text") == TEXT
    mentions = [event.data for event in events if event.name == "mention"]
    assert sorted((m["mark"], m["char_start"], m["char_end"]) for m in mentions) == sorted(
        (m["mark"], m["char_start"], m["char_end"]) for m in BODY["mentions"]
    )
    assert events[-1] == Event(name="answer", data=BODY)


def test_asides_in_order_are_told_at_once() -> None:
    heard = Heard(many=False)
    told = [event for aside in spoken([4, 12]) for event in heard.take(aside)]
    assert [event.data["text"] for event in told if event.name == "text"] == [TEXT[:4], TEXT[4:12], TEXT[12:]]
    assert [event.name for event in heard.finish([BODY])] == ["answer"]


def test_a_second_attempt_that_says_the_same_is_not_told_again() -> None:
    heard = Heard(many=False)
    first = [event for aside in spoken([5, 9])[:2] for event in heard.take(aside)]
    again = [event for aside in spoken([7]) for event in heard.take(aside)]
    texts = [event.data["text"] for event in (*first, *again) if event.name == "text"]
    assert "".join(texts) == TEXT


def test_another_text_than_was_told_leaves_the_answer_alone_right() -> None:
    heard = Heard(many=False)
    list(heard.take({"index": 0, "start": 0, "text": "Something else"}))
    assert [event.name for event in heard.finish([BODY])] == ["mention", "mention", "mention", "answer"]


def test_several_queries_are_told_apart() -> None:
    events = list(Heard(many=True).finish([BODY, BODY]))
    assert [event.data["index"] for event in events if event.name == "text"] == [0, 1]
    assert {event.data["index"] for event in events if event.name == "mention"} == {0, 1}
