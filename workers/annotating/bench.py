"""Everything one claim needs to write: the writer, the teacher, the subjects, the rows, and how many items at once.

Called by `factory`, from its threads. Turns every failure of one item into a `Finished`; only a database that is away
passes.
"""

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.catalog.mark_sets import MarkSetRepository
from app.catalog.texts import TextRepository
from app.errors import AppError
from app.queue.spending import Spent
from app.queue.tasks import error_body
from app.storage.blobs import StoreUnavailable
from models.errors import BackendDown
from models.writers.listing.taught import Example
from models.writers.registry import build
from models.writers.teachers import BackendTeacher, Chats
from models.writers.types import Teacher, Writer, WriterOptions
from workers.annotating.ledger import CatalogLedger
from workers.annotating.orders import Order
from workers.annotating.pace import Pace, Stopped
from workers.annotating.patience import NoAnswer, PatientTeacher
from workers.annotating.pictures import stored_picture
from workers.annotating.rows import TextRows, Written
from workers.annotating.subjects import Known, Loaded, Subjects
from workers.context import Item, JobContext
from workers.retries import GiveUp, decide
from workers.sharing import Finished

_log = logging.getLogger(__name__)
USUAL_SLOTS = 8
"""Questions that one worker has under way unless the order says otherwise."""
NO_ANSWER = error_body(
    "teacher.no_answer",
    "The teacher gave no answer",
    status=503,
    detail="It answered others meanwhile; a retry of the job asks again.",
)
AWAY = (BackendDown, StoreUnavailable)
"""What says that a dependency is down: the item is not to blame and goes back into the pile, and the claim ends with it."""


class Bench:
    """The means of one claim: `slots` questions under way at once, `ahead` items that are made ready meanwhile.

    `one_by_one` says whether items are worked on each in a thread of its own; `limit` is how many questions all claims on the
    order may have under way together, None where nobody minds.
    """

    def __init__(self, job: JobContext, order: Order, slots: int | None = None) -> None:
        """`slots` is what the order's owner lets this claim have. Raises BackendDown, BadInput, NotFound, WeightsMissing."""
        self._job = job
        self._subjects = Subjects(job, order)
        self._teacher, origin = _teacher(job, order)
        self._writer: Writer = build(_options(job, order), order.writer)
        # Recipes choose documents by the one source that they are about (MMGiC repeats two of its four).
        one = {"source": order.sources[0]} if order.sources is not None and len(order.sources) == 1 else {}
        self.rows = TextRows(order.id, origin | one)
        remote = self._teacher is not None and isinstance(self._teacher.backend, Chats)
        self.one_by_one = self._teacher is not None
        wanted = slots or order.concurrency or USUAL_SLOTS
        self.slots = min(wanted, job.resources.settings.vlm_concurrency) if remote else 1
        self.limit = order.concurrency if remote else None
        # A question that ends is followed at once by one that waits here, not only after the next look at the items.
        self.ahead = self.slots if remote else 0
        self.pace = Pace(self.slots)

    def stop(self) -> None:
        """Ask no more questions."""
        self.pace.stop.set()

    def look_up(self, items: Sequence[Item]) -> Known:
        """Ask the catalog about items, once for all that were taken together."""
        return self._subjects.look_up(items)

    def work(self, items: Sequence[Item], known: Known) -> list[Finished]:
        """Write about these items; never raises for one of them. Behind one that met an AWAY the rest is left alone."""
        finished: list[Finished] = []
        for loaded in self._subjects.load(items, known):
            finished.append(self._written(loaded))
            if isinstance(finished[-1].outcome, AWAY):
                break
        return finished + [Finished(item=item, again=True) for item in items[len(finished) :]]

    def _written(self, loaded: Loaded) -> Finished:
        patient = None if self._teacher is None else PatientTeacher(self._teacher, self.pace)
        again, error = False, None
        outcome: Written | Exception | None = None
        try:
            outcome = Written(loaded=loaded, drafts=tuple(self._writer.write(loaded.known(), patient)))
        except Stopped:
            again = True
        except AWAY as away:
            again, outcome = True, away
        except NoAnswer:
            error = NO_ANSWER
        except SQLAlchemyError:
            raise
        except Exception as failed:
            error = _error(failed)
        spent = Spent() if patient is None or not patient.spent else patient.spent + Spent(items=1)
        return Finished(item=loaded.item, outcome=outcome, error=error, again=again, spent=spent)


def _teacher(job: JobContext, order: Order) -> tuple[Teacher | None, dict[str, Any]]:
    """The teacher of an order, and what the provenance of its texts says about it."""
    if order.entry.taught == "never" or (order.entry.taught == "if named" and order.model is None):
        return None, {"model": None, "model_version_id": None}
    with job.transaction() as session:
        backend, version = job.resources.models.teacher(session, order.model)
    backend.ready()
    return BackendTeacher(backend, temperature=order.temperature, timeout_s=order.timeout_s), {
        "model": {"name": backend.name, "version": backend.version},
        "model_version_id": None if version is None else str(version.id),
    }


def _options(job: JobContext, order: Order) -> WriterOptions:
    extra = dict(order.options)
    if order.examples:
        with job.transaction() as session:
            texts = [TextRepository(session).get(text_id) for text_id in order.examples]
            sets = {
                row.id: row
                for row in MarkSetRepository(session).with_ids([t.mark_set_id for t in texts if t.mark_set_id])
            }
        extra["examples"] = [
            Example(
                text_id=str(text.id),
                tagged=stored_picture(job, sets[text.mark_set_id]),
                listing=text.conversations[-1]["value"],
            )
            for text in texts
            if text.mark_set_id in sets
        ]
    return WriterOptions(
        kind=order.kind,
        mode=order.mode,
        tries=order.tries,
        seed=order.seed,
        extra=extra,
        similarity=job.resources.models.similarity() if order.kind == "concept_document" else None,
        ledger=CatalogLedger(job, order.id),
    )


def _error(failed: Exception) -> dict[str, Any]:
    """What an item's failure is called; another library's words stay in the log."""
    if not isinstance(failed, AppError):
        _log.info("an item failed", exc_info=failed)
    verdict = decide(failed, 1)
    if isinstance(verdict, GiveUp):
        return verdict.error
    return verdict.error or error_body("item.failed", "The item failed", status=500)
