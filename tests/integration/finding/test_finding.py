"""A finder from its training to the ranking of a catalog: durable, resumed, retried, told in rows, as figures and as a gallery."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.catalog.session import transaction
from app.catalog.tables import ImageRow, JobEventRow, JobItemRow, JobRow, ModelVersionRow
from app.cli import main
from app.commands import finding as commands
from app.commands.client import Client
from app.errors import NotFound, Unprocessable
from app.http.schemas.finding import FindingIn
from app.http.schemas.learning import TrainingIn
from app.imaging.encode import encode
from app.main import create_app
from app.queue.control import retry
from app.services import finding, learning, models
from app.services.keys import ALL_SCOPES, issue
from app.settings import Settings
from app.storage.blobs import StoreUnavailable, model_key, open_blobs
from models.finder.net import save, start_from
from models.finder.ranking import Found
from workers import finding as handler
from workers.resources import Resources
from workers.runner import Outcome, Runner
from workers.shelf import BUILT_IN_FOLDER


class Killed(BaseException):
    """Stands for a signal that ends the worker."""


@pytest.fixture
def settings(database: Settings, tmp_path: Path) -> Settings:
    given = {"home": tmp_path, "blobs": str(tmp_path / "blobs"), "lease_s": 1.0, "heartbeat_s": 0.2}
    return database.model_copy(update=given)


class Desk:
    """Orders, and looks at what became of them."""

    def __init__(self, engine: Engine, tenant: UUID, settings: Settings) -> None:
        self.engine, self.tenant, self.blobs = engine, tenant, open_blobs(settings.blobs_place)

    def add_images(self, shades: list[int]) -> list[UUID]:
        """One flat picture per shade; those above 200 carry the label `tagged`, all `street`."""
        made = []
        for shade in shades:
            key = f"{self.tenant}/images/{shade:064d}"
            self.blobs.put_if_absent(key, encode(np.full((224, 300, 3), shade, np.uint8)))
            about = {"media_type": "image/png", "width": 300, "height": 224, "bytes": 1, "source": "upload"}
            labels = ["street", *(["tagged"] if shade > 200 else [])]
            with transaction(self.engine, self.tenant) as session:
                row = ImageRow(sha256=f"{shade:064d}", labels=labels, blob_key=key, **about)
                session.add(row)
                session.flush()
                made.append(row.id)
        return made

    def add_finder(self, folder: Path) -> UUID:
        """Register an untaught one: what is tested is the way, not the eye."""
        save(start_from(BUILT_IN_FOLDER), folder, {})
        with transaction(self.engine, self.tenant) as session:
            row = ModelVersionRow(name="seeker", version=1, kind="finder", recipe={})
            session.add(row)
            session.flush()
            row.blob_prefix = model_key(str(self.tenant), str(row.id), "x").removesuffix("x")
            for file in folder.iterdir():
                self.blobs.put_if_absent(row.blob_prefix + file.name, file.read_bytes())
            return row.id

    def order(self, **given: object) -> UUID:
        body = FindingIn.model_validate({"finder": "seeker", "images": {"label": "street"}} | given)
        with transaction(self.engine, self.tenant) as session:
            return finding.find(session, body.model_dump(mode="json"), idempotency_key=None).id

    def job(self, job_id: UUID) -> JobRow:
        with transaction(self.engine, self.tenant) as session:
            return session.get_one(JobRow, job_id)

    def ranking(self, job_id: UUID, *, limit: int = 50, after: str | None = None) -> list[UUID]:
        with transaction(self.engine, self.tenant) as session:
            rows, _ = finding.candidates(session, session.get_one(JobRow, job_id), limit=limit, after=after)
            return [row.image_id for row in rows]

    def events(self, job_id: UUID, type_: str) -> list[dict]:
        with transaction(self.engine, self.tenant) as session:
            rows = session.query(JobEventRow).filter_by(job_id=job_id, type=type_).order_by(JobEventRow.id)
            return [row.data for row in rows]

    def attempts(self, job_id: UUID) -> list[int]:
        with transaction(self.engine, self.tenant) as session:
            rows = session.query(JobItemRow).filter_by(job_id=job_id).order_by(JobItemRow.item)
            return [row.attempt for row in rows]


@pytest.fixture
def desk(engine: Engine, tenant: UUID, settings: Settings) -> Desk:
    return Desk(engine, tenant, settings)


@pytest.fixture
def brightest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The finder is surer the brighter a picture is."""

    def scored(_finder: object, name: str, image: np.ndarray) -> Found:
        return Found(name=name, score=float(image[0, 0, 0]) / 255, bbox_xyxy_px=(0, 0, 16, 16))

    monkeypatch.setattr(handler, "scored", scored)


def test_a_finder_is_taught_registered_and_searches(desk: Desk, runner: Runner, tmp_path: Path) -> None:
    body = TrainingIn(name="seeker", recipe="finder", steps=2).model_dump(mode="json")
    with transaction(desk.engine, desk.tenant) as session:
        job_id = learning.train(session, body, idempotency_key=None).id
    assert runner.run(job_id) is Outcome.SUCCEEDED, desk.job(job_id).error
    version_id = UUID(desk.job(job_id).result["model_version_id"])
    with transaction(desk.engine, desk.tenant) as session:
        version = session.get_one(ModelVersionRow, version_id)
    assert (version.kind, version.name, version.version) == ("finder", "seeker", 1)
    assert set(version.origin["sha256"]) == {"config.json", "model.safetensors"}
    assert (version.metrics["pictures"], version.metrics["tagged"]) == (10, 1)
    assert 0 <= version.metrics["precision_at_5"] <= 1
    told = desk.events(job_id, "metric")
    assert [one["step"] for one in told if one["name"] == "loss"] == [1, 2]
    images = desk.add_images([10, 90])
    found = desk.order(finder=str(version_id))
    assert runner.run(found) is Outcome.SUCCEEDED
    assert set(desk.ranking(found)) == set(images)
    with transaction(desk.engine, desk.tenant) as session, pytest.raises(Unprocessable, match="answers no questions"):
        models.deploy(session, version_id)


@pytest.mark.usefixtures("brightest_first")
def test_images_are_ranked_and_precision_is_told(desk: Desk, runner: Runner, tmp_path: Path) -> None:
    dark, light, grey, white = desk.add_images([5, 210, 120, 250])
    desk.add_finder(tmp_path / "finder")
    job_id = desk.order(tagged_label="tagged")
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert desk.ranking(job_id) == [white, light, grey, dark]
    assert desk.ranking(job_id, limit=2, after=str(white)) == [light, grey]
    job = desk.job(job_id)
    assert job.result == {"candidates": 4, "metrics": {"precision_at_2": 1.0, "average_precision": 1.0}}
    assert {one["name"]: one["value"] for one in desk.events(job_id, "metric")} == job.result["metrics"]
    assert desk.events(job_id, "progress")[-1]["done"] == 4


@pytest.mark.usefixtures("brightest_first")
def test_what_is_lost_fails_alone_and_a_retry_looks_only_at_that(desk: Desk, runner: Runner, tmp_path: Path) -> None:
    lost, kept = desk.add_images([40, 200])
    desk.add_finder(tmp_path / "finder")
    key = f"{desk.tenant}/images/{40:064d}"
    picture = desk.blobs.get(key)
    desk.blobs.delete(key)
    job_id = desk.order()
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert (desk.ranking(job_id), desk.job(job_id).progress_failed) == ([kept], 1)
    desk.blobs.put_if_absent(key, picture)
    with transaction(desk.engine, desk.tenant) as session:
        retry(session, job_id)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert (desk.ranking(job_id), desk.job(job_id).progress_failed) == ([kept, lost], 0)
    assert desk.attempts(job_id) == [1, 1]


@pytest.mark.usefixtures("brightest_first")
def test_a_store_that_is_away_uses_up_no_image(
    desk: Desk, runner: Runner, resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = desk.add_images([200, 40])
    desk.add_finder(tmp_path / "finder")
    job_id = desk.order()
    read = resources.blobs.get

    def away(key: str, **how: object) -> bytes:
        if key.endswith(f"{40:064d}"):
            raise StoreUnavailable
        return read(key, **how)

    with monkeypatch.context() as patched:
        patched.setattr(resources.blobs, "get", away)
        for _ in range(4):
            assert runner.run(job_id) is Outcome.RELEASED
            assert (desk.job(job_id).error["code"], desk.attempts(job_id)) == ("unavailable", [1, 0])
            with transaction(desk.engine, desk.tenant) as session:
                session.execute(text("UPDATE jobs SET run_at = clock_timestamp()"))
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert (desk.ranking(job_id), desk.attempts(job_id)) == ([first, second], [1, 1])


def test_a_search_of_which_nothing_can_be_looked_at_fails(desk: Desk, runner: Runner, tmp_path: Path) -> None:
    desk.add_images([40])
    desk.add_finder(tmp_path / "finder")
    desk.blobs.delete(f"{desk.tenant}/images/{40:064d}")
    job_id = desk.order()
    assert runner.run(job_id) is Outcome.FAILED
    assert desk.job(job_id).error["code"] == "items.all_failed"


def test_a_killed_search_goes_on_behind_the_last_image(desk: Desk, runner: Runner, tmp_path: Path, monkeypatch) -> None:
    desk.add_images([10, 20, 30])
    desk.add_finder(tmp_path / "finder")
    looked = []

    def scored(_finder: object, name: str, image: np.ndarray) -> Found:
        looked.append(name)
        if len(looked) == 2:
            raise Killed
        return Found(name=name, score=0.5, bbox_xyxy_px=(0, 0, 1, 1))

    monkeypatch.setattr(handler, "scored", scored)
    job_id = desk.order()
    with pytest.raises(Killed):
        runner.run(job_id)
    assert len(desk.ranking(job_id)) == 1
    deadline = time.monotonic() + 60
    while (outcome := runner.run(job_id)) is Outcome.NOT_OURS:  # until the dead attempt's lease is over
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert outcome is Outcome.SUCCEEDED
    assert (len(desk.ranking(job_id)), len(looked)) == (3, 4)


def test_what_is_no_finder_is_refused_in_words(desk: Desk) -> None:
    desk.add_images([10])
    with transaction(desk.engine, desk.tenant) as session:
        session.add(ModelVersionRow(name="talker", version=1, kind="checkpoint", recipe={}))
    with pytest.raises(Unprocessable, match="recipe `finder`"):
        desk.order(finder="talker")
    with pytest.raises(NotFound, match="no finder"):
        desk.order(finder="nobody")
    body = TrainingIn(name="seeker", recipe="finder", batch_size=4).model_dump(mode="json")
    with transaction(desk.engine, desk.tenant) as session, pytest.raises(Unprocessable, match="leave out `batch_size`"):
        learning.train(session, body, idempotency_key=None)


@pytest.fixture
def service(desk: Desk, settings: Settings) -> Iterator[TestClient]:
    with transaction(desk.engine, desk.tenant) as session:
        _, key = issue(session, "reader", list(ALL_SCOPES))
    with TestClient(create_app(settings.model_copy(update={"require_keys": True}))) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


@pytest.mark.usefixtures("brightest_first")
def test_the_api_orders_lists_and_shows(desk: Desk, runner: Runner, service: TestClient, tmp_path: Path) -> None:
    desk.add_images([10, 20, 30])
    desk.add_finder(tmp_path / "finder")
    ordered = service.post("/v1/findings", json={"finder": "seeker@1", "images": {"label": "street"}})
    assert ordered.status_code == 202
    job_id = ordered.json()["id"]
    runner.run(UUID(job_id))
    first = service.get(f"/v1/findings/{job_id}", params={"limit": 2}).json()
    assert (first["object"], first["status"], first["has_more"]) == ("finding", "succeeded", True)
    rest = service.get(f"/v1/findings/{job_id}", params={"limit": 2, "after": first["next_cursor"]}).json()
    assert [round(255 * row["score"]) for row in first["data"] + rest["data"]] == [30, 20, 10]
    assert rest["has_more"] is False
    assert service.get(f"/v1/findings/{job_id}", params={"after": "nobody"}).status_code == 400
    page = service.get(f"/v1/findings/{job_id}", params={"format": "html", "limit": 2})
    assert page.text.count("data:image/webp;base64,") == 2
    assert "script-src 'sha256-" in page.headers["content-security-policy"]


@pytest.mark.usefixtures("brightest_first")
def test_the_command_orders_of_a_service(
    desk: Desk, runner: Runner, service: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Here(Client):
        """The command's client on the service in this process, whose worker runs when it is waited for."""

        def __init__(self, _server: str) -> None:
            self._http = service

        def wait(self, job: dict, **_how: object) -> dict:
            runner.run(UUID(job["id"]))
            return self.call("GET", f"/v1/jobs/{job['id']}")

    monkeypatch.setattr(commands, "Client", Here)
    desk.add_images([10, 220])
    desk.add_finder(tmp_path / "finder")
    out = tmp_path / "gallery.html"
    argv = ["evaluate", "finder", "run", "--finder", "seeker", "--tagged-label", "tagged", "--out", str(out), "--json"]
    for chosen in (["--label", "street"], ["--catalog"]):
        result = CliRunner().invoke(main, [*argv, *chosen])
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)
        assert (len(found["data"]), found["metrics"]["average_precision"]) == (2, 1.0)
        assert out.read_text().count("<figure>") == 2
