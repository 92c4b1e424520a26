"""The client against the OpenAPI document of this very service: it cannot drift from it.

Every operation has a call or a reason for having none; every call's path, parameters and body are the operation's; every type has
the fields of the schema, no more and no less.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel

from app.main import create_app
from app.settings import Settings
from markwise import AsyncClient, Client, administration, calls, types
from markwise.calls import Call, Listed

DOCUMENT = create_app(Settings()).openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
UUID = "01a1fe9f-f8f6-7d14-8b82-94f7fb600000"
PNG = b"\x89PNG"

MADE: dict[str, Callable[[], Call[Any] | Listed[Any]]] = {
    "upload": lambda: calls.upload(PNG, labels=["a"]),
    "image": lambda: calls.image(UUID),
    "images": lambda: calls.images(label=["a", "b"], words="two words"),
    "labels": lambda: calls.labels(prefix="a"),
    "relabel": lambda: calls.relabel(images={"ids": [UUID]}, add=["a"], remove=["b"]),
    "image_content": lambda: calls.image_content(UUID),
    "image_thumbnail": lambda: calls.image_thumbnail(UUID, side_px=160),
    "delete_images": lambda: calls.delete_images([UUID]),
    "delete_image": lambda: calls.delete_image(UUID),
    "mark": lambda: calls.mark(
        PNG,
        segmenter="provided",
        granularity=2,
        style="som",
        regions=[{"bbox_xyxy_px": [0, 0, 1, 1]}],
        accessibility_tree=[{}],
        device_pixel_ratio=2.0,
        previous=UUID,
        max_marks=5,
        masks=True,
    ),
    "mark_set": lambda: calls.mark_set(UUID, masks=True),
    "mark_sets": lambda: calls.mark_sets(image=UUID),
    "overlay": lambda: calls.overlay(UUID, style="som"),
    "export_marks": lambda: calls.export_marks(UUID),
    "correct_mark": lambda: calls.correct_mark(UUID, "1", bbox_xyxy_px=[0, 0, 1, 1], text="a", role="button"),
    "revise_marks": lambda: calls.revise_marks(UUID, {"op": "merge", "marks": ["1", "2"]}, masks=True),
    "ground": lambda: calls.ground(
        PNG,
        "q",
        task="correspond",
        choices=["a"],
        target=UUID,
        marks={"max_marks": 5},
        tags=True,
        constrain=True,
        model="m",
        expect_image_sha256="0" * 64,
        deadline_ms=1000,
    ),
    "ground_many": lambda: calls.ground_many(PNG, ["a", "b"], task="refer", marks={}, model="m"),
    "answer": lambda: calls.answer(UUID),
    "answers": lambda: calls.answers(mark_set=UUID),
    "job": lambda: calls.job(UUID),
    "jobs": lambda: calls.jobs(kind="a", status="failed"),
    "job_items": lambda: calls.job_items(UUID, status="failed"),
    "curves": lambda: calls.curves(UUID, points=100),
    "cancel": lambda: calls.cancel(UUID),
    "retry": lambda: calls.retry(UUID),
    "annotate": lambda: calls.annotate(kind="listing", images={"label": "a"}, model="m", tries=2),
    "import_": lambda: calls.import_(format="coco", files=["a.json"], labels=["a"]),
    "train": lambda: calls.train(recipe="finetune", dataset_id=UUID),
    "evaluate": lambda: calls.evaluate(benchmark="listing", n=5),
    "find_tagged": lambda: calls.find_tagged(finder="mine", images={"label": "a"}, tagged_label="known"),
    "candidates": lambda: calls.candidates(UUID),
    "texts": lambda: calls.texts(kind="listing", review="accepted", job=UUID),
    "text": lambda: calls.text(UUID),
    "review": lambda: calls.review(UUID, "rejected", reason="wrong"),
    "build_dataset": lambda: calls.build_dataset("mine", job_ids=[UUID]),
    "dataset": lambda: calls.dataset(UUID),
    "datasets": lambda: calls.datasets(name="mine"),
    "models": calls.models,
    "model": lambda: calls.model("m"),
    "deploy": lambda: calls.deploy(None),
    "roll_back": calls.roll_back,
    "evaluation": lambda: calls.evaluation(UUID),
    "evaluations": calls.evaluations,
    "create_key": lambda: administration.create_key("a", scopes=["mark"], expires_in_s=60),
    "keys": administration.keys,
    "revoke_key": lambda: administration.revoke_key(UUID),
    "limit_key": lambda: administration.limit_key(UUID, max_images=3),
    "storage": administration.storage,
    "create_webhook": lambda: administration.create_webhook(
        "https://a.example/", events=["job.failed"], kinds=["training.run"]
    ),
    "webhooks": administration.webhooks,
    "delete_webhook": lambda: administration.delete_webhook(UUID),
}

METHODS_OF_THEIR_OWN = {"GET /v1/jobs/{job_id}/events", "GET /v1/datasets/{dataset_id}/export"}
"""Streams: `job_events` and `export_dataset` of the clients."""

LEFT_TO_OTHERS = {
    "POST /v1/chat/completions": "OpenAI's own client calls it",
    "GET /healthz": "for load balancers",
    "GET /readyz": "for load balancers",
    "GET /metrics": "for Prometheus",
}
RARE = re.compile(
    r"GET /v1/(annotations/\{job_id\}|writers|texts/statistics|texts/\{text_id\}/revisions|datasets/\{dataset_id\}/texts|evaluations/\{evaluation_id\}/items/\{position\}/picture|recipes|benchmarks|marksets/\{mark_set_id\}/thumbnail|audit|probes)"
    r"|POST /v1/(datasets/preview|looks)"
    r"|.* /v1/webhooks/\{webhook_id\}(/.*)?"
)
"""Reached by `Client.send` with a `Call` of one's own."""

TYPES = {
    "ImageBody": types.Image,
    "LabelCountBody": types.LabelCount,
    "RelabelledBody": types.Relabelled,
    "KeptBody": types.Kept,
    "DeletedBody": types.Deleted,
    "MarkBody": types.Mark,
    "WarningBody": types.Caution,
    "ImageOfMarkSet": types.ImageOfMarkSet,
    "SegmenterOfMarkSet": types.Segmenter,
    "MarkSetBody": types.MarkSet,
    "MentionBody": types.Mention,
    "SelectedBody": types.Selected,
    "LabelBody": types.Label,
    "PhraseBody": types.Phrase,
    "CorrespondenceBody": types.Correspondence,
    "StepsBody": types.Steps,
    "ActionBody": types.Action,
    "ModelOfAnswer": types.ModelOfAnswer,
    "UsageBody": types.Usage,
    "AnswerBody": types.Answer,
    "ProgressBody": types.Progress,
    "JobBody": types.Job,
    "JobItemBody": types.JobItem,
    "OutdatedBody": types.Outdated,
    "TextBody": types.Text,
    "DatasetBody": types.Dataset,
    "ModelBody": types.Model,
    "GateBody": types.Gate,
    "CurvesBody": types.Curves,
    "CurveBody": types.Curve,
    "PointBody": types.CurvePoint,
    "DeploymentBody": types.Deployment,
    "EvaluationBody": types.Evaluation,
    "CandidateBody": types.Candidate,
    "StorageBody": types.Storage,
    "KeyBody": types.Key,
    "WebhookBody": types.Webhook,
}
OF_NO_SCHEMA = {types.Body, types.Page, types.Event}


def operation_of(call: Call[Any]) -> tuple[str, dict[str, Any]]:
    """The operation that a call's path belongs to."""
    for path, methods in DOCUMENT["paths"].items():
        if call.method.lower() in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), call.path):
            return f"{call.method} {path}", methods[call.method.lower()]
    raise AssertionError(f"{call.method} {call.path} is not in the document")


def call_of(name: str) -> Call[Any]:
    made = MADE[name]()
    return made.page(UUID) if isinstance(made, Listed) else made


def test_every_call_is_tried_here_and_is_a_method_of_both_clients() -> None:
    public = {
        name
        for module in (calls, administration)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    } - {"reader", "described"}
    assert public == set(MADE)
    for client in (Client, AsyncClient):
        assert public <= set(vars(client)), client


def test_both_clients_have_the_same_methods() -> None:
    def shape(client: type) -> dict[str, str]:
        found = {name: value for name, value in vars(client).items() if inspect.isfunction(value)}
        return {
            name.replace("__a", "__"): str(inspect.signature(value)).partition("->")[0].replace("Async", "")
            for name, value in found.items()
        }

    assert shape(Client) == shape(AsyncClient)


def test_every_operation_has_a_call_or_a_reason() -> None:
    served = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    reached = {operation_of(call_of(name))[0] for name in MADE} | METHODS_OF_THEIR_OWN | set(LEFT_TO_OTHERS)
    assert {name for name in served - reached if not RARE.fullmatch(name)} == set()
    assert reached <= served


@pytest.mark.parametrize("name", MADE)
def test_a_call_says_what_the_operation_takes(name: str) -> None:
    call = call_of(name)
    _, operation = operation_of(call)
    known = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    assert set(call.params) <= known
    assert (call.body is not None) <= ("requestBody" in operation)
    if call.body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(call.body)


@pytest.mark.parametrize("schema", TYPES)
def test_a_type_has_the_fields_of_its_schema(schema: str) -> None:
    served, ours = SCHEMAS[schema], TYPES[schema].model_fields
    assert set(served["properties"]) - NOT_YET_EVERYWHERE == set(ours)
    optional = set(served["properties"]) - set(served.get("required", ())) - NOT_YET_EVERYWHERE
    assert {name for name, field in ours.items() if not field.is_required()} == optional
    for name, field in ours.items():
        allows_null = '"null"' in str(served["properties"][name]).replace("'", '"')
        assert allows_null <= ("None" in str(field.annotation) or "Any" in str(field.annotation)), name


NOT_YET_EVERYWHERE = {"settings", "items"}
"""Parts of an evaluation that only its own page shows; the client keeps them as extra fields."""


def test_every_type_is_compared() -> None:
    ours = {
        value
        for value in vars(types).values()
        if inspect.isclass(value) and issubclass(value, BaseModel) and value.__module__ == types.__name__
    }
    assert ours - set(TYPES.values()) - OF_NO_SCHEMA == set()


def test_what_a_call_reads_is_what_the_operation_answers() -> None:
    for name in MADE:
        call = call_of(name)
        _, operation = operation_of(call)
        success = next(response for code, response in operation["responses"].items() if code.startswith("2"))
        schema = str(success.get("content", {}).get("application/json", {}).get("schema", {}))
        named = set(re.findall(r"schemas/(?:ListBody_)?(\w+?)_?'", schema)) - {"AnswerList"}
        returned = inspect.signature(getattr(administration, name, None) or getattr(calls, name)).return_annotation
        for body in named & set(TYPES):
            assert TYPES[body].__name__ in str(returned), (name, named, returned)
