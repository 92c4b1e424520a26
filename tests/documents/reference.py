"""Writes docs/api.md from the OpenAPI document of this tree: python -m tests.documents.reference

Words and fields are the document's; the examples stand here, and are run where the commands of all documents are.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.documents.blocks import ROOT
from tests.documents.commands import fields, openapi

OUT = ROOT / "docs" / "api.md"
_WIDEST = 400
_LISTED = re.compile(r"ListBody_(\w+)_")

HEAD = """# API reference

Made by `make documents` from the OpenAPI document that the service serves (`/openapi.json`; `/docs` shows it, also offline). Examples are
run by a test in this order, `M=http://127.0.0.1:8000`; `IMAGE`, `SET`, `ANSWER`, `JOB`, `DATASET` are ids from earlier answers.

**Images** are taken as `{"type": "id", "id": ...}`, `{"type": "url", "url": ...}` or `{"type": "base64", "data": ...}`; `POST /v1/images`,
`/v1/marksets` and `/ground` also take multipart with `file`, other fields as form values, JSON where nested.
**Geometry** is in pixels of the image as it is displayed, origin top left, boxes half-open; names of fields say format and space.
**Lists** take `limit` and `after` and answer `{"data": [], "has_more": bool, "next_cursor": str | null}`.
**Waiting**: a POST that needs a worker waits up to 30 s (`Prefer: wait=N`, at most 120), then answers 202 with the job and `Location`;
`Prefer: respond-async` answers 202 at once. **Repeating**: `Idempotency-Key` on any POST; the same key and body replays the answer.
**Errors** are `application/problem+json` with `code`, `detail` and `request_id`, OpenAI's shape under `/v1/chat`. 401 and 403 ask for another key, 404 is the
same for what is missing and what is another tenant's, 409 and 412 for a look at the present state, 429 and 503 for patience (`Retry-After`).
**Keys** go into `Authorization: Bearer ...`; none is needed on loopback unless the operator says so. `/ground` is `/v1/ground`.
"""

EXAMPLES = {
    "ground": """
curl -F file=@screenshot.png -F query='Which mark is the search box?' $M/ground
curl --json '{"image":{"type":"id","id":"'$IMAGE'"},"task":"act","query":"Click Save",
  "marks":{"regions":[{"bbox_xyxy_px":[30,40,110,120],"text":"Save","role":"button"}]}}' $M/v1/ground
curl $M/v1/answers/$ANSWER
curl "$M/v1/answers?limit=2"
""",
    "images": """
curl -F file=@pictures/931.png -F 'labels=["reference"]' $M/v1/images
curl "$M/v1/images?label=reference&limit=10"
curl $M/v1/images/$IMAGE
curl $M/v1/images/$IMAGE/content -o upright.png
""",
    "marks": """
curl --json '{"image":{"type":"id","id":"'$IMAGE'"},"style":"som-llava",
  "regions":[{"id":"a","bbox_xyxy_px":[30,40,110,120],"text":"box"},{"id":"b","bbox_xyxy_px":[150,50,240,140],"text":"ball"}]}' $M/v1/marksets
curl "$M/v1/marksets/$SET?include=masks"
curl "$M/v1/marksets/$SET/overlay.webp?style=som" -o marked.webp
curl "$M/v1/marksets/$SET/export?format=coco" -o marks.json
""",
    "jobs": """
curl "$M/v1/jobs?limit=5"
""",
    "learning": """
curl --json '{"kind":"listing","images":{"ids":["'$IMAGE'"]},"mark_set_ids":["'$SET'"]}' $M/v1/annotations
curl $M/v1/jobs/$JOB/items
curl "$M/v1/texts?job_id=$JOB"
curl --json '{"name":"reference","job_ids":["'$JOB'"]}' $M/v1/datasets
curl "$M/v1/datasets/$DATASET/export?format=llava" -o reference.json
""",
    "models": """
curl $M/v1/models
curl $M/v1/models/som-llava-tiny
""",
    "health": """
curl $M/healthz
curl $M/readyz
curl $M/metrics
""",
}
ORDER = ("images", "marks", "ground", "chat", "jobs", "learning", "models", "keys", "webhooks", "health")


def operations() -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """Every operation as (method, path, operation), by tag."""
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in openapi()["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation.get("tags", ["other"])[0], []).append((method.upper(), path, operation))
    return found


def reference() -> str:
    """The whole page."""
    by_tag = operations()
    parts = [HEAD]
    for tag in sorted(by_tag, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER)):
        parts.append(f"## {tag.capitalize()}\n")
        if tag in EXAMPLES:
            parts.append(f"```bash {tag}\n{EXAMPLES[tag].strip()}\n```\n")
        parts.extend(_operation(*each) for each in by_tag[tag])
    parts.append("## Bodies\n\nWhat goes in (`...In`) and what comes back (`...Body`).\n")
    parts.extend(_body(name) for name in _nested(by_tag))
    return "\n".join(parts)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [f"### {method} {path}", "", _prose(operation.get("description") or operation["summary"]), ""]
    asked = [(each["name"], each["schema"], each.get("description")) for each in operation.get("parameters", [])]
    asked = [row for row in asked if f"{{{row[0]}}}" not in path and row[0] not in {"limit", "after"}]
    if asked:
        lines += ["| parameter | |", "|---|---|", *(_row(*each) for each in asked), ""]
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        given = fields(content["application/json"]["schema"])
        lines += [
            "| field | |",
            "|---|---|",
            *(_row(name, of, of.get("description")) for name, of in given.items()),
            "",
        ]
    told = [
        f"{status} {_type(_schema(answer))}" for status, answer in operation["responses"].items() if status[0] == "2"
    ]
    return "\n".join([*lines, f"Answers {', '.join(told)}.", ""])


def _schema(answer: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = answer.get("content", {})
    return next((each.get("schema", {}) for each in content.values()), {})


def _row(name: str, schema: dict[str, Any], told: str | None) -> str:
    default = f", default `{schema['default']}`" if schema.get("default") not in (None, [], {}, "") else ""
    return f"| `{name}` | {_type(schema)}{default}{': ' + _prose(told) if told else ''} |"


def _prose(text: str) -> str:
    """One line of a description, cut where it becomes a treatise: `/docs` has it whole."""
    line = " ".join(text.split()).replace("|", "\\|")
    return line if len(line) <= _WIDEST else line[:_WIDEST].rsplit(" ", 1)[0] + " ..."


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if "enum" in schema or "const" in schema:
        return " \\| ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if several:
        return " or ".join(dict.fromkeys(_type(each) for each in several if each.get("type") != "null")) or "null"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}" if schema.get("items") else "list"
    return str(schema.get("format") or schema.get("type") or "bytes")


def _link(name: str) -> str:
    listed = _LISTED.fullmatch(name)
    return f"page of {_link(listed[1])}" if listed else f"[{name}](#{name.lower()})"


def _nested(by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]]) -> list[str]:
    """Names of the schemas inside requests and answers, and inside one another."""
    schemas = openapi()["components"]["schemas"]
    waiting: list[str] = []
    for _, _, operation in (each for several in by_tag.values() for each in several):
        asked = operation.get("requestBody", {}).get("content", {}).get("application/json")
        waiting += [] if asked is None else _named(list(fields(asked["schema"]).values()))
        for status, answer in operation["responses"].items():
            waiting += _named(_schema(answer)) if status[0] == "2" else []
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += _named(schemas[name])
    return sorted(name for name in found if not _LISTED.fullmatch(name))


def _named(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        yield from _each(schema.values())
    elif isinstance(schema, list):
        yield from _each(schema)


def _each(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from _named(value)


def _body(name: str) -> str:
    schema = openapi()["components"]["schemas"][name]
    rows = [_row(field, of, of.get("description")) for field, of in fields(schema).items()]
    told = _prose(schema.get("description") or "")
    return "\n".join([f"### {name}", "", told, "", *(["| field | |", "|---|---|", *rows, ""] if rows else [])])


def told_routes(text: str) -> set[tuple[str, str]]:
    """The routes that a page has headings for."""
    return {(found[1], found[2]) for found in re.finditer(r"^### ([A-Z]+) (/\S*)$", text, re.MULTILINE)}


def told_fields(text: str) -> dict[str, set[str]]:
    """The fields that a page names under each heading."""
    parts = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: set(re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)) for part in parts}


def main() -> None:
    """Write the page."""
    OUT.write_text(reference().rstrip() + "\n", encoding="utf-8")
    print(f"{OUT.relative_to(ROOT)}: {len(told_routes(OUT.read_text(encoding='utf-8')))} routes")


if __name__ == "__main__":
    main()
