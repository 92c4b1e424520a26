"""look.create: where a model looks in a marked picture while it reads a question, or the words of an answer.

The weights come back as numbers; whoever asked lays them over the picture. Only a model whose weights are here can be looked into.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.model_versions import ModelVersionRepository
from app.services.models import BUILT_IN
from models.marks import paint_marking_for_model
from workers.context import JobContext
from workers.marking import stored_marks

DIGITS = 6


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `look.create` job."""
    from models.evaluation.attention import AttentionProbe

    asked = job.payload["look"]
    with job.transaction() as session:
        name = asked["model"] or _deployed(session)
        folder, _ = job.resources.models.base_folder(session, name)
    marked = stored_marks(job, UUID(asked["mark_set_id"]))
    probe = AttentionProbe(folder)
    pixels = marked.pixels
    if asked["tags"]:
        pixels = paint_marking_for_model(pixels, marked.regions, marked.marking, probe.input_px)
    look = probe.look(
        pixels, asked["query"], **{key: asked[key] for key in ("answer", "words", "only", "layers", "heads")}
    )
    found = {"model": name, "words": list(look.words), "weights": look.weights.round(DIGITS).tolist()}
    return {"look": {"mark_set_id": asked["mark_set_id"], **found}}


def _deployed(session: Session) -> str:
    version = ModelVersionRepository(session).deployed()
    return BUILT_IN if version is None else f"{version.name}@{version.version}"
