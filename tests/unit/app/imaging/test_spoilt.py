"""5,000 spoilt images give pixels or our own errors, quickly and in little memory; `tests.chaos.spoilt_images` takes 200,000."""

from tests.chaos.spoilt_images import MOST_RSS_MB, SLOWEST_S, in_process


def test_5000_spoilt_images_are_decoded_or_refused() -> None:
    found = in_process(5_000)
    assert found.faults == []
    assert found.count == 5_000
    assert found.slowest_s < SLOWEST_S
    assert found.grown_mb < MOST_RSS_MB  # this process holds the test suite besides
    assert min(found.counts[name] for name in ("decoded", "image.truncated")) > 200
