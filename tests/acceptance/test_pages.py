"""The page, the documentation and the probes of the running service."""

import re

import httpx


def test_the_documentation_needs_no_network(service: httpx.Client) -> None:
    page = service.get("/docs").text
    sources = re.findall(r"(?:src|href)=[\"']([^\"']+)", page)
    assert sources
    assert all(source.startswith("/static/docs/") for source in sources)
    for source in sources:
        assert service.get(source).status_code == 200
    assert "url: '/openapi.json'" in page


def test_the_openapi_document_names_the_contract(service: httpx.Client) -> None:
    paths = service.get("/openapi.json").json()["paths"]
    wanted = {
        "/v1/images", "/v1/images/{image_id}", "/v1/images/{image_id}/content", "/v1/marksets", "/v1/marksets/{mark_set_id}",
        "/v1/ground", "/v1/answers", "/v1/answers/{answer_id}", "/v1/annotations", "/v1/texts", "/v1/datasets", "/v1/trainings",
        "/v1/evaluations", "/v1/models", "/v1/jobs", "/v1/jobs/{job_id}/events", "/v1/jobs/{job_id}/cancel", "/v1/keys",
        "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    assert wanted <= set(paths)


def test_readiness_names_every_part(service: httpx.Client) -> None:
    body = service.get("/readyz").json()
    assert body["status"] == "ready"
    assert set(body["checks"]) == {"database", "redis", "blobs", "worker"}
    assert service.get("/healthz").json() == {"status": "ok"}
    assert "python_info" in service.get("/metrics").text


def test_keys_open_the_door_until_they_are_revoked(service: httpx.Client) -> None:
    made = service.post("/v1/keys", json={"name": "agent", "scopes": ["mark"]}).json()
    with_key = {"Authorization": f"Bearer {made['key']}"}
    assert service.get("/v1/images", headers=with_key).status_code == 200
    assert service.get("/v1/answers", headers=with_key).status_code == 403
    assert made["key"] not in service.get("/v1/keys").text
    assert service.delete(f"/v1/keys/{made['id']}").json()["revoked_at"] is not None
    assert service.get("/v1/images", headers=with_key).status_code == 401
