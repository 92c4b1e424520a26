"""Runs questions against a model and keeps the answers in a file, a line each as soon as it is there.

A run that was cut off goes on where it ended: answered questions are not asked again, a torn last line is dropped.
Beside the answers lies what made them, so that a file never holds two models' answers. A question that fails is
reported and stays unanswered, which the scorer counts as missing; a model that is down ends the run.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import BackendDown, BadEvaluation, ModelError
from models.evaluation.runs.asking import Ask
from models.evaluation.runs.questions import AnyQuestion

_KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: questions answered in all, those of them already there before, and why others failed by key."""

    answered: int
    reused: int
    failed: Mapping[str, str] = field(default_factory=dict)


def run(
    questions: Sequence[AnyQuestion],
    ask: Ask,
    out: Path,
    *,
    settings: Mapping[str, Any],
    parallel: int = 1,
    told: Callable[[int], None] = lambda _answered: None,
) -> Outcome:
    """Answer what is not answered yet, `parallel` questions at a time, into `out` (JSON lines).

    `told` hears how many are answered. Raises BadEvaluation if `out` holds answers made under other `settings`, and
    BackendDown when the model is not there: the answers so far are kept.
    """
    known = _resume(out, settings)
    due = [question for question in questions if question.key not in known]
    reused = len(questions) - len(due)
    failed: dict[str, str] = {}
    answered = reused
    told(answered)
    with out.open("a", encoding="utf-8") as file:
        for question, outcome in asked(due, ask, parallel):
            if isinstance(outcome, ModelError):
                failed[question.key] = str(outcome)
                continue
            row = {**question.row, **outcome, "model_id": settings["model"], _KEY: question.key}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            answered += 1
            told(answered)
    return Outcome(answered=answered, reused=reused, failed=failed)


def asked(
    due: Sequence[AnyQuestion], ask: Ask, parallel: int
) -> Iterator[tuple[AnyQuestion, dict[str, Any] | ModelError]]:
    """Yield each question with its answer, or why there is none, as they come; never more than `parallel` are under way.

    Raises BackendDown when the model is not there.
    """
    with ThreadPoolExecutor(parallel, thread_name_prefix="evaluate") as pool:
        waiting: dict[Future[dict[str, Any]], AnyQuestion] = {}
        upcoming = iter(due)
        try:
            while True:
                while len(waiting) < parallel and (question := next(upcoming, None)) is not None:
                    waiting[pool.submit(ask, question)] = question
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield waiting.pop(future), _outcome(future)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _outcome(future: Future[dict[str, Any]]) -> dict[str, Any] | ModelError:
    try:
        return future.result()
    except BackendDown:
        raise
    except ModelError as exc:
        return exc


def _resume(out: Path, settings: Mapping[str, Any]) -> set[str]:
    """Return the keys that `out` answers, and write down what makes its answers; raises BadEvaluation on a mismatch."""
    note = out.with_name(out.name + ".run.json")
    if not out.exists() or not out.stat().st_size:
        out.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(dict(settings), indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return set()
    if not note.is_file():
        raise BadEvaluation(f"{out} was not written by a run: {note.name} is not beside it; choose another file")
    before = json.loads(note.read_text(encoding="utf-8"))
    other = sorted(name for name in {*before, *settings} if before.get(name) != settings.get(name))
    if other:
        raise BadEvaluation(f"{out} holds answers of another run ({', '.join(other)} differ); choose another file")
    return _keys(out)


def _keys(out: Path) -> set[str]:
    keys, good = set(), 0
    with out.open("rb") as file:
        for line in file:
            try:
                keys.add(json.loads(line)[_KEY])
            except (ValueError, KeyError):
                break
            if not line.endswith(b"\n"):
                break
            good += len(line)
    os.truncate(out, good)
    return keys if good else set()
