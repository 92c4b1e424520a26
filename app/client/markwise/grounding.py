"""The calls that mark pictures and ask about them: images, mark sets, questions, and the jobs that they may become.

Arguments that are left out are left out of the request, so that the service's own defaults hold.
"""

from collections.abc import Sequence
from typing import Any, Literal

from markwise.call import Call, Json, Listed, all_of, given, id_of, made, nothing, reader
from markwise.pictures import ImageLike, image_only, reference
from markwise.types import Answer, Curves, Deleted, Image, Job, JobItem, LabelCount, MarkSet, Page, Relabelled

Side = Literal[160, 320, 640]
Task = Literal["ask", "list", "refer", "classify", "phrases", "correspond", "act"]


# Images


def upload(image: ImageLike, *, labels: Sequence[str] | None = None) -> Call[Image]:
    """Let an image in, or find it again; `labels` are added to those it has."""
    body = {"image": image_only(image)} | given(labels=None if labels is None else list(labels))
    return Call(method="POST", path="/v1/images", body=body, read=reader(Image))


def image(image_id: str) -> Call[Image]:
    """Return one image's description."""
    return Call(method="GET", path=f"/v1/images/{image_id}", read=reader(Image))


def images(*, label: str | Sequence[str] | None = None, words: str | None = None) -> Listed[Image]:
    """All images, newest first; or those with a label (with several: all of them), or with words in a text, answer or mark."""
    labels = label if label is None or isinstance(label, str) else list(label)
    return Listed(path="/v1/images", read=reader(Page[Image]), params=given(label=labels, q=words))


def labels(*, prefix: str | None = None) -> Listed[LabelCount]:
    """The labels that images carry, by name, or those that begin so."""
    return Listed(path="/v1/labels", read=reader(Page[LabelCount]), params=given(q=prefix))


def relabel(*, images: Json, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Call[Relabelled]:
    """Add labels to many images and take others away; `images` are `{"ids": [...]}`, `{"label": ...}` or `{"import": ...}`."""
    body = {"images": images, "add_labels": list(add), "remove_labels": list(remove)}
    return Call(method="PATCH", path="/v1/images", body=body, read=reader(Relabelled))


def image_content(image: Image | str, *, cut_xyxy_px: Sequence[int] | None = None) -> Call[bytes]:
    """Return the pixels as PNG, upright and without metadata, or only a part of them."""
    params = {} if cut_xyxy_px is None else {"cut": ",".join(map(str, cut_xyxy_px))}
    return Call(method="GET", path=f"/v1/images/{id_of(image)}/content", params=params, read=bytes)


def image_thumbnail(image: Image | str, *, side_px: Side = 320) -> Call[bytes]:
    """Return a small copy as WebP, its long side at most so many pixels."""
    return Call(method="GET", path=f"/v1/images/{id_of(image)}/thumbnail", params={"size": str(side_px)}, read=bytes)


def delete_images(images: Sequence[Image | str]) -> Call[Deleted]:
    """Delete up to 100 images; the answer says which are gone, which were not there, and which are kept and why."""
    body = {"ids": [id_of(one) for one in images]}
    return Call(method="POST", path="/v1/images/delete", body=body, read=reader(Deleted))


def delete_image(image: Image | str) -> Call[None]:
    """Delete an image with everything that hangs on it."""
    return Call(method="DELETE", path=f"/v1/images/{id_of(image)}", read=nothing)


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
    options = given(
        segmenter=segmenter,
        granularity=granularity,
        style=style,
        regions=regions,
        accessibility_tree=accessibility_tree,
        device_pixel_ratio=device_pixel_ratio,
        previous_mark_set_id=None if previous is None else id_of(previous),
        max_marks=max_marks,
    )
    params = _with_masks(masks)
    return Call(
        method="POST",
        path="/v1/marksets",
        params=params,
        body={"image": image_only(image)} | options,
        read=reader(MarkSet),
        then=lambda job: mark_set(made(job, "mark_set_id"), masks=masks),
    )


def mark_set(mark_set_id: str, *, masks: bool = False) -> Call[MarkSet]:
    """Return one mark set."""
    params = _with_masks(masks)
    return Call(method="GET", path=f"/v1/marksets/{mark_set_id}", params=params, read=reader(MarkSet))


def _with_masks(masks: bool) -> Json:
    return {"include": "masks"} if masks else {}


def mark_sets(*, image: Image | str | None = None) -> Listed[MarkSet]:
    """All mark sets, newest first, or those of one image."""
    return Listed(
        path="/v1/marksets",
        read=reader(Page[MarkSet]),
        params=given(image_id=None if image is None else id_of(image)),
    )


def overlay(mark_set: MarkSet | str, *, extension: str = "png", style: str | None = None) -> Call[bytes]:
    """Return the marked picture as `png`, `webp` or `jpg`, in its own style or another."""
    path = f"/v1/marksets/{id_of(mark_set)}/overlay.{extension}"
    return Call(method="GET", path=path, params=given(style=style), read=bytes)


def mark_set_thumbnail(mark_set: MarkSet | str, *, side_px: Side = 320) -> Call[bytes]:
    """Return a small copy of the marked picture as WebP, its long side at most so many pixels."""
    path = f"/v1/marksets/{id_of(mark_set)}/thumbnail"
    return Call(method="GET", path=path, params={"size": str(side_px)}, read=bytes)


def export_marks(mark_set: MarkSet | str, *, format: str = "coco", masks: bool = False) -> Call[bytes]:
    """Return a mark set as a `coco`, `yolo` or `labelme` file; with `masks`, YOLO's rows are outlines instead of boxes."""
    path = f"/v1/marksets/{id_of(mark_set)}/export"
    return Call(method="GET", path=path, params={"format": format} | _with_masks(masks), read=bytes)


def correct_mark(
    mark_set: MarkSet | str,
    mark_id: str,
    *,
    bbox_xyxy_px: Sequence[float] | None = None,
    text: str | None = None,
    role: str | None = None,
) -> Call[MarkSet]:
    """Correct a mark; the correction is a new mark set, a revision of the old one."""
    body = given(bbox_xyxy_px=None if bbox_xyxy_px is None else list(bbox_xyxy_px), text=text, role=role)
    path = f"/v1/marksets/{id_of(mark_set)}/marks/{mark_id}"
    return Call(method="PATCH", path=path, body=body, read=reader(MarkSet))


def revise_marks(mark_set: MarkSet | str, change: Json, *, masks: bool = False) -> Call[MarkSet]:
    """Delete, merge, split or add marks; the edit is a new mark set, a revision of the old one.

    `change` is `{"op": "delete", "marks": ["3"]}`, `{"op": "merge", "marks": ["1", "2"]}`, `{"op": "split", "mark": "4"}` (with
    `line_px` cut along a line) or `{"op": "add", "region": {"bbox_xyxy_px": [...]}}` (with `replaces` in place of marks).
    """
    path = f"/v1/marksets/{id_of(mark_set)}/revisions"
    return Call(method="POST", path=path, params=_with_masks(masks), body=change, read=reader(MarkSet))


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
        target_mark_set_id=None if target is None else id_of(target),
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
    return Call(method="POST", path="/v1/ground", body=body, read=all_of(Answer), each=_answers_of)


def _question(image: ImageLike, **values: Any) -> Json:
    return reference(image) | given(**values)


def _answer_of(job: Job) -> Call[Answer]:
    return answer(made(job, "answer_id"))


def _answers_of(job: Job) -> list[Call[Answer]]:
    return [answer(answer_id) for answer_id in (job.result or {})["answer_ids"]]


def answer(answer_id: str) -> Call[Answer]:
    """Return one answer exactly as it was given."""
    return Call(method="GET", path=f"/v1/answers/{answer_id}", read=reader(Answer))


def answers(*, mark_set: MarkSet | str | None = None) -> Listed[Answer]:
    """All answers, newest first, or those about one mark set."""
    return Listed(
        path="/v1/answers",
        read=reader(Page[Answer]),
        params=given(mark_set_id=None if mark_set is None else id_of(mark_set)),
    )


# Jobs


def job(job: Job | str, *, order: bool = False) -> Call[Job]:
    """Return a job as it is now, with `order` also what was asked for."""
    params = {"include": "order"} if order else {}
    return Call(method="GET", path=f"/v1/jobs/{id_of(job)}", params=params, read=reader(Job))


def jobs(*, kind: str | None = None, status: str | None = None, order: bool = False) -> Listed[Job]:
    """All jobs, newest first, with `order` also what each was asked for."""
    params = given(kind=kind, status=status, include="order" if order else None)
    return Listed(path="/v1/jobs", read=reader(Page[Job]), params=params)


def job_items(job: Job | str, *, status: str | None = None) -> Listed[JobItem]:
    """The items of a batch job, in order."""
    return Listed(path=f"/v1/jobs/{id_of(job)}/items", read=reader(Page[JobItem]), params=given(status=status))


def curves(job: Job | str, *, points: int | None = None) -> Call[Curves]:
    """The numbers that a job has reported so far, as curves of at most `points` points."""
    return Call(method="GET", path=f"/v1/jobs/{id_of(job)}/curves", params=given(points=points), read=reader(Curves))


def cancel(job: Job | str) -> Call[Job]:
    """Cancel a job."""
    return Call(method="POST", path=f"/v1/jobs/{id_of(job)}/cancel", read=reader(Job))


def retry(job: Job | str) -> Call[Job]:
    """Run a failed or cancelled job again; what is done stays done."""
    return Call(method="POST", path=f"/v1/jobs/{id_of(job)}/retry", read=reader(Job))
