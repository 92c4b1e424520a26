"""Answers in free words: `ask`, `list`, and a selection that is not constrained. Called by `models.grounding` only."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace

from models.grounding.composed import Composed
from models.grounding.live import LiveMentions
from models.grounding.scene import SHORTLIST, Scene
from models.grounding.types import DecidedBy, GroundResult, Label, Selected
from models.vlm.parse import Mention, find_mentions, parse_listing
from models.vlm.prompts import MAX_TEXT_CHARS, Task, build_prompt
from models.vlm.types import NONE, FinishReason, VlmReply, VlmRequest
from models.vlm.untrusted import quoted

_LINE_TOKENS = 24


def answer(scene: Scene, task: Task) -> GroundResult:
    """Ask the model once, or once per group of marks, and resolve what it says."""
    read = _read(scene, task)
    replies: list[VlmReply] = []
    for request in _requests(scene, task, read):
        with scene.timed("model"):
            replies.append(scene.backend.generate(request))
    scene.replies.extend(replies)
    text = "\n".join(reply.text for reply in replies)
    cut = any(reply.finish_reason == "length" for reply in replies)
    if read:
        return _listed(scene, read, text, decided_by="model" if replies else "text", cut=cut)
    return _resolve(scene, task, text, cut=cut)


def stream(scene: Scene, task: Task) -> Iterator[str | Mention | GroundResult]:
    """Yield the text's pieces as the model writes them, each mention once it is certain, then what `answer` returns."""
    if _read(scene, task):
        whole = answer(scene, task)
        yield whole.text
        yield from whole.mentions
        yield whole
        return
    live = LiveMentions(scene.marks if scene.request.tags else ())
    text, cut = "", False
    for request in _requests(scene, task, {}):
        if text:
            text += "\n"
            yield "\n"
        pieces = _trimmed(scene.backend.stream(request))
        while True:
            try:
                with scene.timed("model"):
                    piece = next(pieces)
            except StopIteration as end:
                reply: VlmReply = end.value
                break
            text += piece
            yield piece
            yield from live.settled(text)
        scene.replies.append(reply)
        cut = cut or reply.finish_reason == "length"
    result = _resolve(scene, task, text, cut=cut)
    yield from live.rest(result.mentions)
    yield result


def read_names(scene: Scene) -> dict[str, str]:
    """Return the marks whose region carries a recognised text or a role, with `button "Save"` and the like.

    A small model at 224 px cannot read a screenshot; what the recogniser read is listed as it is, and the model is asked
    about the rest.
    """
    names = {}
    for mark in scene.marks.values():
        parts = [mark.role or "", quoted(mark.text, MAX_TEXT_CHARS) if mark.text else ""]
        if any(parts):
            names[mark.id] = " ".join(part for part in parts if part)
    return names


def _read(scene: Scene, task: Task) -> dict[str, str]:
    return read_names(scene) if task == "list" and scene.small and scene.request.tags else {}


def _trimmed(pieces: Generator[str, None, VlmReply]) -> Generator[str, None, VlmReply]:
    """Pass pieces on without the blanks at the start and at the end of the whole, as `generate` gives it."""
    begun, held = False, ""
    while True:
        try:
            piece = held + next(pieces)
        except StopIteration as end:
            reply: VlmReply = end.value
            return reply
        piece = piece if begun else piece.lstrip()
        shown = piece.rstrip()
        held = piece[len(shown) :]
        if shown:
            begun = True
            yield shown


def _listed(scene: Scene, read: Mapping[str, str], text: str, *, decided_by: DecidedBy, cut: bool) -> GroundResult:
    """Return one listing in mark order of what was read and what the model wrote.

    A name that was read may hold "[3]" or "mark 99" as well: those are the page's words and name no mark of ours.
    """
    written = {item.mark: item.label for item in parse_listing(text, scene.marks)}
    names = written | dict(read)
    listed = [(mark_id, names[mark_id]) for mark_id in scene.marks if mark_id in names]
    composed = Composed()
    for mark_id, name in listed:
        composed.say("\n" if composed.text else "").name(mark_id).say(f". {name}")
    return scene.result(
        "list",
        composed.text,
        composed.marks,
        mentions=composed.mentions,
        labels=tuple(Label(mark=mark_id, label=name, confidence=None) for mark_id, name in listed),
        decided_by=decided_by,
        finish_reason="length" if cut else "stop",
    )


def _requests(scene: Scene, task: Task, read: Mapping[str, str]) -> Iterator[VlmRequest]:
    """Yield the model's requests. A listing of many marks is asked of a small model group by group."""
    request = scene.request
    if not request.tags:
        prompt = build_prompt(task, request.query, (), scene.backend.dialect, marked=False)
        yield scene.ask(prompt, scene.picture(()))
        return
    if task == "list":
        ids = tuple(mark_id for mark_id in scene.marks if mark_id not in read)
        size = SHORTLIST if scene.small else max(1, len(ids))
        groups = [ids[start : start + size] for start in range(0, len(ids), size)]
        max_tokens = max(request.max_tokens, _LINE_TOKENS * size)
    else:
        groups, max_tokens = [scene.shortlist(filled=True)], request.max_tokens
    for ids in groups:
        prompt = build_prompt(task, request.query, scene.rows(ids), scene.backend.dialect, marked=bool(ids))
        asked = scene.ask(prompt, scene.picture(ids), max_tokens=max_tokens)
        yield replace(asked, lines=tuple(ids)) if task == "list" else asked


def _resolve(scene: Scene, task: Task, text: str, *, cut: bool) -> GroundResult:
    selecting = task in ("refer", "act")
    with scene.timed("parse"):
        found = find_mentions(text if scene.request.tags else "", scene.marks, bare=selecting)
        labels = parse_listing(text, scene.marks) if task == "list" else ()
    selected = tuple(Selected(mark=mark, confidence=None) for mark in found.marks) if selecting else ()
    action = scene.action(selected[0].mark) if task == "act" and selected else None
    finish_reason: FinishReason = "length" if cut else "stop"
    return scene.result(
        task,
        text,
        found.marks,
        mentions=found.mentions,
        selected=selected,
        none_of_these=selecting and not selected and text.strip("[]. ").lower().startswith(NONE),
        unresolved=found.unresolved,
        labels=tuple(Label(mark=item.mark, label=item.label, confidence=None) for item in labels),
        action=action,
        finish_reason=finish_reason,
    )
