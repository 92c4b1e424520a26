"""Whatever is taken as free JSON is refused where it is nested more deeply than can be written again."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from app.http.schemas.chat import ChatIn
from app.http.schemas.datasets import ReviewIn
from app.http.schemas.evaluating import EvaluationIn
from app.http.schemas.free_form import MOST_LEVELS
from app.http.schemas.ground import GroundIn
from app.http.schemas.marksets import MarkSetIn

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
USER = {"role": "user", "content": [PICTURE, {"type": "text", "text": "Which mark is the logo?"}]}


def nested(levels: int) -> Any:
    """Objects and lists in turn, as the `children` of a tree are."""
    value: Any = {}
    for level in range(levels - 1):
        value = {"children": value} if level % 2 else [value]
    return value if isinstance(value, dict) else {"children": value[0]}


BODIES = {
    "tree": (GroundIn, lambda levels: {"query": "x", "marks": {"accessibility_tree": nested(levels)}}),
    "trees": (MarkSetIn, lambda levels: {"accessibility_tree": [nested(levels - 1)]}),
    "style": (MarkSetIn, lambda levels: {"style": nested(levels)}),
    "document": (MarkSetIn, lambda levels: {"regions": nested(levels)}),
    "conversation": (ReviewIn, lambda levels: {"review": "edited", "conversations": [nested(levels - 1)]}),
    "measured": (EvaluationIn, lambda levels: {"benchmark": "gui", "model": "m", "marks": [{"style": nested(levels)}]}),
    "chat": (ChatIn, lambda levels: {"model": "markwise", "messages": [USER], "markwise": {"marks": {"style": nested(levels)}}}),
}  # fmt: skip


@pytest.mark.parametrize("field", BODIES)
def test_what_is_accepted_can_be_written_and_what_is_deeper_is_refused(field: str) -> None:
    model, body = BODIES[field]
    accepted: BaseModel = model.model_validate(body(MOST_LEVELS))
    accepted.model_dump(mode="json")
    for levels in (MOST_LEVELS + 2, 5_000):
        with pytest.raises(ValidationError, match=f"nested more than {MOST_LEVELS} levels deep"):
            model.model_validate(body(levels))
