"""Probes about whatever was imported: half yes and half no, true of the catalog, the same for one seed."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.catalog.image_facts import ImageFactsRepository, StatedFacts
from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.catalog.tables import ImageRow
from app.cli import main
from app.commands import probes as command
from app.main import create_app
from app.services.keys import issue
from app.settings import Settings
from models.evaluation.probes import SAMPLINGS
from models.facts import ImageFacts, ObjectFact

KITCHEN, STREET = ("cup", "fork", "oven", "sink"), ("car", "bus", "sign", "person")
SHOWN = [KITCHEN, KITCHEN, KITCHEN[:3], STREET, STREET, (*STREET[:3], "cup"), ("cup",)]


def facts(names: tuple[str, ...]) -> ImageFacts:
    objects = [
        ObjectFact(id=str(i), label=name, bbox_xyxy_px=(0, 0, 9, 9), crowd=i == 0) for i, name in enumerate(names)
    ]
    return ImageFacts(size_hw=(30, 40), objects=tuple(objects))


@pytest.fixture
def catalog(engine: Engine, tenant: UUID) -> dict[str, tuple[str, ...]]:
    """Seven imported images with the label kitchen-street, by the names that probes give them; one more says another source."""
    known = {}
    with transaction(engine, tenant) as session:
        for number, names in enumerate(SHOWN):
            row = ImageRow(
                sha256=f"{number:064}", media_type="image/png", width=40, height=30, bytes=1, labels=["mixed"],
                source="import", blob_key=f"k{number}",
            )  # fmt: skip
            image = ImageRepository(session).add(row)[0].id
            known[f"{image}.png"] = names
            stated = StatedFacts(image_id=image, source="coco", external_id=str(number), facts=facts(names))
            ImageFactsRepository(session).add_or_fill(stated)
            later = StatedFacts(
                image_id=image, source="other", external_id=str(number), facts=facts(("kite", "dog", "cat"))
            )
            ImageFactsRepository(session).add_or_fill(later)
    return known


@pytest.fixture
def client(database: Settings, engine: Engine, tenant: UUID, tmp_path: Path) -> Iterator[TestClient]:
    with transaction(engine, tenant) as session:
        _, key = issue(session, "reader", [])
    settings = database.model_copy(update={"blobs": str(tmp_path), "require_keys": True})
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


def asked(client: TestClient, **query: object) -> list[dict[str, object]]:
    response = client.get("/v1/probes", params={"label": "mixed", **query})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in response.text.splitlines()]


def thing(row: dict[str, object]) -> str:
    return (
        str(row["text"])
        .splitlines()[0]
        .removeprefix("Is there a ")
        .removeprefix("Is there an ")
        .split(" in ")[0]
        .removeprefix("n ")
    )


def test_probes_are_true_and_balanced(client: TestClient, catalog: dict[str, tuple[str, ...]]) -> None:
    rows = asked(client)
    assert Counter(row["category"] for row in rows) == dict.fromkeys(SAMPLINGS, 36)
    assert Counter(row["label"] for row in rows) == {"yes": 54, "no": 54}
    for row in rows:
        assert (thing(row) in catalog[str(row["image"])]) is (row["label"] == "yes"), row
    assert len({row["question_id"] for row in rows}) == len(rows)
    assert asked(client) == rows, "one seed asks one thing"
    assert asked(client, seed=1) != rows


def test_adversarial_takes_what_stands_beside(client: TestClient, catalog: dict[str, tuple[str, ...]]) -> None:
    bare = next(name for name, shown in catalog.items() if shown == KITCHEN[:3])
    rows = asked(client, sampling="adversarial")
    assert {row["category"] for row in rows} == {"adversarial"}
    assert "sink" in {thing(row) for row in rows if row["image"] == bare and row["label"] == "no"}


def test_some_pictures_are_asked_but_all_are_counted(client: TestClient, catalog: dict[str, tuple[str, ...]]) -> None:
    rows = asked(client, pictures=2, sampling="popular")
    assert len({row["image"] for row in rows}) == 2
    everything = asked(client, sampling="popular")
    by_text = lambda rows: {(row["image"], row["text"], row["label"]) for row in rows}  # noqa: E731 - a set of what is asked
    assert by_text(rows) <= by_text(everything), "what is popular is counted over all of them"


def test_a_source_can_be_chosen(client: TestClient, catalog: dict[str, tuple[str, ...]]) -> None:
    response = client.get("/v1/probes", params={"label": "mixed", "source": "other"})
    assert (response.status_code, "nearly every kind" in response.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"label": "mixed", "import": "0197a2b4-0000-7000-8000-000000000000"}, 422),
        ({"label": "nobody"}, 404),
        ({"import": "0197a2b4-0000-7000-8000-000000000000"}, 404),
        ({"label": "mixed", "source": "nowhere"}, 422),
        ({"label": "mixed", "sampling": "hardest"}, 422),
        ({"label": "mixed", "pictures": 0}, 422),
    ],
)
def test_bad_orders_are_told(
    client: TestClient, catalog: dict[str, tuple[str, ...]], query: dict[str, str], status: int
) -> None:
    response = client.get("/v1/probes", params=query)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_the_command_writes_what_score_reads(
    client: TestClient, catalog: dict[str, tuple[str, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.commands.client.httpx.Client", lambda **_: client)
    out = tmp_path / "probes"
    argv = ["evaluate", "probes", "--label", "mixed", "--no-content", "--out", str(out), "--json"]
    result = CliRunner().invoke(main, argv)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["questions"] == dict.fromkeys(SAMPLINGS, 36)
    truth = [json.loads(line) for line in (out / "popular.jsonl").read_text().splitlines()]
    answers = tmp_path / "a.jsonl"
    answers.write_text(
        "".join(json.dumps({"question_id": row["question_id"], "text": row["label"]}) + "\n" for row in truth)
    )
    score = ["evaluate", "score", "pope", "--labels", str(out / "popular.jsonl"), "--answers", str(answers), "--json"]
    assert json.loads(CliRunner().invoke(main, score).stdout)["metrics"]["f1"] == 100
    questions = (out / "questions.jsonl").read_text()
    assert '"label"' not in questions, "the truth does not stand beside the question"
    assert command.SAMPLINGS == SAMPLINGS
