"""What both clients can do: a table of their methods, each of them a call that is sent, or a list that is read page by page.

Written once for both: at run time a method hands its call to the client, and only the types tell what is returned at once
from what is awaited.
"""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Generic, ParamSpec, TypeVar, overload

from markwise import administration, grounding, learning
from markwise.call import Call, Listed

P = ParamSpec("P")
T = TypeVar("T")


class Sent(Generic[P, T]):
    """A method that sends a call."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self._method = _method(make, "_sent")

    @overload
    def __get__(self, client: "AtOnce", of: object) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: "Awaited", of: object) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: None, of: object) -> Callable[..., Any]: ...
    def __get__(self, client: Any, of: object) -> Any:
        """Return the method of a client, as a function's own `__get__` does."""
        return self._method.__get__(client, of)


class Paged(Generic[P, T]):
    """A method that reads a list to its end."""

    def __init__(self, make: Callable[P, Listed[T]]) -> None:
        self._method = _method(make, "_paged")

    @overload
    def __get__(self, client: "AtOnce", of: object) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: "Awaited", of: object) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, client: None, of: object) -> Callable[..., Any]: ...
    def __get__(self, client: Any, of: object) -> Any:
        """Return the method of a client, as a function's own `__get__` does."""
        return self._method.__get__(client, of)


def _method(make: Callable[..., Any], how: str) -> Any:
    """Return a function with the name, text and parameters of the call that it makes, as editors and `help` show them."""

    @functools.wraps(make)
    def method(client: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(client, how)(make, *args, **kwargs)

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = inspect.signature(make)
    parameters = [own, *signature.parameters.values()]
    method.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # functions take it
    return method


class Methods:
    """Everything that is one call. What is more than that (waiting, streams, files) each client has itself."""

    upload = Sent(grounding.upload)
    image = Sent(grounding.image)
    images = Paged(grounding.images)
    labels = Paged(grounding.labels)
    relabel = Sent(grounding.relabel)
    image_content = Sent(grounding.image_content)
    image_thumbnail = Sent(grounding.image_thumbnail)
    delete_images = Sent(grounding.delete_images)
    delete_image = Sent(grounding.delete_image)
    mark = Sent(grounding.mark)
    mark_set = Sent(grounding.mark_set)
    mark_sets = Paged(grounding.mark_sets)
    overlay = Sent(grounding.overlay)
    mark_set_thumbnail = Sent(grounding.mark_set_thumbnail)
    export_marks = Sent(grounding.export_marks)
    correct_mark = Sent(grounding.correct_mark)
    revise_marks = Sent(grounding.revise_marks)
    ground = Sent(grounding.ground)
    ground_many = Sent(grounding.ground_many)
    answer = Sent(grounding.answer)
    answers = Paged(grounding.answers)
    job = Sent(grounding.job)
    jobs = Paged(grounding.jobs)
    job_items = Paged(grounding.job_items)
    curves = Sent(grounding.curves)
    cancel = Sent(grounding.cancel)
    retry = Sent(grounding.retry)

    writers = Sent(learning.writers)
    recipes = Sent(learning.recipes)
    annotate = Sent(learning.annotate)
    annotation = Sent(learning.annotation)
    import_ = Sent(learning.import_)
    train = Sent(learning.train)
    evaluate = Sent(learning.evaluate)
    find_tagged = Sent(learning.find_tagged)
    candidates = Paged(learning.candidates)
    candidates_page = Sent(learning.candidates_page)
    texts = Paged(learning.texts)
    text = Sent(learning.text)
    text_revisions = Sent(learning.text_revisions)
    review_statistics = Sent(learning.review_statistics)
    review = Sent(learning.review)
    build_dataset = Sent(learning.build_dataset)
    preview_dataset = Sent(learning.preview_dataset)
    dataset = Sent(learning.dataset)
    datasets = Paged(learning.datasets)
    dataset_texts = Paged(learning.dataset_texts)
    probes = Sent(learning.probes)
    models = Paged(learning.models)
    model = Sent(learning.model)
    deploy = Sent(learning.deploy)
    roll_back = Sent(learning.roll_back)
    benchmarks = Sent(learning.benchmarks)
    evaluation = Sent(learning.evaluation)
    evaluations = Paged(learning.evaluations)
    evaluation_items = Paged(learning.evaluation_items)
    evaluation_page = Sent(learning.evaluation_page)
    evaluation_picture = Sent(learning.evaluation_picture)
    look = Sent(learning.look)

    create_key = Sent(administration.create_key)
    limit_key = Sent(administration.limit_key)
    storage = Sent(administration.storage)
    keys = Paged(administration.keys)
    revoke_key = Sent(administration.revoke_key)
    create_webhook = Sent(administration.create_webhook)
    webhook = Sent(administration.webhook)
    change_webhook = Sent(administration.change_webhook)
    webhooks = Paged(administration.webhooks)
    delete_webhook = Sent(administration.delete_webhook)
    try_webhook = Sent(administration.try_webhook)
    deliveries = Paged(administration.deliveries)
    retry_delivery = Sent(administration.retry_delivery)
    audit = Paged(administration.audit)


class AtOnce(Methods):
    """The methods of a client that returns what the service answers."""


class Awaited(Methods):
    """The methods of a client whose answers are awaited."""
