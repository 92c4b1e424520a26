"""What `test_tenants` asks for: every operation of the OpenAPI document, and where an id of a tenant has its place in it.

A route that is new must be put in these tables: in which part of its path, query or body an id stands, or that none does.
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings

OPEN = {"/healthz", "/readyz", "/metrics"}
"""What needs no key: it says nothing of any tenant."""

READS_OF_ANY_KEY = re.compile(
    r"GET /v1/(jobs|annotations|writers|evaluations|findings|probes|texts|datasets|models|benchmarks|recipes)\b.*"
)
"""What a key without any scope may do: look."""

Operation = tuple[str, str]
IN_PATHS = {
    "answer_id": "answer",
    "image_id": "image",
    "mark_set_id": "mark_set",
    "job_id": "job",
    "evaluation_id": "evaluation",
    "finding_id": "finding",
    "text_id": "text",
    "dataset_id": "dataset",
    "model": "model_version",
    "key_id": "key",
    "webhook_id": "webhook",
    "delivery_id": "delivery",
}
OTHERS_IN_PATHS = {"extension": "png", "mark": "1", "position": "0"}
"""Parts of a path that name nothing by themselves."""

IN_QUERIES = {
    "image_id": "image",
    "mark_set_id": "mark_set",
    "job_id": "job",
    "label": "label",
    "q": "label",
    "name": "dataset_name",
    "import": "job",
}
OTHER_QUERIES = {
    "points",
    "limit",
    "after",
    "action",
    "cut",
    "include",
    "style",
    "format",
    "kind",
    "status",
    "review",
    "size",
} | {
    "stage",
    "shard",
    "shards",
    "source",
    "sampling",
    "seed",
    "pictures",
}

NEEDED_QUERIES = {
    ("GET", "/v1/marksets/{mark_set_id}/export"): {"format": "coco"},
    ("GET", "/v1/probes"): {"label": "watermark"},
}

PICTURE = {"image": {"type": "id", "id": "<image>"}}
BODIES: dict[Operation, list[dict[str, Any]]] = {
    ("POST", "/v1/ground"): [
        {"query": "Click a", "mark_set_id": "<mark_set>"},
        {"query": "Click a", **PICTURE},
        {"query": "a", "task": "correspond", "mark_set_id": "<mark_set>", "target_mark_set_id": "<mark_set>"},
    ],
    ("POST", "/v1/marksets"): [PICTURE, {**PICTURE, "previous_mark_set_id": "<mark_set>"}],
    ("POST", "/v1/images"): [PICTURE],
    ("PATCH", "/v1/images"): [
        {"images": {"ids": ["<image>"]}, "add_labels": ["mine"]},
        {"images": {"label": "<label>"}, "remove_labels": ["<label>"]},
        {"images": {"import": "<job>"}, "add_labels": ["mine"]},
    ],
    ("POST", "/v1/images/delete"): [{"ids": ["<image>"]}],
    ("PATCH", "/v1/marksets/{mark_set_id}/marks/{mark}"): [{"text": "mine"}],
    ("POST", "/v1/marksets/{mark_set_id}/revisions"): [{"op": "delete", "marks": ["1"]}],
    ("PATCH", "/v1/keys/{key_id}"): [{"max_images": 1}],
    ("POST", "/v1/chat/completions"): [
        {
            "model": "som-llava-tiny",
            "messages": [{"role": "user", "content": "what is 1?"}],
            "markwise": {"mark_set_id": "<mark_set>"},
        }
    ],
    ("POST", "/v1/annotations"): [
        {"images": {"ids": ["<image>"]}},
        {"images": {"import": "<job>"}},
        {"images": {"job_ids": ["<job>"]}},
        {"images": {"label": "<label>"}},
        {"images": {"ids": ["<image>"]}, "mark_set_ids": ["<mark_set>"]},
    ],
    ("POST", "/v1/trainings"): [{"dataset_id": "<dataset>"}],
    ("POST", "/v1/evaluations"): [{"dataset_id": "<dataset>"}, {"model": "<model_version>"}],
    ("POST", "/v1/findings"): [
        {"finder": "<finder>", "images": {"ids": ["<image>"]}},
        {"finder": "<model_version>", "images": {"label": "<label>"}},
    ],
    ("POST", "/v1/looks"): [{"mark_set_id": "<mark_set>", "query": "what is 1?"}],
    ("PATCH", "/v1/texts/{text_id}"): [{"review": "accepted"}],
    ("POST", "/v1/datasets"): [{"name": "stolen", "job_ids": ["<job>"]}],
    ("POST", "/v1/datasets/preview"): [{"name": "stolen", "job_ids": ["<job>"]}],
    ("POST", "/v1/models/deploy"): [{"model_version_id": "<model_version>"}],
    ("PATCH", "/v1/webhooks/{webhook_id}"): [{"active": False}],
}
NAME_NOTHING = {
    ("POST", "/v1/imports"),
    ("POST", "/v1/keys"),
    ("POST", "/v1/webhooks"),
    ("POST", "/v1/models/rollback"),
}
"""Bodies in which no id has a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A client, and whom it speaks for."""

    client: TestClient
    own: dict[str, str]
    keys: dict[str, str]

    def ask(
        self, operation: Operation, who: str | None, ids: dict[str, str], body: Any = None, query: Any = None
    ) -> Any:
        """Call an operation with the parts of its path filled in."""
        method, path = operation
        named = {name: ids[noun] for name, noun in IN_PATHS.items()} | OTHERS_IN_PATHS
        headers = {"Prefer": "wait=0"} | ({"Authorization": f"Bearer {self.keys[who]}"} if who else {})
        content = None if body is None else filled(body, ids)
        query = query or NEEDED_QUERIES.get(operation)
        return self.client.request(method, path.format(**named), json=content, headers=headers, params=query)


def filled(body: Any, ids: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {name: filled(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, ids) for value in body]
    if isinstance(body, str) and (match := re.fullmatch(r"<(\w+)>", body)):
        return ids[match[1]]
    return body


def operations() -> list[tuple[Operation, dict[str, Any]]]:
    document = create_app(Settings()).openapi()
    return [
        ((method.upper(), path), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


OPERATIONS = operations()
GUARDED = [operation for operation, _ in OPERATIONS if operation[1] not in OPEN]
WITH_IDS = [operation for operation in GUARDED if "{" in operation[1]]


def written(operation: Operation) -> str:
    return " ".join(operation)


def nobody() -> dict[str, str]:
    """Ids that name nothing."""
    return {noun: str(uuid4()) for noun in (*IN_PATHS.values(), "finder", "label", "dataset_name")}


def told(response: Any, ids: dict[str, str]) -> tuple[int, Any]:
    """What a response says, without what differs between any two requests."""
    said = response.text
    for noun, value in ids.items():
        said = said.replace(value, f"<{noun}>")
    said = re.sub(r'"(request_id|instance)":\s*"[^"]*"', "", said)
    return response.status_code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d\d:\d\d:[\d.]+", "", said)
