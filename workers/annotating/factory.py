"""The loop of one claim on an order: take items, have them written side by side, commit what is done, in batches.

Rules write hundreds of items per transaction; a teacher that is waited for has many items in work, each in a thread. The
loop stops cleanly for a cancelled job, a lost lease, a stopping worker, a teacher or a store that is away and a budget that is spent:
what was begun and not done goes back into the pile.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from sqlalchemy.exc import DataError, IntegrityError

from app.errors import AppError, BudgetSpent
from app.queue.tasks import error_body
from models.errors import ModelError
from workers.annotating.bench import AWAY, Bench
from workers.annotating.helping import Helpers
from workers.annotating.orders import Order
from workers.annotating.subjects import Known
from workers.context import ITEM_ATTEMPTS, Item, JobContext
from workers.heart import Draining
from workers.sharing import Finished, Pile, SharedItems

_log = logging.getLogger(__name__)
_LOOK_S = 0.25
# Where items wait ready, answers of this long are committed together: one transaction each took as much of the processor as
# everything else about an item.
_GATHER_S = 0.1
_WIND_DOWN_S = 5.0
_LEAVE_S = 2.0
# An item that was in work when workers died is run alone, and given up only if it goes on killing them.
_ALONE_ATTEMPTS = 3
_QUICK_S, _SLOW_S, _LARGEST_BATCH = 0.5, 2.0, 500
PARKED = error_body(
    "item.parked", "The item was set aside", status=500, detail="It ended its worker, alone, three times."
)
UNSTORABLE = error_body(
    "item.unstorable", "The text cannot be stored", status=422, detail="What it is about was deleted meanwhile."
)


class Factory:
    """One claim's work on one order; `done` counts the items it committed."""

    def __init__(self, job: JobContext, order: Order, slots: int | None = None) -> None:
        """Loads the writer and the teacher; `slots` is a helper's share of questions. Raises BackendDown, BadInput, NotFound."""
        self.done = 0
        self._job, self._order = job, order
        self._owner = job.job_id == order.id
        self._bench = Bench(job, order, slots)
        self._items = SharedItems(job, order.id)
        self._helpers = Helpers(job, order.id, share=self._bench.slots, limit=self._bench.limit)
        self._in_work: dict[Future[list[Finished]], tuple[Item, ...]] = {}
        self._one_by_one = False
        """Whether suspects are run now, one after the other and nothing beside them."""
        self._batch = 16
        self._trouble: Exception | None = None

    def run(self) -> None:
        """Work until no item is left, anywhere if this claim owns the order.

        Raises BackendDown or StoreUnavailable (away), BudgetSpent, OrderOver, LeaseLost, Cancelled, Draining.
        """
        # As many threads as items: those beyond the slots have made theirs ready and wait for their turn to ask.
        pool = ThreadPoolExecutor(self._bench.slots + self._bench.ahead, thread_name_prefix="write")
        try:
            while self._turn(pool):
                self._job.checkpoint()
        except Draining:
            self._wind_down()
            raise
        finally:
            self._bench.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            wait([future for future in self._in_work if not future.cancelled()], timeout=_LEAVE_S)
        if self._trouble is not None:
            raise self._trouble

    def _turn(self, pool: ThreadPoolExecutor) -> bool:
        """Fill the free slots and commit what is done; False when nothing is left to do."""
        pile = None if self._trouble is not None else self._fill(pool)
        if self._in_work:
            self._collect(_LOOK_S)
            return True
        if self._trouble is not None or self._one_by_one:
            return self._trouble is None
        return not self._is_over(pile)

    def _is_over(self, pile: Pile | None) -> bool:
        """Whether to stop though no item could be taken: others may still have some in work, which may come back."""
        if pile is None or pile.taken:
            return False
        if not self._owner:
            return True
        left = self._items.left()
        if left == 0:
            return True
        if pile.broke and not pile.in_work:
            raise BudgetSpent(f"{left} items are left. Retry the job to grant it the same budget again.")
        time.sleep(_LOOK_S)
        return False

    def _fill(self, pool: ThreadPoolExecutor) -> Pile | None:
        if self._one_by_one:
            if not self._in_work:
                self._take_suspect(pool)
            return None
        free = min(self._bench.slots, self._bench.pace.limit) + self._bench.ahead - len(self._in_work)
        if free <= 0:
            return None
        if not self._owner and self._helpers.others_wait():
            return Pile(taken=()) if not self._in_work else None
        most = free if self._bench.one_by_one else self._batch
        pile = self._items.take(most, budget=self._order.budget)
        together = [item for item in pile.taken if item.attempt <= ITEM_ATTEMPTS]
        suspects = [item for item in pile.taken if item.attempt > ITEM_ATTEMPTS]
        if suspects:
            # Back until nothing else is in work: while they only wait for that, the next crash would count as theirs.
            self._settle([Finished(item=item, again=True) for item in suspects])
            self._one_by_one = True
        if together:
            known = self._bench.look_up(together)
            for part in [(item,) for item in together] if self._bench.one_by_one else [tuple(together)]:
                self._in_work[pool.submit(self._timed, part, known)] = part
        if self._owner and pile.taken:
            self._helpers.enlist()
        return pile

    def _take_suspect(self, pool: ThreadPoolExecutor) -> None:
        pile = self._items.take(1, budget=self._order.budget, begun=ITEM_ATTEMPTS)
        self._one_by_one = bool(pile.taken)
        for item in pile.taken:
            if item.attempt > ITEM_ATTEMPTS + _ALONE_ATTEMPTS:
                self._settle([Finished(item=item, error=PARKED)])
            else:
                self._in_work[pool.submit(self._timed, (item,), self._bench.look_up([item]))] = (item,)

    def _timed(self, items: tuple[Item, ...], known: Known) -> list[Finished]:
        began = time.monotonic()
        finished = self._bench.work(items, known)
        took_s = time.monotonic() - began
        if len(items) == self._batch and took_s < _QUICK_S:
            self._batch = min(_LARGEST_BATCH, 2 * self._batch)
        elif took_s > _SLOW_S:
            self._batch = max(1, self._batch // 2)
        return finished

    def _collect(self, timeout_s: float) -> None:
        """Commit everything that is done by now, and where that keeps nobody waiting a moment later, in one transaction."""
        ended, _ = wait(self._in_work, timeout=timeout_s, return_when=FIRST_COMPLETED)
        if ended and self._bench.ahead:
            ended, _ = wait(self._in_work, timeout=_GATHER_S)
        finished: list[Finished] = []
        for future in ended:
            del self._in_work[future]
            finished += future.result()
        for one in finished:
            if isinstance(one.outcome, AWAY):
                self._trouble = one.outcome
                self._bench.stop()
        if finished:
            self._settle(finished)

    def _settle(self, finished: Sequence[Finished]) -> None:
        try:
            self.done += self._items.settle(finished, self._bench.rows.write, prices=self._order.prices)
        except (IntegrityError, DataError, AppError, ModelError):
            _log.warning("a batch of %d items cannot be stored as it is", len(finished), exc_info=True)
            if len(finished) > 1:
                for one in finished:
                    self._settle([one])
            elif finished[0].error is None:
                self._settle([Finished(item=finished[0].item, error=UNSTORABLE, spent=finished[0].spent)])
            else:
                raise

    def _wind_down(self) -> None:
        """Let what is under way end for a moment, and put the rest back, so that another worker need not wait for the lease."""
        self._bench.stop()
        until = time.monotonic() + _WIND_DOWN_S
        while self._in_work and time.monotonic() < until:
            self._collect(until - time.monotonic())
        rest = [item for items in self._in_work.values() for item in items]
        if rest:
            self._items.settle([Finished(item=item, again=True) for item in rest], self._bench.rows.write)
