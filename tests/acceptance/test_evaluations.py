"""Evaluations through HTTP and the command line: ordered, measured, shown as JSON and as a page."""

import json
import subprocess
import sys

import httpx

from tests.acceptance.service import finished


def test_a_grid_is_measured_and_shown(service: httpx.Client) -> None:
    order = {"benchmarks": ["refer", "listing"], "tags": [True, False], "n": 3}
    response = service.post("/v1/evaluations", json=order)
    assert response.status_code == 202
    result = finished(service, response.json()["id"])["result"]
    assert len(result["evaluation_ids"]) == 4
    path = f"/v1/evaluations/{result['evaluation_id']}"
    body = service.get(path, params={"include": "items", "limit": 2}).json()
    assert (body["benchmark"], body["metrics"]["n"], body["settings"]["model"]) == ("refer", 3, "som-llava-tiny")
    assert [(item["position"], item["error"]) for item in body["items"]] == [(0, None), (1, None)]
    rest = service.get(path, params={"include": "items", "after": 1}).json()["items"]
    assert [item["position"] for item in rest] == [2]
    assert [section["benchmark"] for section in body["report"]["comparison"]] == ["refer", "listing"]
    page = service.get(path, params={"format": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "data:image/webp;base64," in page.text


def test_an_unknown_benchmark_is_told_with_the_known(service: httpx.Client) -> None:
    problem = service.post("/v1/evaluations", json={"benchmark": "popo"})
    assert problem.status_code == 422
    assert "llava-bench" in problem.json()["detail"]
    assert service.post("/v1/evaluations", json={"benchmark": "refer", "benchmarks": ["refer"]}).status_code == 422


def test_the_command_line_orders_and_writes_the_page(service: httpx.Client, tmp_path) -> None:
    out = tmp_path / "report.html"
    argv = ["evaluate", "run", "refer", "--both", "--limit", "2", "--server", str(service.base_url), "--out", str(out)]
    ordered = [sys.executable, "-m", "app.cli", *argv, "--json"]
    result = subprocess.run(ordered, capture_output=True, text=True, check=False, timeout=150)
    assert result.returncode == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["evaluation"]["report"]["comparison"][0]["runs"][0]["n"] == 2
    assert "<h2>refer</h2>" in out.read_text()
