"""/v1/models: which model versions there are, which one answers, deploying and rolling back. /v1/keys beside it."""

from uuid import UUID

from fastapi import APIRouter
from typing_extensions import TypedDict

from app.catalog.keys import KeyRepository
from app.catalog.model_versions import ModelVersionRepository
from app.formats.bodies import KeyBody, ModelVersionBody, key_body, model_version_body
from app.http.deps import AdminCaller, AnyCaller, PageOf, Tx, WebPart
from app.http.lists import ListBody, list_body
from app.http.schemas.learning import DeployIn, KeyIn
from app.services import keys, models

router = APIRouter(tags=["models"])


class DeploymentBody(TypedDict):
    """What answers now; `model_version` is null while the built-in model does."""

    object: str
    name: str
    model_version: ModelVersionBody | None


@router.get("/v1/models")
def list_models(tx: Tx, _: AnyCaller, page: PageOf) -> ListBody[ModelVersionBody]:
    """List model versions, newest first."""
    versions = ModelVersionRepository(tx)
    deployed = versions.deployed()
    deployed_id = None if deployed is None else deployed.id
    rows = versions.list_after(limit=page.limit, after=page.after)
    return list_body(rows, lambda row: model_version_body(row, deployed=row.id == deployed_id))


@router.get("/v1/models/{model_version_id}")
def get_model(tx: Tx, _: AnyCaller, model_version_id: UUID) -> ModelVersionBody:
    """Show one model version."""
    versions = ModelVersionRepository(tx)
    row, deployed = versions.get(model_version_id), versions.deployed()
    return model_version_body(row, deployed=deployed is not None and deployed.id == row.id)


def _deployment(tx: Tx) -> DeploymentBody:
    row = ModelVersionRepository(tx).deployed()
    name = models.BUILT_IN if row is None else f"{row.name}@{row.version}"
    body = None if row is None else model_version_body(row, deployed=True)
    return {"object": "deployment", "name": name, "model_version": body}


@router.post("/v1/models/deploy")
def deploy_model(web: WebPart, tx: Tx, _: AdminCaller, body: DeployIn) -> DeploymentBody:
    """Make a model version answer from now on. One that the model server can take as an adapter is loaded there first."""
    if body.model_version_id is not None and web.direct is not None:
        web.direct.load(ModelVersionRepository(tx).get(body.model_version_id))
    models.deploy(tx, body.model_version_id)
    return _deployment(tx)


@router.post("/v1/models/rollback")
def roll_back_model(tx: Tx, _: AdminCaller) -> DeploymentBody:
    """Return to what answered before."""
    models.roll_back(tx)
    return _deployment(tx)


@router.get("/v1/keys", tags=["keys"])
def list_keys(tx: Tx, _: AdminCaller, page: PageOf) -> ListBody[KeyBody]:
    """List keys, newest first."""
    return list_body(KeyRepository(tx).list_after(limit=page.limit, after=page.after), key_body)


@router.post("/v1/keys", status_code=201, tags=["keys"])
def create_key(tx: Tx, _: AdminCaller, body: KeyIn) -> KeyBody:
    """Make a key; its secret is shown this once."""
    row, key = keys.issue(tx, body.name, list(body.scopes), body.expires_in_s)
    return {**key_body(row), "key": key}


@router.delete("/v1/keys/{key_id}", tags=["keys"])
def revoke_key(tx: Tx, _: AdminCaller, key_id: UUID) -> KeyBody:
    """Switch a key off for good."""
    return key_body(KeyRepository(tx).revoke(key_id))
