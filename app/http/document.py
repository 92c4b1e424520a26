"""The OpenAPI document: FastAPI's own, with the bodies that come in two spellings, which it cannot see.

Called once by `app.main`. Which body a route takes is said at the route, by `openapi_body`.
"""

import re
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

REFERENCE = "#/components/schemas/{model}"


def complete(app: FastAPI, *bodies: type[BaseModel]) -> None:
    """Have the document of `app` hold the schemas of `bodies` too."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            _, found = models_json_schema([(body, "validation") for body in bodies], ref_template=REFERENCE)
            schemas = document["components"]["schemas"]
            document["components"]["schemas"] = dict(sorted({**found.get("$defs", {}), **schemas}.items()))
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI documents


def dangling(document: dict[str, Any]) -> set[str]:
    """Return the names of schemas that are referred to and not there."""
    named = set(re.findall(r"#/components/schemas/([\w.-]+)", str(document)))
    return named - set(document["components"]["schemas"])
