from app.http.timing import server_timing


def test_stages_of_all_answers_are_summed_and_named_safely() -> None:
    bodies = [{"timing_ms": {"model": 1.25, "segment:gui": 2.0}}, {"timing_ms": {"model": 2.0}}, {}]
    assert server_timing(bodies) == {"Server-Timing": "model;dur=3.2, segment_gui;dur=2.0"}
    assert server_timing([{}]) == {}
