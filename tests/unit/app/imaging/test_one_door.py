"""One decoder and one fetcher: no other module opens image bytes, or holds an HTTP client it has no reason for."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[4]
DECODERS = {"open": "Image", "imread": "cv2", "imdecode": "cv2"}
CLIENTS = {"httpx", "httpcore", "requests", "aiohttp", "urllib3"}

MAY_DECODE = {
    "app/imaging/decoder_child.py",  # untrusted bytes, in the limited child
    "app/imaging/encode.py",  # our own canonical copies
    "models/detector/augment.py",  # the trainer's own crop, just encoded, for its JPEG traces
    "models/detector/data.py",  # pages that the generator drew
    "models/evaluation/calibrate.py",  # the same, to be asked about
    "models/finder/examples.py",  # the trainer's own crop, just encoded, for its JPEG traces
    "models/icons/sheets.py",  # icons that the generator drew
    "models/pages/look.py",  # the same, to be looked at
    "models/training/encoder.py",  # the trainer's own data folder, written from canonical copies
}
MAY_CALL = {
    "app/imaging/fetch.py",  # URLs of strangers
    "app/services/readiness.py",  # the operator's model server
    "app/stack/serve.py",  # our own server
    "app/commands/client.py",  # our own server, from the command line
    "app/commands/demo.py",  # our own server
    "app/client/markwise/asynchronous.py",  # our server, from the caller's program
    "app/client/markwise/protocol.py",  # likewise
    "app/client/markwise/synchronous.py",  # likewise
    "models/vlm/connections.py",  # the operator's model server
    "models/weights.py",  # checkpoints by name, from addresses and with sums written down there
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in ("app", "workers", "models", "migrations"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_images_are_decoded_in_one_place() -> None:
    found = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and DECODERS.get(node.attr) == node.value.id
    }
    assert found - MAY_DECODE == set()
    assert {"app/imaging/decoder_child.py", "app/imaging/encode.py"} <= found


def test_strangers_urls_are_fetched_in_one_place() -> None:
    found = set()
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported = {node.module or ""}
            else:
                continue
            if any(
                other.partition(".")[0] in CLIENTS or other in {"urllib.request", "http.client"} for other in imported
            ):
                found.add(name)
    assert found - MAY_CALL == set()
    assert "app/imaging/fetch.py" in found
