"""What an operation may refuse with, for the OpenAPI document: by what it takes, for every route refuses in the same words.

Used by `document`. The answers themselves are `problems`'; that they keep to this is drawn in tests/integration/app/test_any_request.py.
"""

from typing import Any

from pydantic import BaseModel, Field

OPEN = frozenset({"/healthz", "/readyz", "/metrics"})
"""What asks for no key."""
OPENAI = "/v1/chat/"
"""Where OpenAI's clients ask, who are refused in their own form."""


class Finding(BaseModel):
    """One thing that is wrong with a body."""

    pointer: str = Field(description="where, as a JSON pointer")
    message: str


class Problem(BaseModel):
    """A refusal (RFC 9457)."""

    type: str
    title: str = Field(description="the same for every refusal with this code")
    status: int
    code: str = Field(description="what a program goes by")
    instance: str
    request_id: str = Field(description="what the operator finds it by")
    detail: str | None = None
    errors: list[Finding] | None = None


class OpenAIFault(BaseModel):
    """What is wrong, as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(BaseModel):
    """A refusal under /v1/chat."""

    error: OpenAIFault


MEANINGS = {
    400: "The request cannot be read",
    401: "No valid key was given",
    403: "The key does not allow this",
    404: "There is no such thing",
    408: "The body did not come in time",
    409: "The present state does not allow this",
    413: "The body or the picture is too large",
    415: "The media type is not supported",
    422: "The request is well formed but cannot be carried out",
    429: "More requests of this key than its share; `Retry-After` says when to come back",
    502: "The model's answer could not be used",
    503: "A part of the service is not available; `Retry-After` says when to come back",
    504: "The answer was not ready in time",
    507: "The work does not fit in memory",
}


def expected(method: str, path: str, operation: dict[str, Any]) -> frozenset[int]:
    """Return the statuses that an operation of the document may refuse with."""
    if path in OPEN:
        return frozenset()
    found = {401, 403, 429, 503}
    if operation.get("parameters"):
        found |= {400, 404, 422}
    if method in {"post", "patch", "put"}:
        found |= {400, 404, 408, 409, 413, 415, 422, 502, 504, 507}
    if method == "delete":
        found |= {409}
    return frozenset(found)


def document(paths: dict[str, Any], reference: str) -> None:
    """Write the refusals into the `paths` of a document; `reference` is where its schemas lie."""
    for path, methods in paths.items():
        openai = path.startswith(OPENAI)
        model, media = ("OpenAIError", "application/json") if openai else ("Problem", "application/problem+json")
        content = {media: {"schema": {"$ref": reference.format(model=model)}}}
        for method, operation in methods.items():
            responses = operation["responses"]
            for status in sorted(expected(method, path, operation)):
                said = responses.get(str(status), {}).get("description")
                known = MEANINGS[status] if status == 422 or not said else said
                responses[str(status)] = {"description": known, "content": content}
