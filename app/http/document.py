"""The application whose OpenAPI document is whole: FastAPI's own, with what it cannot see: bodies in two spellings, and refusals.

Made once by `app.main`. Which body a route takes is said at the route, by `openapi_body`.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.http import refusals

REFERENCE = "#/components/schemas/{model}"
FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")
"""FastAPI's form of a refusal, which no route of ours answers with."""


class Documented(FastAPI):
    """FastAPI, knowing the schemas of `bodies` as well."""

    def __init__(self, bodies: Sequence[type[BaseModel]], **options: Any) -> None:
        super().__init__(**options)
        self._bodies = bodies

    def openapi(self) -> dict[str, Any]:
        """Return the document, made at the first call."""
        if self.openapi_schema is None:
            document = super().openapi()
            whole: list[type[BaseModel]] = [*self._bodies, refusals.Problem, refusals.OpenAIError]
            _, found = models_json_schema([(body, "validation") for body in whole], ref_template=REFERENCE)
            refusals.document(document["paths"], REFERENCE)
            schemas = document["components"]["schemas"]
            for unused in FASTAPIS_OWN:
                schemas.pop(unused, None)
            document["components"]["schemas"] = dict(sorted({**found.get("$defs", {}), **schemas}.items()))
        return super().openapi()
