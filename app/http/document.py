"""The application whose OpenAPI document is whole: FastAPI's own, with the bodies that come in two spellings, which it cannot see.

Made once by `app.main`. Which body a route takes is said at the route, by `openapi_body`.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REFERENCE = "#/components/schemas/{model}"


class Documented(FastAPI):
    """FastAPI, knowing the schemas of `bodies` as well."""

    def __init__(self, bodies: Sequence[type[BaseModel]], **options: Any) -> None:
        super().__init__(**options)
        self._bodies = bodies

    def openapi(self) -> dict[str, Any]:
        """Return the document, made at the first call."""
        if self.openapi_schema is None:
            document = super().openapi()
            _, found = models_json_schema([(body, "validation") for body in self._bodies], ref_template=REFERENCE)
            schemas = document["components"]["schemas"]
            document["components"]["schemas"] = dict(sorted({**found.get("$defs", {}), **schemas}.items()))
        return super().openapi()
