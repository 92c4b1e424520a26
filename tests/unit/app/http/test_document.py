"""The OpenAPI document stands on its own: every reference leads somewhere."""

import re
from typing import Any

from app.main import create_app
from app.settings import Settings


def dangling(document: dict[str, Any]) -> set[str]:
    """The names of schemas that are referred to and not there."""
    named = set(re.findall(r"#/components/schemas/([\w.-]+)", str(document)))
    return named - set(document["components"]["schemas"])


def test_every_reference_leads_somewhere() -> None:
    document = create_app(Settings()).openapi()
    assert dangling(document) == set()
    assert {"GroundIn", "ImageIn", "ImportIn", "MarkSetIn"} <= set(document["components"]["schemas"])


def test_a_reference_that_leads_nowhere_is_found() -> None:
    assert dangling({"a": {"$ref": "#/components/schemas/Gone"}, "components": {"schemas": {}}}) == {"Gone"}


def test_every_operation_says_what_it_is_for() -> None:
    document = create_app(Settings()).openapi()
    silent = [
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not operation.get("description")
    ]
    assert silent == []
