"""A trainer's memory stays flat over batches of changing lengths."""

from tests.bench.training_memory import grown


def test_memory_is_flat_when_lengths_change():
    start, *_, third, last = grown("ours", 160)
    assert last - third < 60
    assert last < start + 450
