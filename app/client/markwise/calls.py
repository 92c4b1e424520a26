"""Every call of the API as a value: method, path, body, and how its answer is read. Sends nothing.

The two clients send these. Arguments that are left out are left out of the request, so that the service's own defaults hold.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import TypeAdapter

from markwise.pictures import ImageLike, image_only, reference
from markwise.types import (
    Answer,
    Candidate,
    Curves,
    Dataset,
    Deleted,
    Deployment,
    Evaluation,
    Image,
    Job,
    JobItem,
    LabelCount,
    MarkSet,
    Model,
    Page,
    Relabelled,
    Text,
)

T = TypeVar("T")
Json = dict[str, Any]
Task = Literal["ask", "list", "refer", "classify", "phrases", "correspond", "act"]


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One request and how its answer is read.

    Where the service answers 202, `then` fetches what the finished job has made, or `each` all that it has made, in order.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Json | None = None
    then: "Callable[[Job], Call[T]] | None" = None
    each: "Callable[[Job], list[Call[Any]]] | None" = None


@dataclass(frozen=True, kw_only=True)
class Listed(Generic[T]):
    """A list that is read page by page."""

    path: str
    read: Callable[[bytes], Page[T]]
    params: Mapping[str, Any] = field(default_factory=dict)

    def page(self, after: str | None) -> Call[Page[T]]:
        """The page that follows a cursor."""
        params = {**self.params, **({} if after is None else {"after": after})}
        return Call(method="GET", path=self.path, params=params, read=self.read)


@functools.cache
def reader(of: Any) -> Callable[[bytes], Any]:
    """Return what reads JSON as a type; made once for each, for making it costs more than reading."""
    adapter: TypeAdapter[Any] = TypeAdapter(of)
    return adapter.validate_json


def described(method: Any, make: Callable[..., Any]) -> None:
    """Give a client's method the name, text and parameters of the call that it sends, as editors and `help` show them."""
    functools.update_wrapper(method, make)
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = inspect.signature(make)
    method.__signature__ = signature.replace(parameters=[own, *signature.parameters.values()])


def _given(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _id_of(thing: Any) -> str:
    return thing if isinstance(thing, str) else str(thing.id)


# Images


def upload(image: ImageLike, *, labels: Sequence[str] | None = None) -> Call[Image]:
    """Let an image in, or find it again; `labels` are added to those it has."""
    body = {"image": image_only(image)} | _given(labels=None if labels is None else list(labels))
    return Call(method="POST", path="/v1/images", body=body, read=reader(Image))


def image(image_id: str) -> Call[Image]:
    """Return one image's description."""
    return Call(method="GET", path=f"/v1/images/{image_id}", read=reader(Image))


def images(*, label: str | Sequence[str] | None = None, words: str | None = None) -> Listed[Image]:
    """All images, newest first; or those with a label (with several: all of them), or with words in a text, answer or mark."""
    labels = label if label is None or isinstance(label, str) else list(label)
    return Listed(path="/v1/images", read=reader(Page[Image]), params=_given(label=labels, q=words))


def labels(*, prefix: str | None = None) -> Listed[LabelCount]:
    """The labels that images carry, by name, or those that begin so."""
    return Listed(path="/v1/labels", read=reader(Page[LabelCount]), params=_given(q=prefix))


def relabel(*, images: Json, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Call[Relabelled]:
    """Add labels to many images and take others away; `images` are `{"ids": [...]}`, `{"label": ...}` or `{"import": ...}`."""
    body = {"images": images, "add_labels": list(add), "remove_labels": list(remove)}
    return Call(method="PATCH", path="/v1/images", body=body, read=reader(Relabelled))


def image_content(image: Image | str) -> Call[bytes]:
    """Return the pixels as PNG, upright and without metadata."""
    return Call(method="GET", path=f"/v1/images/{_id_of(image)}/content", read=bytes)


def image_thumbnail(image: Image | str, *, side_px: Literal[160, 320, 640] = 320) -> Call[bytes]:
    """Return a small copy as WebP, its long side at most so many pixels."""
    return Call(method="GET", path=f"/v1/images/{_id_of(image)}/thumbnail", params={"size": str(side_px)}, read=bytes)


def delete_images(images: Sequence[Image | str]) -> Call[Deleted]:
    """Delete up to 100 images; the answer says which are gone, which were not there, and which are kept and why."""
    body = {"ids": [_id_of(one) for one in images]}
    return Call(method="POST", path="/v1/images/delete", body=body, read=reader(Deleted))


def delete_image(image: Image | str) -> Call[None]:
    """Delete an image with everything that hangs on it."""
    return Call(method="DELETE", path=f"/v1/images/{_id_of(image)}", read=_nothing)


def _nothing(_: bytes) -> None:
    return None


# Marks


def mark(
    image: ImageLike,
    *,
    segmenter: str | None = None,
    granularity: int | None = None,
    style: str | Json | None = None,
    regions: Sequence[Json] | Json | None = None,
    accessibility_tree: Any = None,
    device_pixel_ratio: float | None = None,
    previous: MarkSet | str | None = None,
    max_marks: int | None = None,
    masks: bool = False,
) -> Call[MarkSet]:
    """Mark an image. `previous` keeps the ids of elements that are still there; `masks` adds `rle` to every mark."""
    options = _given(
        segmenter=segmenter,
        granularity=granularity,
        style=style,
        regions=regions,
        accessibility_tree=accessibility_tree,
        device_pixel_ratio=device_pixel_ratio,
        previous_mark_set_id=None if previous is None else _id_of(previous),
        max_marks=max_marks,
    )
    params = {"include": "masks"} if masks else {}
    return Call(
        method="POST",
        path="/v1/marksets",
        params=params,
        body={"image": image_only(image)} | options,
        read=reader(MarkSet),
        then=lambda job: mark_set(str((job.result or {})["mark_set_id"]), masks=masks),
    )


def mark_set(mark_set_id: str, *, masks: bool = False) -> Call[MarkSet]:
    """Return one mark set."""
    params = {"include": "masks"} if masks else {}
    return Call(method="GET", path=f"/v1/marksets/{mark_set_id}", params=params, read=reader(MarkSet))


def mark_sets(*, image: Image | str | None = None) -> Listed[MarkSet]:
    """All mark sets, newest first, or those of one image."""
    return Listed(
        path="/v1/marksets",
        read=reader(Page[MarkSet]),
        params=_given(image_id=None if image is None else _id_of(image)),
    )


def overlay(mark_set: MarkSet | str, *, extension: str = "png", style: str | None = None) -> Call[bytes]:
    """Return the marked picture as `png`, `webp` or `jpg`, in its own style or another."""
    path = f"/v1/marksets/{_id_of(mark_set)}/overlay.{extension}"
    return Call(method="GET", path=path, params=_given(style=style), read=bytes)


def export_marks(mark_set: MarkSet | str, *, format: str = "coco") -> Call[bytes]:  # the API's name
    """Return a mark set as a `coco`, `yolo` or `labelme` file."""
    path = f"/v1/marksets/{_id_of(mark_set)}/export"
    return Call(method="GET", path=path, params={"format": format}, read=bytes)


def correct_mark(
    mark_set: MarkSet | str,
    mark_id: str,
    *,
    bbox_xyxy_px: Sequence[float] | None = None,
    text: str | None = None,
    role: str | None = None,
) -> Call[MarkSet]:
    """Correct a mark; the correction is a new mark set, a revision of the old one."""
    body = _given(bbox_xyxy_px=None if bbox_xyxy_px is None else list(bbox_xyxy_px), text=text, role=role)
    path = f"/v1/marksets/{_id_of(mark_set)}/marks/{mark_id}"
    return Call(method="PATCH", path=path, body=body, read=reader(MarkSet))


def revise_marks(mark_set: MarkSet | str, change: Json, *, masks: bool = False) -> Call[MarkSet]:
    """Delete, merge, split or add marks; the edit is a new mark set, a revision of the old one.

    `change` is `{"op": "delete", "marks": ["3"]}`, `{"op": "merge", "marks": ["1", "2"]}`, `{"op": "split", "mark": "4"}` (with
    `line_px` cut along a line) or `{"op": "add", "region": {"bbox_xyxy_px": [...]}}` (with `replaces` in place of marks).
    """
    path = f"/v1/marksets/{_id_of(mark_set)}/revisions"
    return Call(
        method="POST", path=path, params={"include": "masks"} if masks else {}, body=change, read=reader(MarkSet)
    )


# Questions


def ground(
    image: ImageLike,
    query: str,
    *,
    task: Task | None = None,
    choices: Sequence[str] | None = None,
    target: MarkSet | str | None = None,
    marks: Json | None = None,
    tags: bool | None = None,
    constrain: bool | None = None,
    model: str | None = None,
    expect_image_sha256: str | None = None,
    deadline_ms: int | None = None,
) -> Call[Answer]:
    """Ask about an image (or a mark set of it) and return the answer with its marks resolved.

    `marks` are options of `mark`, such as `{"previous_mark_set_id": ...}`, for an image that has none yet.
    """
    body = _question(
        image,
        query=query,
        task=task,
        choices=None if choices is None else list(choices),
        target_mark_set_id=None if target is None else _id_of(target),
        marks=marks,
        tags=tags,
        constrain=constrain,
        model=model,
        expect_image_sha256=expect_image_sha256,
        deadline_ms=deadline_ms,
    )
    return Call(method="POST", path="/v1/ground", body=body, read=reader(Answer), then=_answer_of)


def ground_many(
    image: ImageLike,
    queries: Sequence[str],
    *,
    task: Task | None = None,
    marks: Json | None = None,
    model: str | None = None,
) -> Call[list[Answer]]:
    """Ask several questions about one mark set and return the answers in their order."""
    body = _question(image, queries=list(queries), task=task, marks=marks, model=model)
    return Call(method="POST", path="/v1/ground", body=body, read=_answers, each=_answers_of)


def _question(image: ImageLike, **values: Any) -> Json:
    return reference(image) | _given(**values)


def _answer_of(job: Job) -> Call[Answer]:
    return answer(str((job.result or {})["answer_id"]))


def _answers_of(job: Job) -> list[Call[Answer]]:
    return [answer(answer_id) for answer_id in (job.result or {})["answer_ids"]]


def _answers(data: bytes) -> list[Answer]:
    found: Page[Answer] = reader(Page[Answer])(data)
    return found.data


def answer(answer_id: str) -> Call[Answer]:
    """Return one answer exactly as it was given."""
    return Call(method="GET", path=f"/v1/answers/{answer_id}", read=reader(Answer))


def answers(*, mark_set: MarkSet | str | None = None) -> Listed[Answer]:
    """All answers, newest first, or those about one mark set."""
    return Listed(
        path="/v1/answers",
        read=reader(Page[Answer]),
        params=_given(mark_set_id=None if mark_set is None else _id_of(mark_set)),
    )


# Jobs


def job(job: Job | str) -> Call[Job]:
    """Return a job as it is now."""
    return Call(method="GET", path=f"/v1/jobs/{_id_of(job)}", read=reader(Job))


def jobs(*, kind: str | None = None, status: str | None = None) -> Listed[Job]:
    """All jobs, newest first."""
    return Listed(path="/v1/jobs", read=reader(Page[Job]), params=_given(kind=kind, status=status))


def job_items(job: Job | str, *, status: str | None = None) -> Listed[JobItem]:
    """The items of a batch job, in order."""
    return Listed(path=f"/v1/jobs/{_id_of(job)}/items", read=reader(Page[JobItem]), params=_given(status=status))


def curves(job: Job | str, *, points: int | None = None) -> Call[Curves]:
    """The numbers that a job has reported so far, as curves of at most `points` points."""
    return Call(method="GET", path=f"/v1/jobs/{_id_of(job)}/curves", params=_given(points=points), read=reader(Curves))


def cancel(job: Job | str) -> Call[Job]:
    """Cancel a job."""
    return Call(method="POST", path=f"/v1/jobs/{_id_of(job)}/cancel", read=reader(Job))


def retry(job: Job | str) -> Call[Job]:
    """Run a failed or cancelled job again; what is done stays done."""
    return Call(method="POST", path=f"/v1/jobs/{_id_of(job)}/retry", read=reader(Job))


def annotate(*, kind: str, images: Json, **options: Any) -> Call[Job]:
    """Order training texts about images, `images={"label": "street"}` say; `options` are the fields of `POST /v1/annotations`."""
    return _order("/v1/annotations", {"kind": kind, "images": images, **options})


def import_(*, format: str, files: Sequence[str], **options: Any) -> Call[Job]:  # the API's name
    """Order an import of annotation files that lie in the server's folder of imports."""
    return _order("/v1/imports", {"format": format, "files": list(files), **options})


def train(**options: Any) -> Call[Job]:
    """Order a training; `options` are the fields of `POST /v1/trainings`."""
    return _order("/v1/trainings", options)


def evaluate(**options: Any) -> Call[Job]:
    """Order an evaluation; `options` are the fields of `POST /v1/evaluations`."""
    return _order("/v1/evaluations", options)


def find_tagged(*, finder: Model | str, images: Json, **options: Any) -> Call[Job]:
    """Order a ranking of images by how surely marks are painted on them; `options` are the fields of `POST /v1/findings`."""
    return _order("/v1/findings", {"finder": _id_of(finder), "images": images, **options})


def candidates(finding: Job | str) -> Listed[Candidate]:
    """The images that a `find_tagged` job has ranked, the surest first."""
    return Listed(path=f"/v1/findings/{_id_of(finding)}", read=reader(Page[Candidate]))


def _order(path: str, body: Json) -> Call[Job]:
    return Call(method="POST", path=path, body=body, read=reader(Job))


# Texts, datasets, models


def texts(*, kind: str | None = None, review: str | None = None, job: Job | str | None = None) -> Listed[Text]:
    """All texts, newest first."""
    params = _given(kind=kind, review=review, job_id=None if job is None else _id_of(job))
    return Listed(path="/v1/texts", read=reader(Page[Text]), params=params)


def text(text_id: str) -> Call[Text]:
    """Return one text."""
    return Call(method="GET", path=f"/v1/texts/{text_id}", read=reader(Text))


def review(text: Text | str, verdict: Literal["accepted", "edited", "rejected"], **options: Any) -> Call[Text]:
    """Accept, edit or reject a text; `conversations` are the edited words, `reason` and `reviewer` are kept beside."""
    return Call(
        method="PATCH", path=f"/v1/texts/{_id_of(text)}", body={"review": verdict, **options}, read=reader(Text)
    )


def build_dataset(name: str, **options: Any) -> Call[Dataset]:
    """Build a dataset and return it sealed; `options` are the fields of `POST /v1/datasets`, such as `recipe` or `job_ids`."""
    return Call(
        method="POST",
        path="/v1/datasets",
        body={"name": name, **options},
        read=reader(Dataset),
        then=lambda job: dataset(str((job.result or {})["dataset_id"])),
    )


def dataset(dataset_id: str) -> Call[Dataset]:
    """Return one dataset."""
    return Call(method="GET", path=f"/v1/datasets/{dataset_id}", read=reader(Dataset))


def datasets(*, name: str | None = None) -> Listed[Dataset]:
    """All datasets, newest first."""
    return Listed(path="/v1/datasets", read=reader(Page[Dataset]), params=_given(name=name))


def models() -> Listed[Model]:
    """All model versions, newest first, and the models that need no registering."""
    return Listed(path="/v1/models", read=reader(Page[Model]))


def model(name_or_id: str) -> Call[Model]:
    """Return one model."""
    return Call(method="GET", path=f"/v1/models/{name_or_id}", read=reader(Model))


def deploy(model_version: Model | str | None, **options: Any) -> Call[Deployment]:
    """Make a model version answer from now on; None returns to the built-in model or the server's own.

    `gate=[{"benchmark": ..., "metric": ...}]` compares it with what answers now first; `force=True` deploys it all the same.
    """
    body = {"model_version_id": None if model_version is None else _id_of(model_version), **options}
    return Call(method="POST", path="/v1/models/deploy", body=body, read=reader(Deployment))


def roll_back() -> Call[Deployment]:
    """Return to what answered before."""
    return Call(method="POST", path="/v1/models/rollback", read=reader(Deployment))


def evaluation(evaluation_id: str) -> Call[Evaluation]:
    """Return one evaluation."""
    return Call(method="GET", path=f"/v1/evaluations/{evaluation_id}", read=reader(Evaluation))


def evaluations() -> Listed[Evaluation]:
    """All evaluations, newest first."""
    return Listed(path="/v1/evaluations", read=reader(Page[Evaluation]))
