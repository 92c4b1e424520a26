"""Batches follow from seed and step: every record once an epoch, shared out evenly."""

from collections import Counter

from models.training.order import batch_at, curriculum_batch, share_of


def test_every_record_comes_once_an_epoch_and_epochs_differ():
    seen = [index for step in range(10) for index in batch_at(step, 20, 4, seed=1)]
    first, second = seen[:20], seen[20:]
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second


def test_a_batch_reaches_into_the_next_epoch_and_may_hold_several():
    assert Counter(i for step in range(3) for i in batch_at(step, 5, 5 * 2, seed=0)) == dict.fromkeys(range(5), 6)
    assert sorted(batch_at(0, 3, 4, seed=0)[:3]) == [0, 1, 2]


def test_another_seed_is_another_order():
    assert batch_at(0, 100, 100, seed=0) != batch_at(0, 100, 100, seed=1)


def test_processes_take_equally_many_and_nearly_equally_much():
    lengths = [10 * (i + 1) for i in range(16)]
    batch = list(range(16))
    hands = [share_of(rank, 4, batch, lengths) for rank in range(4)]
    assert sorted(i for hand in hands for i in hand) == batch
    assert {len(hand) for hand in hands} == {4}
    loads = [sum(lengths[i] for i in hand) for hand in hands]
    assert max(loads) - min(loads) <= 10


def test_a_curriculum_ends_one_stage_before_the_next_begins():
    seen = [i for step in range(10) for i in curriculum_batch(step, (6, 4), 3, seed=1, epochs=3)]
    assert Counter(seen[:18]) == dict.fromkeys(range(6), 3)
    assert Counter(seen[18:]) == dict.fromkeys(range(6, 10), 3)
    assert seen[:6] != seen[6:12]
    again = [i for step in range(10, 12) for i in curriculum_batch(step, (6, 4), 3, seed=1, epochs=3)]
    assert sorted(again) == list(range(6))


def test_one_stage_is_the_plain_order():
    for step in range(7):
        assert curriculum_batch(step, (20,), 6, seed=2, epochs=3) == batch_at(step, 20, 6, seed=2)
