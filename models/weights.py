"""Weights as files: named, checksummed downloads into a cache folder, or a path; the only place that calls torch.load.

Segmenters ask `located` for a file and `state_of` for its tensors. A download goes on where it was cut, is checked against
its published SHA-256 before it gets its name, and shows a progress bar; a pickled `.pth` is read with weights_only=True and
kept as safetensors beside it. Fetch ahead with `python -m models.weights sam-vit-b --cache FOLDER`. Knows no settings: the
caller says what its own setting is called, and errors repeat it.
"""

import argparse
import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from models.errors import WeightsMissing
from models.published import PIN, PUBLISHED, Published
from models.segmenters.installed import DEFAULT_CACHE

if TYPE_CHECKING:
    from torch import Tensor

Report = Callable[[int, int], None]
"""Called with (bytes so far, bytes in all) as a download goes on."""

_CHUNK_BYTES = 1 << 20
_TRIES = 5


def located(given: str | None, *, setting: str, cache: Path, names: tuple[str, ...]) -> Path:
    """Return the file that `given` means: a path as it is, one of `names` from the cache or downloaded into it.

    `NAME@sha256:SUM` is a name with the sum that the operator trusts, which counts instead of the one known here.
    Raises WeightsMissing with a sentence that says what to set or which file to put where.
    """
    if not given:
        choice = ", ".join(names)
        sentence = f"no weights are configured: set {setting} to a file, or to a name to download: {choice}"
        raise WeightsMissing(sentence, setting=setting)
    name, _, trusted = given.partition(PIN)
    if name in names:
        return fetched(_trusted(name, trusted, setting), cache, setting=setting)
    path = Path(given).expanduser()
    if not path.is_file():
        sentence = f"{setting} names {given}, which is neither a file here nor one of {', '.join(names)}"
        raise WeightsMissing(sentence, setting=setting)
    return path


def fetched(published: Published, cache: Path, *, setting: str, report: Report | None = None) -> Path:
    """Return the verified file in `cache`, downloading what of it is missing; raises WeightsMissing when that fails."""
    target = _place(published, cache)
    if _is_there(target, published):
        return target
    cache.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    with _alone(partial):
        if _is_there(target, published):
            return target  # another process was faster
        try:
            size = published.size or _size_of(published.url)
            with _shown(published, size, report) as tell:
                _download(published, size, partial, tell)
        except (httpx.HTTPError, OSError) as error:
            raise WeightsMissing(
                f"{published.file} could not be downloaded ({type(error).__name__}). Without a network, put "
                f"{published.url} at {target.absolute()}{_bytes_of(published)}, or set {setting} to where you have it",
                setting=setting,
            ) from error
        if _sha256(partial) != published.sha256:
            partial.unlink()
            raise WeightsMissing(
                f"what came from {published.url} has another SHA-256 than {published.sha256} and was deleted",
                setting=setting,
            )
        return partial.rename(target)


def state_of(path: Path) -> "dict[str, Tensor]":
    """Return the tensors of a checkpoint file; raises WeightsMissing where it holds anything else.

    A pickled file is read without running what is in it, and its tensors are kept beside it as safetensors, which load
    by mapping: the next start reads those.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise WeightsMissing(f"{path.name} is no readable safetensors file") from error
    twin = path.with_suffix(f".{_sha256(path)[:12]}.safetensors")
    if twin.is_file():
        return state_of(twin)
    state = _unpickled(path)
    partial = twin.with_suffix(f".{os.getpid()}.partial")
    try:
        save_file(state, partial)
        partial.rename(twin)
    except (OSError, SafetensorError):
        partial.unlink(missing_ok=True)  # a read-only folder: it works, only slower
    return state


def _unpickled(path: Path) -> "dict[str, Tensor]":
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsMissing(f"{path.name} is no PyTorch file of plain tensors") from error
    for wrapper in ("model", "state_dict"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise WeightsMissing(f"{path.name} holds something else than named tensors")
    return {str(name): tensor.contiguous().clone() for name, tensor in state.items()}


def _trusted(name: str, trusted: str, setting: str) -> Published:
    """The published file under the operator's sum or the known one; raises WeightsMissing where there is neither."""
    published = PUBLISHED[name]
    if trusted and not re.fullmatch("[0-9a-f]{64}", trusted):
        raise WeightsMissing(f"{setting}: after {name}{PIN} come the 64 hex digits of a SHA-256", setting=setting)
    if trusted:
        return replace(published, sha256=trusted)
    if published.sha256 is None:
        raise WeightsMissing(
            f"no SHA-256 of {published.file} is known, and nothing is loaded unchecked: set {setting} to {name}{PIN}SUM with a "
            f"sum that you trust, or fetch {published.url} yourself and set {setting} to the file",
            setting=setting,
        )
    return published


def _place(published: Published, cache: Path) -> Path:
    """Where the verified file lies; where no size tells it from others, its sum stands in the name."""
    path = cache / published.file
    return path if published.size is not None else path.with_stem(f"{path.stem}-{str(published.sha256)[:12]}")


def _is_there(target: Path, published: Published) -> bool:
    """A file got its name after it was checked; its size is looked at where it is known."""
    return target.is_file() and published.size in (None, target.stat().st_size)


def _bytes_of(published: Published) -> str:
    return "" if published.size is None else f" ({published.size} bytes)"


def _size_of(url: str) -> int:
    """Ask the server how large a file is."""
    answer = httpx.head(url, follow_redirects=True, timeout=httpx.Timeout(30.0))
    answer.raise_for_status()
    size = int(answer.headers.get("Content-Length", 0))
    if size <= 0:
        raise httpx.RemoteProtocolError("the server does not say how large the file is")
    return size


def _download(published: Published, size: int, partial: Path, tell: Report) -> None:
    """Fill `partial` up to its full size, asking again for the rest when a connection is cut."""
    for left in reversed(range(_TRIES)):
        have = partial.stat().st_size if partial.exists() else 0
        if have > size:
            partial.unlink()
            have = 0
        if have == size:
            return
        try:
            _stream(published, size, partial, have, tell)
        except httpx.TransportError:
            # A connection that brought something is worth another; one that never stood is not.
            grown = partial.exists() and partial.stat().st_size > have
            if not left or not grown:
                raise
    if partial.stat().st_size != size:
        raise httpx.RemoteProtocolError("the server sent less than the file")


def _stream(published: Published, size: int, partial: Path, have: int, tell: Report) -> None:
    headers = {"Range": f"bytes={have}-"} if have else {}
    timeout = httpx.Timeout(30.0)
    with httpx.stream("GET", published.url, headers=headers, follow_redirects=True, timeout=timeout) as answer:
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        with partial.open("ab" if resumed else "wb") as out:
            for chunk in answer.iter_bytes(_CHUNK_BYTES):
                out.write(chunk)
                done += len(chunk)
                tell(done, size)
                if done > size:
                    return


@contextmanager
def _shown(published: Published, size: int, report: Report | None) -> Iterator[Report]:
    """Report to the caller, or draw a bar on the terminal."""
    if report is not None:
        yield report
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(published.file, total=size)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _alone(partial: Path) -> Iterator[None]:
    """Hold a lock beside the file: two workers must not write one download."""
    with partial.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def main() -> None:
    """Download named weights ahead of the first request."""
    parser = argparse.ArgumentParser(prog="models.weights", description="fetch published weights")
    parser.add_argument("name", help=f"one of {', '.join(PUBLISHED)}, or NAME{PIN}SUM")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    given = parser.parse_args()
    try:
        path = located(given.name, setting="the setting", cache=given.cache, names=tuple(PUBLISHED))
    except WeightsMissing as error:
        parser.exit(1, f"{error}\n")
    print(path)


if __name__ == "__main__":
    main()
