"""Answers a question about a marked picture: the one orchestration that the worker, the web process and the command line share.

`ground` prepares what the model sees, asks it (or the ranker), and resolves every named mark. It knows no HTTP, no storage and no
particular model; importing it loads no torch.
"""

from collections.abc import Iterator

from models.errors import BadInput
from models.grounding import classify as _classify
from models.grounding import correspond as _correspond
from models.grounding import phrases as _phrases
from models.grounding import select as _select
from models.grounding import words as _words
from models.grounding.intent import asks_for_mark
from models.grounding.query_marks import asks_beside_mark
from models.grounding.scene import Scene
from models.grounding.types import (
    NEED_NO_QUERY,
    TASKS,
    Action,
    Caption,
    Captions,
    Correspondence,
    Decide,
    DecidedBy,
    GroundRequest,
    GroundResult,
    Label,
    MarkedPicture,
    Phrase,
    Selected,
    Task,
    Turn,
)
from models.vlm.parse import Mention
from models.vlm.prompts import check_query
from models.vlm.types import VlmBackend

__all__ = [
    "NEED_NO_QUERY",
    "TASKS",
    "Action",
    "Caption",
    "Captions",
    "Correspondence",
    "Decide",
    "DecidedBy",
    "GroundRequest",
    "GroundResult",
    "Label",
    "MarkedPicture",
    "Mention",
    "Phrase",
    "Selected",
    "Task",
    "Turn",
    "ground",
    "stream",
]

MAX_CONVERSATION_CHARS = 8_000
"""Of instructions and earlier turns together: 2,000 tokens of the 4,096 that LLaVA-1.5 reads, beside picture and table."""


def ground(backend: VlmBackend, request: GroundRequest) -> GroundResult:
    """Answer `request` with `backend`.

    Raises BadInput (query, task, choices, sizes), BackendDown, OutOfTime when the deadline is over, BadOutput.
    """
    task, scene = _check(request), Scene(backend, request)
    _check_conversation(scene)
    with scene.in_time():
        return _whole(scene, task)


def stream(backend: VlmBackend, request: GroundRequest) -> Iterator[str | Mention | GroundResult]:
    """Yield the answer's text in pieces, each mention as soon as it is certain and, last, the result that `ground` returns.

    The pieces make up the result's `text`, the mentions are its mentions. Raises like `ground`. Closing the iterator stops the
    model at its next piece.
    """
    task, scene = _check(request), Scene(backend, request)
    _check_conversation(scene)
    with scene.in_time():
        if task in ("ask", "list", "refer", "act") and not _selects(scene, task):
            yield from _words.stream(scene, task)
            return
        if task == "classify":
            yield from _classify.stream(scene)
            return
        result = _whole(scene, task)
        yield result.text
        yield from result.mentions
        yield result


def _whole(scene: Scene, task: Task) -> GroundResult:
    match task:
        case "classify":
            return _classify.classify(scene)
        case "phrases":
            return _phrases.phrases(scene)
        case "correspond":
            return _correspond.correspond(scene)
        case _:
            return _select.select(scene, task) if _selects(scene, task) else _words.answer(scene, task)


def _check(request: GroundRequest) -> Task:
    task = next((known for known in TASKS if known == request.task), None)
    if task is None:
        raise BadInput(f"the task {request.task[:32]!r} is not supported; supported are {', '.join(TASKS)}")
    if not request.tags and task != "ask":
        raise BadInput(f"the task {task!r} needs marks; only 'ask' can go without tags")
    check_query(request.query, optional=task in NEED_NO_QUERY)
    return task


def _check_conversation(scene: Scene) -> None:
    """Refuse what cannot be shown in full: nothing of a conversation is dropped in silence."""
    request = scene.request
    if request.earlier and scene.small:
        raise BadInput(
            "this model was taught single questions: it cannot follow a conversation; send the last question alone"
        )
    length = len(request.instructions) + sum(len(turn.text) for turn in request.earlier)
    if length > MAX_CONVERSATION_CHARS:
        raise BadInput(f"the conversation has {length} characters; at most {MAX_CONVERSATION_CHARS} are accepted")


def _selects(scene: Scene, task: Task) -> bool:
    """Whether existing marks (or none) are to be chosen, rather than words written.

    A small model is not trusted with the words of a free question that asks for a mark: choosing is exact, writing may
    invent. A large model writes.
    """
    request = scene.request
    if request.constrain is False:
        return False
    if task == "ask":
        asks = asks_for_mark(request.query) or asks_beside_mark(request.query, scene.marks)
        return scene.small and request.tags and bool(scene.marks) and asks
    return task in ("refer", "act")
