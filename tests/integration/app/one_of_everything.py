"""A tenant that has one row of every kind, for `test_tenants`; the word `watermark` stands wherever one can stand."""

from uuid import UUID

from sqlalchemy import Engine, text

from app.catalog.session import transaction
from app.catalog.tables import (
    AnswerRow,
    CandidateRow,
    DatasetItemRow,
    DatasetRow,
    EvaluationItemRow,
    EvaluationRow,
    ImageRow,
    MarkRow,
    MarkSetRow,
    ModelVersionRow,
    TextRevisionRow,
    TextRow,
    WebhookDeliveryRow,
    WebhookRow,
)
from app.queue.outbox import enqueue
from app.services.keys import issue
from app.settings import Settings
from app.storage.blobs import image_key, open_blobs, overlay_key
from models.regions import Regions
from tests.acceptance.service import drawn


def one_of_everything(engine: Engine, tenant: UUID, settings: Settings) -> dict[str, str]:
    """Give a tenant one row of every kind; returns their ids by noun."""
    picture, blobs = drawn(1), open_blobs(settings.blobs_place)
    key = image_key(str(tenant), "0" * 64)
    blobs.put_if_absent(key, picture)
    with transaction(engine, tenant) as session:
        job = enqueue(
            session, kind="annotation.create", queue="batch", payload={"kind": "listing", "model": "rules"}, items=[{}]
        )
        image = ImageRow(
            sha256="0" * 64,
            media_type="image/png",
            width=320,
            height=240,
            bytes=len(picture),
            labels=["watermark"],
            source="upload",
            blob_key=key,
        )
        session.add(image)
        session.flush()
        mark_set = MarkSetRow(
            image_id=image.id,
            segmenter_name="provided",
            segmenter_version="1",
            style={},
            settings={"style": "markwise"},
            settings_sha256="s",
            omitted_regions=0,
            overlay_blob_key="later",
        )
        session.add(mark_set)
        session.flush()
        mark_set.overlay_blob_key = overlay_key(str(tenant), str(mark_set.id), "markwise", "png")
        blobs.put_if_absent(mark_set.overlay_blob_key, picture)
        version = ModelVersionRow(name="mine", version=1, kind="checkpoint", job_id=job.id, recipe={})
        written_text = TextRow(
            image_id=image.id,
            job_id=job.id,
            job_item=0,
            ordinal=0,
            kind="listing",
            tagged=True,
            conversations=[{"from": "human", "value": "watermark"}, {"from": "gpt", "value": "1. watermark"}],
            provenance={},
        )
        dataset = DatasetRow(name="watermark", recipe={}, statistics={"texts": 1})
        webhook = WebhookRow(url="https://a.example/", events=["job.failed"], secret="whsec_")
        finder = ModelVersionRow(name="seeker", version=1, kind="finder", job_id=job.id, recipe={})
        session.add_all([version, finder, written_text, dataset, webhook])
        session.add(mark_of(mark_set.id))
        session.flush()
        session.add(TextRevisionRow(text_id=written_text.id, revision=0, review="unreviewed", conversations=[]))
        item = {"kind": "listing", "part": "a", "stage": "a", "conversations": [], "sample_id": "a"}
        session.add(DatasetItemRow(dataset_id=dataset.id, position=0, text_id=written_text.id, **item))
        delivery = WebhookDeliveryRow(webhook_id=webhook.id, job_id=job.id, event="job.failed")
        answer = AnswerRow(
            image_id=image.id,
            mark_set_id=mark_set.id,
            task="ask",
            query="q",
            model_name="m",
            body={"text": "watermark"},
        )
        evaluation = EvaluationRow(benchmark="listing", metrics={}, report={})
        session.add_all([delivery, answer, evaluation])
        order = {"model_version_id": str(finder.id), "tagged_label": "watermark"}
        finding = enqueue(session, kind="finding.run", queue="batch", payload={"finding": order}, items=[{}])
        session.flush()
        session.add(CandidateRow(job_id=finding.id, image_id=image.id, score=0.5, bbox_xyxy_px=[0, 0, 1, 1]))
        session.flush()
        session.execute(text("UPDATE datasets SET version = 1, content_sha256 = 'x', sealed_at = clock_timestamp()"))
        seen = {"question_id": "watermark", "answer": {}, "picture": picture}
        session.add(EvaluationItemRow(evaluation_id=evaluation.id, position=0, **seen))
        key_row, _ = issue(session, "victim", ["mark"])
        rows = {
            "image": image,
            "mark_set": mark_set,
            "model_version": version,
            "text": written_text,
            "dataset": dataset,
            "webhook": webhook,
            "delivery": delivery,
            "answer": answer,
            "evaluation": evaluation,
            "finder": finder,
            "finding": finding,
            "job": job,
            "key": key_row,
        }
        return {noun: str(row.id) for noun, row in rows.items()} | {"label": "watermark", "dataset_name": "watermark"}


def mark_of(mark_set_id: UUID) -> MarkRow:
    box = [10.0, 10.0, 60.0, 60.0]
    return MarkRow(
        mark_set_id=mark_set_id,
        mark="1",
        position=0,
        region_id="0",
        bbox_xyxy_px=box,
        point_xy_px=[20.5, 20.5],
        occluded=False,
        label_xy_px=[20.0, 20.0],
        label_bbox_xyxy_px=[18.0, 18.0, 30.0, 30.0],
        leader=None,
        area_px=2500,
        score=1.0,
        text="watermark",
        role=None,
        rle=dict(Regions.from_boxes((240, 320), [box]).rles[0]),
    )
