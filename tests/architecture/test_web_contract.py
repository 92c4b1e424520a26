"""The web app against the OpenAPI document of this very service: it cannot drift from it.

Every address that the page names is served; every call has the operation's method, query and fields; and what a call says that it
reads is what the operation answers: each field is there, may be missing or null only where the page knows, and is of that type. The
page may read less than is served, and may know a string's values better than the document does.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tree_sitter import Node

from app.main import create_app
from app.settings import Settings
from tests.architecture.typescript import Ask, addresses, asks, callee, declared, parsed, split, text_of, walk

SOURCES = Path(__file__).resolve().parents[2] / "app" / "web" / "src"
FILES = {
    path.relative_to(SOURCES).as_posix(): parsed(path.read_bytes(), path.suffix)
    for path in sorted(SOURCES.rglob("*.ts*"))
}
DOCUMENT = create_app(Settings()).openapi()
SHARED = {name: node for file in ("api/types.ts", "api/learning.ts") for name, node in declared(FILES[file]).items()}
ASKED = [ask for file, root in FILES.items() for ask in asks(root, file)]

OF_NO_SCHEMA = {
    "FieldError": "a problem document: read with care, nothing in it is taken for granted",
    "JobEvent": "a stream",
    "Statistics": "the document leaves statistics, recipes and reports open",
    "TextsRule": "as above",
    "Part": "as above",
    "Mixture": "as above",
    "Interval": "as above",
    "Run": "as above",
    "Section": "as above",
    "GateFinding": "as above",
}
"""Types of the page that no schema spells out."""
RESULTS_OF_JOBS = {"Preview": "DatasetPreviewBody", "LookResult": "LookBody"}
"""They reach the page inside `job.result`, which the document leaves open."""
NO_CALLS = {"open": "the upload's XMLHttpRequest", "command": "a line of curl for people"}
"""Functions that are given an address and are not of `api/http.ts`."""


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema behind its reference."""
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def alternatives(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a value may be, one after the other: parts of a union, values of an enumeration."""
    schema = resolved(schema)
    if "anyOf" in schema or "oneOf" in schema:
        for one in schema.get("anyOf", schema.get("oneOf")):
            yield from alternatives(one)
    elif "enum" in schema:
        yield from ({"const": value} for value in schema["enum"])
    else:
        yield schema


def kind_of(schema: dict[str, Any]) -> str | None:
    """The JSON type of a schema without a union; None: any."""
    if "const" in schema:
        return {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}[
            type(schema["const"])
        ]
    return schema.get("type")


class Reader:
    """Compares types of one file with schemas."""

    def __init__(self, own: dict[str, Node]) -> None:
        self._known = SHARED | own

    def faults(self, node: Node, schema: dict[str, Any], at: str) -> Iterator[str]:
        """Why a value of the schema is not always one of the type."""
        for one in alternatives(schema):
            tried = [list(self._one(member, one, at)) for member in self._members(node)]
            if tried and all(tried):
                yield from min(tried, key=len)

    def _members(self, node: Node) -> Iterator[Node]:
        if node.type in {"union_type", "parenthesized_type"}:
            for child in node.named_children:
                yield from self._members(child)
        elif node.type == "type_identifier" and (found := self._known.get(text_of(node))) is not None:
            value = found.child_by_field_name("value")
            yield from [found] if value is None else self._members(value)
        else:
            yield node

    def _one(self, node: Node, schema: dict[str, Any], at: str) -> Iterator[str]:
        kind, said = kind_of(schema), text_of(node)
        if kind is None or said == "unknown":
            return
        if node.type == "predefined_type":
            if said not in {kind, "number" if kind == "integer" else kind}:
                yield f"{at} is {kind}, read as {said}"
        elif node.type == "literal_type":
            if said != ("null" if kind == "null" else f'"{schema["const"]}"' if "const" in schema else said):
                yield f"{at} may be {schema.get('const', kind)}, read as {said}"
            elif said == "null" and kind != "null":
                yield f"{at} is {kind}, read as null"
        elif node.type in {"array_type", "tuple_type"}:
            if kind != "array":
                yield f"{at} is {kind}, read as a list"
            else:
                for child in node.named_children:
                    yield from self.faults(child, schema.get("items", {}), f"{at}[]")
        elif kind != "object":
            yield f"{at} is {kind}, read as an object"
        else:
            yield from self._object(node, schema, at)

    def _object(self, node: Node, schema: dict[str, Any], at: str) -> Iterator[str]:
        if node.type == "intersection_type":
            for part in node.named_children:
                yield from self.faults(part, schema, at)
            return
        if node.type == "generic_type":
            name, given = text_of(node.named_children[0]), node.named_children[1].named_children
            if name == "Record":
                rest = schema.get("additionalProperties", {})
                yield from self.faults(given[1], rest if isinstance(rest, dict) else {}, f"{at}{{}}")
            elif name == "List":
                yield from self.faults(given[0], schema["properties"]["data"]["items"], f"{at}.data[]")
            else:
                raise AssertionError(f"{name}<> is not understood here")
            return
        fields = schema.get("properties")
        for parent in (one for one in node.named_children if one.type == "extends_type_clause"):
            for one in parent.named_children:
                yield from self.faults(one, schema, at)
        body = node.child_by_field_name("body") or node
        for one in (child for child in body.named_children if child.type == "property_signature"):
            if fields is not None:
                yield from self._property(one, schema, at)

    def _property(self, node: Node, schema: dict[str, Any], at: str) -> Iterator[str]:
        name = text_of(node.child_by_field_name("name"))
        optional = any(child.type == "?" for child in node.children)
        annotation = node.child_by_field_name("type")
        assert annotation is not None
        if name not in schema["properties"]:
            yield f"{at}.{name} is not served"
        elif name not in schema.get("required", ()) and not optional:
            yield f"{at}.{name} may be missing, read as always there"
        else:
            yield from self.faults(annotation.named_children[0], schema["properties"][name], f"{at}.{name}")


def fits(ours: str, served: str, *, loosely: bool) -> bool:
    """Whether an address of the page leads to a path; `loosely`: what is filled in may be a word of the path."""
    mine, theirs = ours.split("/"), served.split("/")
    if len(mine) != len(theirs):
        return False
    return all(
        a == b or (a == "{}" and (loosely or b.startswith("{"))) or (a != "{}" and _ends(a, b))
        for a, b in zip(mine, theirs, strict=True)
    )


def _ends(mine: str, theirs: str) -> bool:
    """`overlay.png` for `overlay.{extension}`; a word in the place of an id is none."""
    stem, brace, _ = theirs.partition("{")
    return bool(stem and brace) and mine.startswith(stem)


def operations(path: str, method: str | None = None) -> list[dict[str, Any]]:
    """What an address of the page reaches; the exact ones before those that a filled in word may name."""
    for loosely in (False, True):
        found = [
            operation
            for served, methods in DOCUMENT["paths"].items()
            if fits(path, served, loosely=loosely)
            for name, operation in methods.items()
            if method in (None, name)
        ]
        if found:
            return found
    return []


def answers(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """The JSON that an operation answers with when it goes well."""
    return [
        response["content"]["application/json"]["schema"]
        for status, response in operation["responses"].items()
        if status.startswith("2") and "application/json" in response.get("content", {})
    ]


def calls_with_addresses(root: Node) -> Iterator[Node]:
    """The calls of a file that are given an address."""
    for node, _ in addresses(root):
        given = node.parent
        if given is not None and given.type == "arguments" and given.parent is not None:
            yield given.parent


def read_wrong(ask: Ask) -> list[str]:
    """What a call takes for granted about its answer and the document does not promise."""
    if ask.reads is None:
        return []
    reader = Reader(declared(FILES[ask.where.rpartition(":")[0]]))
    tried = []
    for operation in operations(ask.path, ask.method):
        for schema in answers(operation):
            for one in alternatives(schema):
                body = one["properties"]["data"]["items"] if ask.rows else one
                tried.append(list(reader.faults(ask.reads, body, text_of(ask.reads))))
    if not tried:
        return ["nothing is answered"]
    return min(tried, key=len)


@pytest.mark.parametrize("file", FILES)
def test_every_call_with_an_address_is_understood(file: str) -> None:
    """Else a call by a new function would be compared with nothing."""
    known = {ask.where for ask in ASKED}
    calls = [(f"{file}:{call.start_point[0] + 1}", callee(call)) for call in calls_with_addresses(FILES[file])]
    assert [(where, name) for where, name in calls if where not in known and name not in NO_CALLS] == []


@pytest.mark.parametrize("file", FILES)
def test_every_address_is_served(file: str) -> None:
    named = [(f"{file}:{node.start_point[0] + 1}", split(address)[0]) for node, address in addresses(FILES[file])]
    assert [(where, path) for where, path in named if not operations(path)] == []


@pytest.mark.parametrize("ask", ASKED, ids=[f"{ask.method} {ask.path} {ask.where}" for ask in ASKED])
def test_a_call_is_what_the_operation_takes_and_answers(ask: Ask) -> None:
    reached = operations(ask.path, ask.method)
    assert reached, f"{ask.method.upper()} {ask.path} is not served"
    for operation in reached:
        assert ask.query <= {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        if ask.sends:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert ask.sends <= {name for one in alternatives(schema) for name in one.get("properties", ())}
    assert read_wrong(ask) == []


@pytest.mark.parametrize("name", RESULTS_OF_JOBS)
def test_a_result_of_a_job_is_what_the_document_shows(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][RESULTS_OF_JOBS[name]]
    assert list(Reader({}).faults(SHARED[name], schema, name)) == []


def test_every_type_of_the_api_is_compared() -> None:
    used: set[str] = set(RESULTS_OF_JOBS)
    for ask in ASKED:
        if ask.reads is not None:
            used |= {text_of(one) for one in walk(ask.reads) if one.type == "type_identifier"}
    waiting = list(used & set(SHARED))
    while waiting:
        inside = {text_of(one) for one in walk(SHARED[waiting.pop()]) if one.type == "type_identifier"} & set(SHARED)
        waiting += inside - used
        used |= inside
    assert set(SHARED) - used - set(OF_NO_SCHEMA) - {"List"} == set()


def test_drift_is_seen() -> None:
    """Each change of the document that would break the page has its fault, and a new field has none."""
    source = b'interface One { a: string; b: number | null; c?: boolean; d: ("x" | "y")[] }'
    mine = declared(parsed(source))["One"]
    served = {
        "type": "object",
        "properties": {
            "a": {"type": "string"},
            "b": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "c": {"type": "boolean"},
            "d": {"type": "array", "items": {"enum": ["x", "y"]}},
            "new": {"type": "string"},
        },
        "required": ["a", "b", "d"],
    }

    def after(**changes: Any) -> list[str]:
        changed = {**served, "properties": {**served["properties"], **changes}}
        return list(Reader({}).faults(mine, changed, "One"))

    assert after() == []
    assert after(a={"type": "integer"}) == ["One.a is integer, read as string"]
    assert after(a={"anyOf": [{"type": "string"}, {"type": "null"}]}) == ["One.a is null, read as string"]
    assert after(d={"type": "array", "items": {"enum": ["x", "z"]}}) == ['One.d[] may be z, read as "x"']
    assert after(d={"type": "string"}) == ["One.d is string, read as a list"]
    without = {**served, "properties": {name: one for name, one in served["properties"].items() if name != "a"}}
    assert list(Reader({}).faults(mine, without, "One")) == ["One.a is not served"]
    optional = {**served, "required": ["a", "d"]}
    assert list(Reader({}).faults(mine, optional, "One")) == ["One.b may be missing, read as always there"]
