"""Which code does which kind of job, by dotted name, imported when the first job of the kind arrives.

A handler is `run(job: JobContext) -> dict | None`. Lazy, because a worker that only marks must not load torch's
training half, and nothing may touch a GPU before the pool has forked.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from workers.context import JobContext

Handler = Callable[[JobContext], dict[str, Any] | None]

HANDLERS: Mapping[str, str] = {
    "mark_set.create": "workers.marking:run",
    "answer.create": "workers.grounding:run",
    "annotation.create": "workers.annotating:run",
    "annotation.help": "workers.annotating:help_out",
    "import.create": "workers.importing:run",
    "dataset.build": "workers.mixing:run",
    "dataset.preview": "workers.mixing:preview",
    "training.run": "workers.training:run",
    "evaluation.run": "workers.evaluating:run",
    "look.create": "workers.looking:run",
    "finding.run": "workers.finding:run",
}
"""Kind of job -> `module:function`."""


class UnknownKind(Exception):
    """No handler is registered for this kind of job: an older worker met a newer order."""


def resolve(kind: str, registry: Mapping[str, str]) -> Handler:
    """Return the handler of a kind; raises UnknownKind."""
    name = registry.get(kind)
    if name is None:
        raise UnknownKind(kind)
    module, _, function = name.partition(":")
    handler: Handler = getattr(import_module(module), function)
    return handler
