"""Which models a server lists, and how each of them wants to be asked. Called by who opens a remote model; it sends nothing.

A model is known by its name or by the folder it was loaded from. What is not known is asked like a large model: any picture size,
full sentences.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import BadOutput, ModelMissing
from models.vlm.types import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """One entry of a server's list. `root` is where vLLM loaded it from; an adapter names its `parent`."""

    id: str
    root: str = ""
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to ask a model: its dialect, and the square its pictures are painted at (None: as they are)."""

    dialect: Dialect
    input_px: int | None


# Input sizes are those of the checkpoints: our own tower, and CLIP ViT-L/14-336 in all of LLaVA-1.5.
_KNOWN: tuple[tuple[re.Pattern[str], Manner], ...] = (
    (re.compile(r"^som-llava-tiny"), Manner(dialect="tiny", input_px=224)),
    (re.compile(r"llava-v?1\.5"), Manner(dialect="general", input_px=336)),
)
_UNKNOWN = Manner(dialect="general", input_px=None)


def served_models(body: dict[str, Any]) -> tuple[ServedModel, ...]:
    """Return the models of a `/v1/models` answer; raises BadOutput when it is none."""
    data = body.get("data")
    if not isinstance(data, list):
        raise BadOutput("the model server's list of models is not in the agreed form")
    found = []
    for item in data:
        if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"]:
            root, parent = item.get("root"), item.get("parent")
            found.append(
                ServedModel(
                    id=item["id"],
                    root=root if isinstance(root, str) else "",
                    parent=parent if isinstance(parent, str) else None,
                )
            )
    return tuple(found)


def find_served(models: Sequence[ServedModel], name: str | None) -> ServedModel:
    """Return the model called `name`, or without a name the first that is no adapter; raises ModelMissing.

    A name that is not listed is taken as it is: some servers route by names that they do not list.
    """
    if name is not None:
        return next((model for model in models if model.id == name), ServedModel(id=name))
    for model in models:
        if model.parent is None:
            return model
    raise ModelMissing("the model server lists no model; set MARKWISE_VLM_MODEL")


def manner_of(model: ServedModel) -> Manner:
    """Return how `model` wants to be asked, by its name or by the last part of where it was loaded from."""
    names = [text.rstrip("/").rpartition("/")[2].lower() for text in (model.id, model.root)]
    for pattern, manner in _KNOWN:
        if any(pattern.search(name) for name in names):
            return manner
    return _UNKNOWN
