"""Model versions: which one answers, deploying behind a gate, and rolling back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.model_versions import ANSWERING, ModelVersionRepository
from app.catalog.tables import ModelVersionRow
from app.errors import Unprocessable
from app.services import gate
from app.services.gate import Candidate, Compared, Rule

# The model that ships with Markwise; it answers while nothing else is deployed or configured.
BUILT_IN = "som-llava-tiny"


def candidate(row: ModelVersionRow | None, remote_name: str | None) -> Candidate:
    """A version under its name, or what answers without one: the server's model where there is a server, else the built-in."""
    return Candidate(name=f"{row.name}@{row.version}" if row else remote_name or BUILT_IN, version=row)


def pass_gate(
    session: Session, model_version_id: UUID | None, rules: Sequence[Rule], *, remote_name: str | None, force: bool
) -> list[Compared]:
    """Compare a version with what answers now; raises NotFound, and without `force` WorseModel and UnmeasuredModel."""
    versions = ModelVersionRepository(session)
    new = candidate(None if model_version_id is None else versions.get(model_version_id), remote_name)
    current = candidate(versions.deployed(), remote_name)
    try:
        compared = gate.compare(session, new, current, rules)
    except gate.UnmeasuredModel:
        if force:
            return []
        raise
    if not force:
        gate.check(compared)
    return compared


def deploy(session: Session, model_version_id: UUID | None) -> ModelVersionRow | None:
    """Make a version answer from now on (None: the built-in one); raises NotFound, and Unprocessable for a finder."""
    versions = ModelVersionRepository(session)
    if model_version_id is not None and versions.get(model_version_id).kind not in ANSWERING:
        raise Unprocessable(
            "This version finds tagged pictures and answers no questions; `POST /v1/findings` takes it."
        )
    versions.deploy(model_version_id)
    return versions.deployed()


def roll_back(session: Session) -> ModelVersionRow | None:
    """Return to what answered before; raises NotFound when nothing was deployed."""
    versions = ModelVersionRepository(session)
    versions.deploy(versions.previously_deployed())
    return versions.deployed()
