"""The answer of the contract, built from what grounding found."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from app.catalog.marks import stored_mark
from app.formats.bodies import MarkBody, mark_body, time_text
from app.formats.lookalikes import warnings
from models.grounding import Action, GroundResult
from models.marks import Marking
from models.regions import Regions


def answer_body(
    *,
    answer_id: UUID,
    created_at: datetime,
    query: str,
    result: GroundResult,
    marking: Marking,
    regions: Regions,
    mark_set_id: UUID | None,
) -> dict[str, Any]:
    """Return the body of one answer; `marks` are the mentioned ones, resolved."""
    told = warnings(result.lookalikes, {mark.id: mark.bbox_xyxy_px for mark in marking.marks})
    return {
        "id": str(answer_id),
        "object": "answer",
        "task": result.task,
        "query": query,
        **_found(result),
        "marks": _named_marks(result, marking, regions, {warning["mark"] for warning in told}),
        "warnings": told,
        "mark_set_id": None if mark_set_id is None else str(mark_set_id),
        "model": {"name": result.model_name, "version": result.model_version},
        "usage": {
            "prompt_tokens": result.prompt_tokens,
            "completion_tokens": result.completion_tokens,
            "total_tokens": result.prompt_tokens + result.completion_tokens,
        },
        "timing_ms": dict(result.timing_ms),
        "created_at": time_text(created_at),
    }


def _named_marks(
    result: GroundResult, marking: Marking, regions: Regions, painted: Collection[str | None]
) -> list[MarkBody]:
    height, width = regions.size_hw
    named = {mark.id for mark in result.marks}
    return [
        mark_body(stored_mark(mark, regions), width=width, height=height, lookalike=mark.id in painted)
        for mark in marking.marks
        if mark.id in named
    ]


def _found(result: GroundResult) -> dict[str, Any]:
    """What was said, and which marks it is about."""
    return {
        "text": result.text,
        "mentions": [
            {"mark": mention.mark, "char_start": mention.char_start, "char_end": mention.char_end}
            for mention in result.mentions
        ],
        "selected": [{"mark": choice.mark, "confidence": choice.confidence} for choice in result.selected],
        "none_of_these": result.none_of_these,
        "none_confidence": result.none_confidence,
        "unresolved": list(result.unresolved),
        "labels": [{"mark": item.mark, "label": item.label, "confidence": item.confidence} for item in result.labels],
        "phrases": [
            {"char_start": phrase.char_start, "char_end": phrase.char_end, "marks": list(phrase.marks)}
            for phrase in result.phrases
        ],
        "correspondences": [{"mark": pair.mark, "target_mark": pair.target_mark} for pair in result.correspondences],
        "action": None if result.action is None else action_body(result.action),
        "decided_by": result.decided_by,
        "ignored": list(result.ignored),
        "finish_reason": result.finish_reason,
    }


def action_body(action: Action) -> dict[str, Any]:
    """What an agent can carry out."""
    return {
        "type": action.type,
        "mark": action.mark,
        "point_xy_px": list(action.point_xy_px),
        "point_xy_norm": list(action.point_xy_norm),
        "text": action.text,
        "openai": dict(action.openai),
        "anthropic": dict(action.anthropic),
        "steps": {"openai": list(action.openai_steps), "anthropic": list(action.anthropic_steps)},
    }
