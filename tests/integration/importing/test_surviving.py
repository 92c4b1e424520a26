"""Workers are killed while they import, a record kills its worker, somebody cancels: nothing is lost, nothing comes twice."""

import json
import signal
import time

import pytest
from sqlalchemy import func, select, text

from app.catalog.session import queue_transaction, transaction
from app.catalog.tables import ImageFactsRow, JobItemRow
from app.queue.control import cancel, retry
from app.storage.blobs import StoreUnavailable
from tests.acceptance.processes import Processes, wait_until
from tests.integration.importing.conftest import write_coco
from workers import importing
from workers.accepting import Acceptance
from workers.runner import Outcome, Runner

RECORDS = 700


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_killed_workers_lose_no_record_and_double_none(
    order, job, settings, engine, tenant, imports_folder, tmp_path
) -> None:
    write_coco(imports_folder, RECORDS)
    processes = Processes(settings, tmp_path / "log")
    kills = 0
    try:
        processes.housekeeping()
        worker = processes.start("workers.main", "--queues", "batch", "--concurrency", "1")
        job_id = order(files=["instances.json"], images="pictures")
        done = 0
        while job(job_id).status not in {"succeeded", "failed"}:
            if kills < 3 and job(job_id).progress_done > done:
                done = job(job_id).progress_done
                processes.kill(worker, signal.SIGKILL)
                worker.wait(10)
                kills += 1
                worker = processes.start("workers.main", "--queues", "batch", "--concurrency", "1")
            time.sleep(0.02)
    finally:
        processes.stop()
    ended = job(job_id)
    assert kills == 3, "the import was done before the test had killed anybody"
    assert ended.result == {"records": RECORDS, "added": RECORDS, "known": 0, "skipped": 0, "failed": 0}
    assert (ended.progress_done, ended.progress_total) == (RECORDS, RECORDS)
    with transaction(engine, tenant) as session:
        assert session.scalar(select(func.count()).select_from(ImageFactsRow)) == RECORDS
        attempts = session.scalars(select(JobItemRow.attempt).where(JobItemRow.job_id == job_id)).all()
    assert sum(attempts) - RECORDS <= kills * importing.BATCH, "at most one batch is done again for a kill"


def test_a_record_that_ends_its_worker_is_set_aside_alone(
    order, resources, job, items, queue_engine, imports_folder, monkeypatch
) -> None:
    write_coco(imports_folder, 5)
    take = Acceptance.ready

    def poisoned(self: Acceptance, number: int, record):
        if record.external_id == "3":
            raise SystemExit  # the process is gone: no handler, no end
        return take(self, number, record)

    monkeypatch.setattr(Acceptance, "ready", poisoned)
    job_id = order(files=["instances.json"], images="pictures")
    for _ in range(2):
        with pytest.raises(SystemExit):
            Runner(resources, {"import.create": "workers.importing:run"}, worker="test").run(job_id)
        with queue_transaction(queue_engine) as session:
            session.execute(text("UPDATE jobs SET lease_until = clock_timestamp() - interval '1 s'"))
    outcome = Runner(resources, {"import.create": "workers.importing:run"}, worker="test").run(job_id)
    assert outcome is Outcome.SUCCEEDED
    assert job(job_id).result == {"records": 5, "added": 4, "known": 0, "skipped": 0, "failed": 1}
    (parked,) = [item for item in items(job_id) if item.status == "failed"]
    assert (parked.payload["record"], parked.error["code"]) == ("3", "item.parked")


def test_a_cancelled_import_keeps_what_it_has_and_goes_on_when_retried(
    order, runner, job, engine, tenant, imports_folder, monkeypatch
) -> None:
    write_coco(imports_folder, 10)
    monkeypatch.setattr(importing, "BATCH", 2)
    settle = importing.Batches.end

    def cancelling(self, endings, *, total):
        settle(self, endings, total=total)
        if job(job_id).progress_done == 4:
            with transaction(engine, tenant) as session:
                cancel(session, job_id)

    monkeypatch.setattr(importing.Batches, "end", cancelling)
    job_id = order(files=["instances.json"], images="pictures")
    assert runner.run(job_id) is Outcome.CANCELLED
    assert (job(job_id).status, job(job_id).progress_done) == ("cancelled", 4)
    with transaction(engine, tenant) as session:
        retry(session, job_id)
        assert session.scalar(select(func.count()).select_from(ImageFactsRow)) == 4
    monkeypatch.setattr(importing.Batches, "end", settle)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert job(job_id).result["added"] == 10


def test_a_cancel_is_heard_while_files_are_read(
    order, runner, job, engine, tenant, imports_folder, monkeypatch
) -> None:
    write_coco(imports_folder, 50, pictures=False)
    job_id = order(files=["instances.json"], images="pictures")
    opened = importing.open_source

    def slow(name, paths, tools):
        with transaction(engine, tenant) as session:
            cancel(session, job_id)
        wait_until(lambda: _heard(tools), within_s=30)
        return opened(name, paths, tools)

    def _heard(tools) -> bool:
        try:
            tools.beat()
        except BaseException:
            return True
        return False

    monkeypatch.setattr(importing, "open_source", slow)
    assert runner.run(job_id) is Outcome.CANCELLED
    assert job(job_id).progress_done == 0


def test_a_store_that_is_away_uses_up_no_record(
    order, runner, resources, job, items, queue_engine, imports_folder, monkeypatch
) -> None:
    write_coco(imports_folder, 3)
    job_id = order(files=["instances.json"], images="pictures")

    def away(*_: object) -> bool:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(resources.blobs, "put_if_absent", away)
        for _ in range(4):
            assert runner.run(job_id) is Outcome.RELEASED
            assert job(job_id).error["code"] == "unavailable"
            assert [(item.status, item.attempt) for item in items(job_id)] == [("queued", 0)] * 3
            with queue_transaction(queue_engine) as session:
                session.execute(text("UPDATE jobs SET run_at = clock_timestamp()"))
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert job(job_id).result["added"] == 3


def test_a_file_that_was_mended_is_retried_by_its_records_not_by_their_places(
    order, runner, job, items, engine, tenant, imports_folder
) -> None:
    document = write_coco(imports_folder, 5)
    document["annotations"][3]["category_id"] = 99
    (imports_folder / "instances.json").write_text(json.dumps(document))
    job_id = order(files=["instances.json"], images="pictures")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert job(job_id).result == {"records": 5, "added": 4, "known": 0, "skipped": 0, "failed": 1}
    document["annotations"][3]["category_id"] = 1
    document["images"], document["annotations"] = document["images"][1:], document["annotations"][1:]
    (imports_folder / "instances.json").write_text(json.dumps(document))
    with transaction(engine, tenant) as session:
        retry(session, job_id)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert job(job_id).result == {"records": 4, "added": 1, "known": 3, "skipped": 0, "failed": 0}
    assert [item.payload["record"] for item in items(job_id)] == ["2", "3", "4", "5"]
    assert (job(job_id).progress_done, job(job_id).progress_total, job(job_id).progress_failed) == (4, 4, 0)
