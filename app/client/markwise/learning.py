"""The calls around teaching models: orders and their writers, texts, datasets, models, and how they are measured.

Where a call takes `**options`, they are the fields of its route, as `docs/api.md` lists them.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from markwise.call import Call, Json, Listed, all_of, given, id_of, made, reader
from markwise.types import (
    Annotation,
    Benchmark,
    Candidate,
    Dataset,
    DatasetItem,
    DatasetPreview,
    Deployment,
    Evaluation,
    EvaluationItem,
    Job,
    Look,
    MarkSet,
    Model,
    Page,
    Recipe,
    ReviewStatistics,
    Text,
    TextRevision,
    Writer,
)

T = TypeVar("T")
_ITEMS = 500
"""How many answers of an evaluation come at a time."""

# Orders


def writers() -> Call[list[Writer]]:
    """What can write training texts: `kind` and `writer` of `annotate`, with its modes and options."""
    return Call(method="GET", path="/v1/writers", read=all_of(Writer))


def recipes() -> Call[list[Recipe]]:
    """The recipes that are known by name: mixtures for `build_dataset`, trainings for `train`."""
    return Call(method="GET", path="/v1/recipes", read=all_of(Recipe))


def annotate(*, kind: str, images: Json, **options: Any) -> Call[Job]:
    """Order training texts about images, `images={"label": "street"}` say; `options` are the fields of `POST /v1/annotations`."""
    return _order("/v1/annotations", {"kind": kind, "images": images, **options})


def annotation(order: Job | str) -> Call[Annotation]:
    """How the texts of an `annotate` job came to be: first tries, failed checks and tokens of each writer and teacher."""
    return Call(method="GET", path=f"/v1/annotations/{id_of(order)}", read=reader(Annotation))


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
    return _order("/v1/findings", {"finder": id_of(finder), "images": images, **options})


def candidates(finding: Job | str) -> Listed[Candidate]:
    """The images that a `find_tagged` job has ranked, the surest first."""
    return Listed(path=f"/v1/findings/{id_of(finding)}", read=reader(Page[Candidate]))


def candidates_page(finding: Job | str, *, after: str | None = None, limit: int | None = None) -> Call[bytes]:
    """Return a gallery of ranked images as a page that works offline, the surest or those behind the image `after`."""
    params = {"format": "html"} | given(after=after, limit=limit)
    return Call(method="GET", path=f"/v1/findings/{id_of(finding)}", params=params, read=bytes)


def _order(path: str, body: Json) -> Call[Job]:
    return Call(method="POST", path=path, body=body, read=reader(Job))


# Texts, datasets, models


def texts(*, kind: str | None = None, review: str | None = None, job: Job | str | None = None) -> Listed[Text]:
    """All texts, newest first."""
    params = given(kind=kind, review=review, job_id=None if job is None else id_of(job))
    return Listed(path="/v1/texts", read=reader(Page[Text]), params=params)


def text(text_id: str) -> Call[Text]:
    """Return one text."""
    return Call(method="GET", path=f"/v1/texts/{text_id}", read=reader(Text))


def text_revisions(text: Text | str) -> Call[list[TextRevision]]:
    """What a text was, from the words of its teacher to the last verdict: who, when, why."""
    return Call(method="GET", path=f"/v1/texts/{id_of(text)}/revisions", read=all_of(TextRevision))


def review_statistics(*, kind: str | None = None, job: Job | str | None = None) -> Call[ReviewStatistics]:
    """How often people accept, edit and reject what each teacher writes with each prompt."""
    params = given(kind=kind, job_id=None if job is None else id_of(job))
    return Call(method="GET", path="/v1/texts/statistics", params=params, read=reader(ReviewStatistics))


def review(text: Text | str, verdict: Literal["accepted", "edited", "rejected"], **options: Any) -> Call[Text]:
    """Accept, edit or reject a text; `conversations` are the edited words, `reason` and `reviewer` are kept beside."""
    return Call(method="PATCH", path=f"/v1/texts/{id_of(text)}", body={"review": verdict, **options}, read=reader(Text))


def build_dataset(name: str, **options: Any) -> Call[Dataset]:
    """Build a dataset and return it sealed; `options` are the fields of `POST /v1/datasets`, such as `recipe` or `job_ids`."""
    return Call(
        method="POST",
        path="/v1/datasets",
        body={"name": name, **options},
        read=reader(Dataset),
        then=lambda job: dataset(made(job, "dataset_id")),
    )


def preview_dataset(name: str, **options: Any) -> Call[DatasetPreview]:
    """Look at what `build_dataset` would make of the same words now: statistics, hash and a few samples. Keeps nothing."""
    return Call(
        method="POST",
        path="/v1/datasets/preview",
        body={"name": name, **options},
        read=reader(DatasetPreview),
        then=lambda job: _in_result(job, "preview", "dataset_preview", DatasetPreview),
    )


def _in_result(job: Job, name: str, kind: str, of: type[T]) -> Call[T]:
    """What a finished job keeps in its own result, as the route would have answered it."""

    def read(data: bytes) -> T:
        ended: Job = reader(Job)(data)
        found: T = of(**{"object": kind, **(ended.result or {})[name]})
        return found

    return Call(method="GET", path=f"/v1/jobs/{job.id}", read=read)


def dataset(dataset_id: str) -> Call[Dataset]:
    """Return one dataset."""
    return Call(method="GET", path=f"/v1/datasets/{dataset_id}", read=reader(Dataset))


def datasets(*, name: str | None = None) -> Listed[Dataset]:
    """All datasets, newest first."""
    return Listed(path="/v1/datasets", read=reader(Page[Dataset]), params=given(name=name))


def dataset_texts(dataset: Dataset | str) -> Listed[DatasetItem]:
    """The exact texts of a dataset in their order, each with the words that it has there."""
    return Listed(path=f"/v1/datasets/{id_of(dataset)}/texts", read=reader(Page[DatasetItem]))


def probes(
    *,
    label: str | None = None,
    imported: Job | str | None = None,
    sources: Sequence[str] | None = None,
    samplings: Sequence[Literal["random", "popular", "adversarial"]] | None = None,
    seed: int | None = None,
    pictures: int | None = None,
) -> Call[bytes]:
    """Return yes-no questions (POPE) about images with facts, as JSON lines in LLaVA's layout: those of a label or of an import."""
    params = given(
        label=label,
        source=None if sources is None else list(sources),
        sampling=None if samplings is None else list(samplings),
        seed=seed,
        pictures=pictures,
    )
    of_import = {} if imported is None else {"import": id_of(imported)}
    return Call(method="GET", path="/v1/probes", params=params | of_import, read=bytes)


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
    body = {"model_version_id": None if model_version is None else id_of(model_version), **options}
    return Call(method="POST", path="/v1/models/deploy", body=body, read=reader(Deployment))


def roll_back() -> Call[Deployment]:
    """Return to what answered before."""
    return Call(method="POST", path="/v1/models/rollback", read=reader(Deployment))


def benchmarks() -> Call[list[Benchmark]]:
    """What models can be measured by, and where the questions would come from now."""
    return Call(method="GET", path="/v1/benchmarks", read=all_of(Benchmark))


def evaluation(evaluation_id: str) -> Call[Evaluation]:
    """Return one evaluation."""
    return Call(method="GET", path=f"/v1/evaluations/{evaluation_id}", read=reader(Evaluation))


def evaluations() -> Listed[Evaluation]:
    """All evaluations, newest first."""
    return Listed(path="/v1/evaluations", read=reader(Page[Evaluation]))


def evaluation_items(evaluation: Evaluation | str) -> Listed[EvaluationItem]:
    """Every question of an evaluation in its order, with its answer or why there is none."""
    params = {"include": "items", "limit": _ITEMS}
    return Listed(path=f"/v1/evaluations/{id_of(evaluation)}", read=_items, params=params)


def _items(data: bytes) -> Page[EvaluationItem]:
    items = reader(Evaluation)(data).items or []
    more = len(items) == _ITEMS
    return Page(data=items, has_more=more, next_cursor=str(items[-1].position) if more else None)


def evaluation_page(evaluation: Evaluation | str) -> Call[bytes]:
    """Return the comparison that an evaluation belongs to as a page that works offline."""
    path = f"/v1/evaluations/{id_of(evaluation)}"
    return Call(method="GET", path=path, params={"format": "html"}, read=bytes)


def evaluation_picture(evaluation: Evaluation | str, position: int) -> Call[bytes]:
    """Return what the model saw as a small WebP, where its answer at this position is among the worst."""
    return Call(method="GET", path=f"/v1/evaluations/{id_of(evaluation)}/items/{position}/picture", read=bytes)


def look(
    mark_set: MarkSet | str,
    query: str,
    *,
    answer: str | None = None,
    words: Literal["query", "answer", "writing"] | None = None,
    only: str | None = None,
    tags: bool | None = None,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    model: str | None = None,
) -> Call[Look]:
    """See where a model looks in a marked picture as it reads a question or an answer (`words`), or writes the answer.

    `only` keeps the words that hold this, such as the number of a mark; without `layers` and `heads` it is the mean of all.
    """
    options = given(
        answer=answer,
        words=words,
        only=only,
        tags=tags,
        layers=None if layers is None else list(layers),
        heads=None if heads is None else list(heads),
        model=model,
    )
    return Call(
        method="POST",
        path="/v1/looks",
        body={"mark_set_id": id_of(mark_set), "query": query, **options},
        read=reader(Look),
        then=lambda job: _in_result(job, "look", "look", Look),
    )
