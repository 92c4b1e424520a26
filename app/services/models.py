"""Model versions: which one answers, deploying and rolling back."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.model_versions import ModelVersionRepository
from app.catalog.tables import ModelVersionRow

# The model that ships with Markwise; it answers while nothing else is deployed or configured.
BUILT_IN = "som-llava-tiny"


def deploy(session: Session, model_version_id: UUID | None) -> ModelVersionRow | None:
    """Make a version answer from now on (None: the built-in one); raises NotFound."""
    versions = ModelVersionRepository(session)
    versions.deploy(model_version_id)
    return versions.deployed()


def roll_back(session: Session) -> ModelVersionRow | None:
    """Return to what answered before; raises NotFound when nothing was deployed."""
    versions = ModelVersionRepository(session)
    versions.deploy(versions.previously_deployed())
    return versions.deployed()
