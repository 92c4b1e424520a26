"""Answers a question about a marked picture: the one orchestration that the worker, the web process and the command line share.

`ground` prepares what the model sees, asks it (or the ranker), and resolves every named mark. It knows no HTTP, no storage and no
particular model; importing it loads no torch.
"""

from collections.abc import Iterator

from models.errors import BadInput
from models.grounding import select as _select
from models.grounding import words as _words
from models.grounding.intent import asks_for_mark
from models.grounding.scene import Scene
from models.grounding.types import (
    TASKS,
    Action,
    Decide,
    DecidedBy,
    GroundRequest,
    GroundResult,
    Selected,
    Task,
)
from models.vlm.prompts import check_query
from models.vlm.types import VlmBackend

__all__ = [
    "TASKS",
    "Action",
    "Decide",
    "DecidedBy",
    "GroundRequest",
    "GroundResult",
    "Selected",
    "Task",
    "ground",
    "stream",
]


def ground(backend: VlmBackend, request: GroundRequest) -> GroundResult:
    """Answer `request` with `backend`.

    Raises BadInput (query, task, sizes), BackendDown (also when the deadline is over), BadOutput.
    """
    task = _check(request)
    scene = Scene(backend, request)
    return _select.select(scene, task) if _selects(scene, task) else _words.answer(scene, task)


def stream(backend: VlmBackend, request: GroundRequest) -> Iterator[str | GroundResult]:
    """Yield the answer's text in pieces and, last, the `GroundResult` whose `text` they make up. Raises like `ground`."""
    task = _check(request)
    scene = Scene(backend, request)
    if not _selects(scene, task):
        yield from _words.stream(scene, task)
        return
    result = _select.select(scene, task)
    yield result.text
    yield result


def _check(request: GroundRequest) -> Task:
    task = next((known for known in TASKS if known == request.task), None)
    if task is None:
        raise BadInput(f"the task {request.task[:32]!r} is not supported; supported are {', '.join(TASKS)}")
    if not request.tags and task != "ask":
        raise BadInput(f"the task {task!r} needs marks; only 'ask' can go without tags")
    check_query(request.query, optional=task == "list")
    return task


def _selects(scene: Scene, task: Task) -> bool:
    """Whether one of the existing marks (or none) is to be chosen, rather than words written.

    A small model is not trusted with the words of a free question that asks for a mark: choosing is exact, writing may
    invent. A large model writes.
    """
    request = scene.request
    if request.constrain is False:
        return False
    if task == "ask":
        return scene.small and request.tags and bool(scene.marks) and asks_for_mark(request.query)
    return task in ("refer", "act")
