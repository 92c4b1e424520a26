"""Is a command right, as far as can be told without running it: its program, subcommand, options, files, routes.

What is told of `markwise` comes from its own parser, of `make` from the Makefile, of `curl` from the served OpenAPI document.
"""

import contextlib
import json
import re
import shlex
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import click
import yaml

from app.cli import main
from app.main import create_app
from app.settings import Settings
from tests.documents.blocks import ROOT

_ASSIGNED = re.compile(r"[A-Z][A-Z0-9_]*=")
_POSTS = {"--json", "-F", "-d", "--data"}


def statements(text: str) -> list[str]:
    """Split a block into its commands; one goes on over a backslash and inside quotes."""
    found, begun = [], ""
    for line in text.splitlines():
        begun = f"{begun}\n{line}" if begun else line
        if not begun.strip() or begun.lstrip().startswith("#"):
            begun = ""
        elif not begun.endswith("\\") and begun.count("'") % 2 == 0:
            found.append(begun)
            begun = ""
    assert not begun, f"a command has no end: {begun}"
    return found


def fault(command: str, *, whole: bool) -> str | None:
    """Return what is wrong with a command, None where nothing is.

    Without `whole` it stands in a sentence: arguments may be left out or be named, and of `a|b` the first is read.
    """
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    words = words if whole else [word.partition("|")[0] for word in words]
    while words and _ASSIGNED.match(words[0]):
        words.pop(0)
    if not words:
        return None
    program = words.pop(0).removeprefix(".venv/bin/")
    checks = {"markwise": _markwise, "make": _make, "python": _python, "curl": _curl, "docker": _compose}
    if program in {"export", "cd"}:
        return None
    if program not in checks:
        return f"nobody knows the program {program}"
    return checks[program](words, whole)


def _markwise(words: list[str], whole: bool) -> str | None:
    command: click.Command = main
    context = click.Context(main, info_name="markwise")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            return f"there is no `{words[0]}`"
        command, context = found, click.Context(found, parent=context, info_name=words.pop(0))
    if isinstance(command, click.Group) or "--help" in words:
        return None
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        try:
            given, _, _ = command.make_parser(context).parse_args(list(words))
            for each in command.params:
                _put(each.type, given.get(each.name or ""))
            command.make_context(command.name, list(words), parent=context.parent)
        except click.UsageError as wrong:
            return wrong.format_message() if whole or isinstance(wrong, click.NoSuchOption) else None
    return None


def _put(kind: click.ParamType, given: Any) -> None:
    """Put an empty file or folder where an option expects one."""
    if isinstance(given, list | tuple):
        for one in given:
            _put(kind, one)
    elif isinstance(kind, click.Path) and kind.exists and isinstance(given, str) and given:
        path = Path(given)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if kind.file_okay else path.mkdir(exist_ok=True)


def _make(words: list[str], _: bool) -> str | None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    missing = [word for word in words if "=" not in word and word not in known]
    return f"the Makefile has no {missing}" if missing else None


def _python(words: list[str], _: bool) -> str | None:
    if not words:
        return None
    if words[:1] == ["-m"]:
        place = ROOT.joinpath(*words[1].split("."))
        own = words[1].split(".")[0] in {"app", "workers", "models", "migrations", "tests"}
        known = place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()
        return f"there is no module {words[1]}" if own and not known else None
    source = ROOT / words[0]
    if not source.is_file():
        return f"there is no {words[0]}"
    text = source.read_text(encoding="utf-8")
    unknown = [word for word in words if word.startswith("--") and f'"{word}"' not in text]
    return f"{words[0]} has no {unknown}" if unknown else None


@cache
def openapi() -> dict[str, Any]:
    """The document that a service of this tree serves."""
    document: dict[str, Any] = create_app(Settings()).openapi()
    return document


def _curl(words: list[str], _: bool) -> str | None:
    method = "POST" if _POSTS & set(words) else "GET"
    if "-X" in words:
        method = words[words.index("-X") + 1]
    (url,) = [word for word in words if word.startswith(("$M", "http://127.0.0.1"))]
    path = re.sub(r"^(\$M|http://[^/]+)", "", url).partition("?")[0]
    path = "/v1/ground" if path == "/ground" else path  # served there, too
    for known, operations in openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", known), path) and method.lower() in operations:
            body = words[words.index("--json") + 1] if "--json" in words else None
            return None if body is None else _unknown_fields(json.loads(body), operations[method.lower()])
    return f"there is no {method} {path}"


def _unknown_fields(body: dict[str, Any], operation: dict[str, Any]) -> str | None:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    known = set(fields(schema))
    unknown = sorted(set(body) - known)
    return f"{operation['operationId']} takes no {unknown}" if unknown else None


def fields(schema: dict[str, Any]) -> dict[str, Any]:
    """The properties of an object's schema, wherever they are written."""
    if "$ref" in schema:
        return fields(openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    found = dict(schema.get("properties", {}))
    for each in [*schema.get("allOf", []), *schema.get("anyOf", []), *schema.get("oneOf", [])]:
        found |= fields(each)
    return found


def _compose(words: list[str], _: bool) -> str | None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    profiles = {name for service in services.values() for name in service.get("profiles", [])}
    if words.pop(0) != "compose":
        return "only `docker compose` is used"
    if words[:1] == ["--profile"] and words[1] not in profiles:
        return f"compose.yaml has no profile {words[1]}"
    if "run" in words:
        service, *inner = [word for word in words[words.index("run") + 1 :] if word != "--rm"]
        return fault(shlex.join(inner), whole=True) if service in services else f"compose.yaml has no {service}"
    return None
