"""/v1/models: which model versions there are, which one answers, deploying and rolling back."""

from fastapi import APIRouter
from typing_extensions import TypedDict

from app.catalog.model_versions import ModelVersionRepository
from app.catalog.session import transaction
from app.catalog.tables import MODEL_KINDS
from app.errors import UnknownModel
from app.formats.bodies import ModelBody, model_version_body, standing_model_body
from app.http.auditing import Log
from app.http.deps import AdminCaller, AnyCaller, PageOf, Tx, WebPart
from app.http.lists import list_body
from app.http.schemas.learning import DeployIn
from app.services import models
from app.services.gate import Compared, Rule

router = APIRouter(tags=["models"])


class GateBody(TypedDict):
    """What a rule of the gate found: the figure of the new model, and that of the one before it."""

    benchmark: str
    metric: str
    new: float
    current: float
    kept: bool


class DeploymentBody(TypedDict):
    """What answers now; `model_version` is null while the built-in model does. `gate` is what a deployment was measured by."""

    object: str
    name: str
    model_version: ModelBody | None
    gate: list[GateBody]


class ModelList(TypedDict):
    """A page of models; with `object` it is also the list that OpenAI's clients read."""

    object: str
    data: list[ModelBody]
    has_more: bool
    next_cursor: str | None


@router.get("/v1/models")
def list_models(web: WebPart, caller: AnyCaller, page: PageOf) -> ModelList:
    """List model versions, newest first, and behind the last of them the models that need no registering."""
    # Before the transaction: the server may have to be asked for it.
    remote_name = None if web.remote is None else web.remote.name()
    with transaction(web.engine, caller.tenant_id) as session:
        versions = ModelVersionRepository(session)
        deployed = versions.deployed()
        deployed_id = None if deployed is None else deployed.id
        rows = versions.list_after(limit=page.limit, after=page.after)
        found = list_body(rows, lambda row: model_version_body(row, deployed=row.id == deployed_id))
    if not found["has_more"]:
        found["data"] += _standing(remote_name, deployed=deployed_id is None)
    return {"object": "list", **found}


@router.get("/v1/models/{model}")
def get_model(web: WebPart, caller: AnyCaller, model: str) -> ModelBody:
    """Show one model, by the id or the name under which it can be asked."""
    remote_name = None if web.remote is None else web.remote.name()
    with transaction(web.engine, caller.tenant_id) as session:
        versions = ModelVersionRepository(session)
        row, deployed = versions.find_by_name(model, MODEL_KINDS), versions.deployed()
        if row is not None:
            return model_version_body(row, deployed=deployed is not None and deployed.id == row.id)
    for standing in _standing(remote_name, deployed=deployed is None):
        if standing["id"] == model:
            return standing
    raise UnknownModel


def _standing(remote_name: str | None, *, deployed: bool) -> list[ModelBody]:
    """The built-in model and the server's; `deployed` says that no version is, so that one of these answers."""
    built_in = standing_model_body(
        models.BUILT_IN, "checkpoint", owned_by="markwise", deployed=deployed and remote_name is None
    )
    if remote_name is None or remote_name == models.BUILT_IN:
        return [built_in]
    return [built_in, standing_model_body(remote_name, "server", owned_by="server", deployed=deployed)]


def _deployment(tx: Tx) -> DeploymentBody:
    row = ModelVersionRepository(tx).deployed()
    name = models.BUILT_IN if row is None else f"{row.name}@{row.version}"
    body = None if row is None else model_version_body(row, deployed=True)
    return {"object": "deployment", "name": name, "model_version": body, "gate": []}


@router.post("/v1/models/deploy")
def deploy_model(web: WebPart, tx: Tx, _: AdminCaller, log: Log, body: DeployIn) -> DeploymentBody:
    """Make a model version answer from now on. One that the model server can take as an adapter is loaded there first.

    With `gate`, only if it is not worse than what answers now: else 409, `model.worse` or `model.unmeasured`, and nothing changes.
    """
    found: list[GateBody] = []
    if body.gate:
        rules = [Rule(**rule.model_dump()) for rule in body.gate]
        remote_name = None if web.remote is None else web.remote.name()
        compared = models.pass_gate(tx, body.model_version_id, rules, remote_name=remote_name, force=body.force)
        found = [_gate_body(one) for one in compared]
    if body.model_version_id is not None and web.direct is not None:
        web.direct.load(ModelVersionRepository(tx).get(body.model_version_id))
    models.deploy(tx, body.model_version_id)
    deployment = _deployment(tx)
    deployment["gate"] = found
    gate = {"gate": found, "force": body.force} if body.gate else {}
    log("model.deployed", body.model_version_id or models.BUILT_IN, name=deployment["name"], **gate)
    return deployment


def _gate_body(one: Compared) -> GateBody:
    rule = one.rule
    return {
        "benchmark": rule.benchmark, "metric": rule.metric, "new": one.new, "current": one.current, "kept": one.kept,
    }  # fmt: skip


@router.post("/v1/models/rollback")
def roll_back_model(tx: Tx, _: AdminCaller, log: Log) -> DeploymentBody:
    """Return to what answered before."""
    models.roll_back(tx)
    deployment = _deployment(tx)
    log("model.rolled_back", deployment["name"], name=deployment["name"])
    return deployment
