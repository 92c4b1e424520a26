"""Reads the web app's TypeScript with tree-sitter: what it asks the API for, and what it declares about the answers.

For `test_web_contract.py`. Knows the functions of `app/web/src/api/http.ts` by name; knows nothing of what the API serves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

METHODS = {
    "get": "get",
    "glance": "get",
    "list": "get",
    "useGet": "get",
    "usePaged": "get",
    "picture": "get",
    "download": "get",
    "post": "post",
    "order": "post",
    "run": "post",
    "patch": "patch",
    "remove": "delete",
}
"""What a function of ours sends; `respond` is told."""
OF_LISTS = {"list", "usePaged"}
"""They name the type of a row and take a query beside the path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call that reaches the API. `path` has `{}` for what is filled in; `reads` is what it says that it gets."""

    where: str
    method: str
    path: str
    query: frozenset[str]
    sends: frozenset[str]
    reads: Node | None
    rows: bool


@cache
def _parser(ending: str) -> Parser:
    made = tree_sitter_typescript.language_tsx if ending == ".tsx" else tree_sitter_typescript.language_typescript
    return Parser(Language(made()))


def text_of(node: Node | None) -> str:
    """The source of a node; empty for none."""
    return "" if node is None or node.text is None else node.text.decode()


def parsed(source: bytes, ending: str = ".ts") -> Node:
    """The syntax of a file; raises AssertionError where it cannot be read."""
    root = _parser(ending).parse(source).root_node
    assert not root.has_error, source[:200]
    return root


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    for child in node.named_children:
        yield from walk(child)


def addresses(root: Node) -> Iterator[tuple[Node, str]]:
    """Every string of a file that begins with /v1/, with `{}` for what is filled in."""
    for node in walk(root):
        address = _address(node)
        if address is not None:
            yield node, address


def _address(node: Node | None) -> str | None:
    if node is None or node.type not in {"string", "template_string"}:
        return None
    parts = ["{}" if part.type == "template_substitution" else text_of(part) for part in node.named_children]
    address = "".join(parts)
    return address if address.startswith("/v1/") else None


def split(address: str) -> tuple[str, frozenset[str]]:
    """Path, and the names in the query."""
    path, _, query = address.partition("?")
    return path, frozenset(re.findall(r"(?:^|&)(\w+)=", query))


def _names(node: Node | None) -> frozenset[str]:
    """The fields of an object that is written out; empty for anything else."""
    if node is None or node.type != "object":
        return frozenset()
    fields = [one.child_by_field_name("key") if one.type == "pair" else one for one in node.named_children]
    return frozenset(
        text_of(field).strip('"')
        for field in fields
        if field is not None and field.type in {"property_identifier", "shorthand_property_identifier", "string"}
    )


def _field(node: Node | None, name: str) -> Node | None:
    pairs = [] if node is None else [one for one in node.named_children if one.type == "pair"]
    return next(
        (one.child_by_field_name("value") for one in pairs if text_of(one.child_by_field_name("key")) == name), None
    )


def asks(root: Node, where: str) -> Iterator[Ask]:
    """Every call of a file that names an address."""
    for node in walk(root):
        if node.type == "call_expression":
            name, given = callee(node), node.child_by_field_name("arguments")
            made = None if given is None else _ask(node, name, given.named_children, where)
            if made is not None:
                yield made


def callee(call: Node) -> str:
    """The name of the function that is called; the grammar takes `await f<T>()` for a call of `await f`."""
    return re.findall(r"\w*", text_of(call.child_by_field_name("function")))[-2]


def _ask(call: Node, name: str, given: list[Node], where: str) -> Ask | None:
    told = name == "respond" and len(given) > 1
    address = _address(given[1] if told else given[0] if given else None)
    if address is None or not (told or name in METHODS):
        return None
    path, query = split(address)
    second = given[1] if len(given) > 1 and not told else None
    types = call.child_by_field_name("type_arguments")
    return Ask(
        where=f"{where}:{call.start_point[0] + 1}",
        method=text_of(given[0]).strip('"').lower() if told else METHODS[name],
        path=path,
        query=query | (_names(second) if name in OF_LISTS else frozenset()),
        sends=_names(_field(given[2], "body") if told and len(given) > 2 else None if name in OF_LISTS else second),
        reads=None if types is None else types.named_children[0],
        rows=name in OF_LISTS,
    )


def declared(root: Node) -> dict[str, Node]:
    """The interfaces and type aliases of a file by name."""
    found = [node for node in walk(root) if node.type in {"interface_declaration", "type_alias_declaration"}]
    return {text_of(node.child_by_field_name("name")): node for node in found}
