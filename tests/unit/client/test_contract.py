"""The client against the OpenAPI document of this very service: it cannot drift from it.

Every route that answers JSON has a typed call or a reason for having none; every call's path, parameters and body are the route's; every
type has the fields of its schema and their types, no more and no less.
"""

import inspect
import re
from typing import Any, get_args, get_origin, get_type_hints

import jsonschema_rs
import pytest

from app.main import create_app
from app.settings import Settings
from markwise import AsyncClient, Client, administration, grounding, learning, types
from markwise.call import Call, Listed
from markwise.methods import Methods
from tests.unit.client.every_call import EVERY_CALL

DOCUMENT = create_app(Settings()).openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}

LEFT_OUT = {
    "POST /v1/chat/completions": "OpenAI's own client calls it",
    "GET /healthz": "for load balancers",
    "GET /readyz": "for load balancers",
    "GET /metrics": "for Prometheus",
}
METHODS_OF_THEIR_OWN = {
    "GET /v1/jobs/{job_id}/events": "a stream: `job_events` of the clients",
    "GET /v1/datasets/{dataset_id}/export": "a file of any size: `export_dataset` of the clients",
}
FILES = {
    "GET /v1/marksets/{mark_set_id}/export": "another tool's format, of which the document says nothing",
}
"""Routes that answer JSON, and are read as bytes."""

LEFT_PARAMETERS = {
    ("GET /v1/images", "include"): "a total is for a page that shows one",
}
LEFT_FIELDS = {
    ("POST /v1/ground", "stream"): "`ground_stream` of the clients",
    ("POST /v1/ground", "mark_set_id"): "comes of a mark set in the place of the image",
}
ONE_OF_SEVERAL = {"POST /v1/marksets/{mark_set_id}/revisions": "its body is one of four, given whole"}
OTHER_NAMES = {
    "WarningBody": types.Caution,
    "PointBody": types.CurvePoint,
    "SegmenterOfMarkSet": types.Segmenter,
    "AuditBody": types.AuditEntry,
}


def of_call(name: str) -> Call[Any]:
    made = EVERY_CALL[name]()
    return made.page("7") if isinstance(made, Listed) else made


def operation_of(call: Call[Any]) -> str:
    """The operation that a call's path belongs to."""
    for name in OPERATIONS:
        method, _, path = name.partition(" ")
        if call.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), call.path):
            return name
    raise AssertionError(f"{call.method} {call.path} is not in the document")


def maker(name: str) -> Any:
    return next(found for module in (grounding, learning, administration) if (found := getattr(module, name, None)))


def returned(name: str) -> Any:
    """What a call reads, or what the elements of its list are."""
    return get_args(get_type_hints(maker(name))["return"])[0]


REACHED = {name: operation_of(of_call(name)) for name in EVERY_CALL}


def answer_of(operation: str) -> dict[str, Any] | None:
    """The schema of the JSON that an operation answers with; None where it answers with something else or nothing."""
    for status, response in OPERATIONS[operation]["responses"].items():
        if status.startswith("2"):
            return response.get("content", {}).get("application/json", {}).get("schema")
    raise AssertionError(operation)


def shape(schema: dict[str, Any]) -> Any:
    """What a schema allows, without titles, bounds and choices: a name of JSON's types, `[shape]`, `{"": shape}` or `-> name of a body`."""
    if "$ref" in schema:
        return f"-> {named(schema['$ref'])}"
    if several := schema.get("anyOf", schema.get("oneOf")):
        found = sorted({str(shape(each)) for each in several})
        return found[0] if len(found) == 1 else " or ".join(found)
    if "const" in schema or "enum" in schema:
        return "string"
    if schema.get("type") == "array":
        inside = schema.get("prefixItems") or [schema.get("items", {})]
        return sorted({str(shape(each)) for each in inside})
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return {"": shape(schema["additionalProperties"])}
    return schema.get("type", "any")


def named(reference: str) -> str:
    """The client's name of a schema of either side."""
    name = reference.rpartition("/")[2]
    return OTHER_NAMES[name].__name__ if name in OTHER_NAMES else name.removesuffix("Body")


def or_null(allowed: Any) -> str:
    return " or ".join(sorted({"null", *str(allowed).split(" or ")}))


def elements(schema: dict[str, Any]) -> Any:
    """The shape of what a list holds, a page, `{"data": [...]}` or an evaluation with its items; None for what is no list."""
    if "additionalProperties" in schema:
        return shape(schema["additionalProperties"]["items"])
    fields = SCHEMAS[schema["$ref"].rpartition("/")[2]]["properties"]
    inside = fields.get("items") or fields.get("data")
    return None if inside is None else shape(inside["items"])


def bodies() -> set[str]:
    """Every schema inside the answers that calls read, but those that are only pages."""
    waiting = [schema for operation in REACHED.values() if (schema := answer_of(operation))]
    found: set[str] = set()
    while waiting:
        for reference in re.findall(r"#/components/schemas/(\w+)", str(waiting.pop())):
            if reference not in found:
                found.add(reference)
                waiting.append(SCHEMAS[reference])
    return {name for name in found if "has_more" not in SCHEMAS[name]["properties"]}


BODIES = sorted(bodies())


def test_every_call_is_tried_here_and_is_a_method_of_both_clients() -> None:
    public = {
        name
        for module in (grounding, learning, administration)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    assert public == set(EVERY_CALL)
    assert public == {name for name in vars(Methods) if not name.startswith("_")}
    for name in public:
        listed = get_origin(get_type_hints(maker(name))["return"]) is Listed
        assert type(vars(Methods)[name]).__name__ == ("Paged" if listed else "Sent")
        for client in (Client, AsyncClient):
            method = getattr(client, name)
            assert (method.__name__, method.__doc__) == (name, maker(name).__doc__)
            assert list(inspect.signature(method).parameters)[1:] == list(inspect.signature(maker(name)).parameters)


def test_both_clients_have_the_same_methods() -> None:
    def own(client: type) -> dict[str, str]:
        found = {name: value for name, value in vars(client).items() if inspect.isfunction(value)}
        return {
            name.replace("__a", "__"): str(inspect.signature(value)).partition("->")[0].replace("Async", "")
            for name, value in found.items()
        }

    assert own(Client) == own(AsyncClient)


def test_every_operation_has_a_call_or_a_reason() -> None:
    assert set(OPERATIONS) == set(REACHED.values()) | set(METHODS_OF_THEIR_OWN) | set(LEFT_OUT)


def test_every_route_that_answers_json_is_read_as_a_type() -> None:
    typed = {operation for name, operation in REACHED.items() if returned(name) is not bytes}
    answers_json = {name for name in OPERATIONS if answer_of(name) is not None}
    assert answers_json - typed == (answers_json & {*LEFT_OUT, *METHODS_OF_THEIR_OWN}) | set(FILES)


@pytest.mark.parametrize("name", EVERY_CALL)
def test_a_call_says_what_the_operation_takes(name: str) -> None:
    call = of_call(name)
    operation = OPERATIONS[REACHED[name]]
    known = {each["name"]: each["schema"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    assert set(call.params) <= set(known)
    for parameter, value in call.params.items():
        # A query says everything in letters; numbers are sent as they are written.
        written = int(value) if "integer" in str(known[parameter]) else value
        listed = [written] if "array" in str(known[parameter]) and not isinstance(written, list) else written
        jsonschema_rs.Draft202012Validator(known[parameter]).validate(listed)
    assert (call.body is not None) <= ("requestBody" in operation)
    if call.body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(call.body)


@pytest.mark.parametrize("operation", sorted(set(REACHED.values())))
def test_nothing_that_an_operation_takes_is_out_of_reach(operation: str) -> None:
    names = [name for name, reached in REACHED.items() if reached == operation]
    asked = {each["name"] for each in OPERATIONS[operation].get("parameters", ()) if each["in"] == "query"}
    if any(isinstance(EVERY_CALL[name](), Listed) for name in names):
        asked -= {"limit", "after"}
    sent = {parameter for name in names for parameter in of_call(name).params}
    assert asked - sent == {parameter for route, parameter in LEFT_PARAMETERS if route == operation}
    told = {field for name in names for field in of_call(name).body or ()}
    takes_any = any(inspect.getfullargspec(maker(name)).varkw for name in names)
    if told and not takes_any and operation not in ONE_OF_SEVERAL:
        assert fields_of(operation) - told == {field for route, field in LEFT_FIELDS if route == operation}


def fields_of(operation: str) -> set[str]:
    """The fields of a body."""
    schema = OPERATIONS[operation]["requestBody"]["content"]["application/json"]["schema"]
    return set((SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema)["properties"])


@pytest.mark.parametrize("schema", BODIES)
def test_a_type_has_the_fields_of_its_schema(schema: str) -> None:
    served, ours = SCHEMAS[schema], getattr(types, named(schema))
    written = ours.model_json_schema(mode="serialization", ref_template="#/{model}")
    assert set(served["properties"]) == set(ours.model_fields)
    required = {name for name, field in ours.model_fields.items() if field.is_required()}
    assert required == set(served.get("required", ()))
    for name in ours.model_fields:
        allowed = shape(served["properties"][name])
        # What may be missing there is None here.
        assert shape(written["properties"][name]) == (allowed if name in required else or_null(allowed)), name


def test_every_type_is_a_body_of_the_service() -> None:
    ours = {
        name
        for name in types.__all__
        if inspect.isclass(getattr(types, name)) and issubclass(getattr(types, name), types.Body)
    }
    assert ours - {named(schema) for schema in BODIES} == {"Body", "Page", "Whole", "Event"}


@pytest.mark.parametrize("name", EVERY_CALL)
def test_what_a_call_reads_is_what_the_operation_answers(name: str) -> None:
    of, answer = returned(name), answer_of(REACHED[name])
    if of is bytes:
        return  # a file
    if of is type(None):
        assert answer is None
        return
    assert answer is not None
    if get_origin(get_type_hints(maker(name))["return"]) is Listed:
        assert elements(answer) == f"-> {of.__name__}"
    elif get_origin(of) is list:
        assert f"-> {get_args(of)[0].__name__}" in map(elements, answer.get("anyOf", [answer]))
    else:
        assert f"-> {of.__name__}" in map(shape, answer.get("anyOf", [answer]))
