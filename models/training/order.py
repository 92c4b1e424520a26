"""Which samples a step trains on: every epoch is a shuffle of its own, cut into batches and shared out among processes.

All of it follows from seed, step and process number, so a resumed run meets exactly the next batch. Knows indices alone.
"""

import heapq
from collections.abc import Sequence
from functools import lru_cache
from random import Random


def batch_at(step: int, records: int, batch: int, seed: int) -> list[int]:
    """The record indices of optimiser step `step` (from 0); what an epoch lacks for a whole batch comes from the next."""
    return curriculum_batch(step, (records,), batch, seed)


def curriculum_batch(step: int, stages: Sequence[int], batch: int, seed: int, epochs: int = 1) -> list[int]:
    """The same where the records come in stages of these sizes, one behind the other.

    Each stage is met `epochs` times, shuffled by itself, before the next begins; behind the last one the first begins anew.
    MMGiC gains from such an order, coarse captions before fine annotations (its Table 2); a part of a dataset that stands in
    several stages is replayed.
    """
    chosen: list[int] = []
    at = step * batch
    while len(chosen) < batch:
        lap, left = divmod(at, epochs * sum(stages))
        stage = 0
        while left >= epochs * stages[stage]:
            left -= epochs * stages[stage]
            stage += 1
        epoch, place = divmod(left, stages[stage])
        order = _shuffled(lap * epochs + epoch, stage, stages[stage], seed)
        taken = order[place : place + batch - len(chosen)]
        chosen += [sum(stages[:stage]) + index for index in taken]
        at += len(taken)
    return chosen


def share_of(rank: int, world: int, indices: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """What process `rank` takes of a batch: equally many each, and nearly equally much, longest dealt first.

    LLaVA groups samples of like length into a batch so that no process waits for another (group_by_modality_length), which
    makes batches unlike each other; here the batch stays a random one and is dealt out by length.
    """
    room = -(-len(indices) // world)
    open_hands: list[tuple[int, int, list[int]]] = [(0, number, []) for number in range(world)]
    hands: list[list[int]] = [hand for _, _, hand in open_hands]
    for index in sorted(indices, key=lambda i: (-lengths[i], i)):
        load, number, hand = heapq.heappop(open_hands)
        hand.append(index)
        if len(hand) < room:
            heapq.heappush(open_hands, (load + lengths[index], number, hand))
    return hands[rank]


@lru_cache(maxsize=2)  # shuffling 665,000 numbers takes half a second, and a batch may reach over the end of an epoch
def _shuffled(epoch: int, stage: int, size: int, seed: int) -> list[int]:
    order = list(range(size))
    Random(f"{seed}-epoch-{epoch}" + (f"-stage-{stage}" if stage else "")).shuffle(order)
    return order
