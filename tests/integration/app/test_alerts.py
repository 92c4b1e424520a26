"""The alerts that ship speak of metrics that are there, and send whoever is woken to a heading that exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.catalog.session import queue_transaction

ROOT = Path(__file__).resolve().parents[3]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docker" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
OPERATIONS = (ROOT / "OPERATIONS.md").read_text(encoding="utf-8")


@pytest.fixture
def shown(client: TestClient, queue_engine: Engine) -> str:
    """What /metrics says after a request, with a worker there and a hint on its way."""
    with queue_transaction(queue_engine) as session:
        session.execute(text("INSERT INTO worker_processes (name, queues) VALUES ('w', '{interactive}')"))
    client.get("/v1/images")
    return client.get("/metrics").text


def test_every_metric_and_label_of_an_alert_is_told(shown: str) -> None:
    for rule in RULES:
        for name in set(re.findall(r"markwise_\w+", rule["expr"])):
            assert re.search(rf"^{name}[{{ ]", shown, re.MULTILINE), (rule["alert"], name)
        for name, labels in re.findall(r"(markwise_\w+)\{([^}]*)\}", rule["expr"]):
            for label in re.findall(r"(\w+)=", labels):
                assert re.search(rf"^{name}\{{.*\b{label}=", shown, re.MULTILINE), (rule["alert"], label)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert re.fullmatch(r"\d+[mh]", rule["for"])
    assert rule["annotations"]["summary"].endswith(".")
    assert f"### {rule['annotations']['runbook']}\n" in OPERATIONS


def test_every_metric_is_explained(shown: str) -> None:
    """All that we count stands in OPERATIONS.md, and nothing that we do not count."""
    told = set(re.findall(r"^# TYPE (markwise_\w+?) ", shown, re.MULTILINE))
    told = {name.removesuffix("_total") for name in told if not name.endswith("_created")}
    explained = set(re.findall(r"`(markwise_\w+?)(?:_total)?`", OPERATIONS))
    assert told == explained
