"""What is read in bulk and written as it is has the bytes that ORM rows, checked against the contract's model, would have."""

from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.catalog.mark_sets import MarkSetRepository, marking_of, regions_of
from app.catalog.session import transaction
from app.catalog.tables import ImageRow, MarkRow, MarkSetRow
from app.formats.bodies import ImageBody, MarkSetBody, image_body
from app.formats.lookalikes import kept_lookalikes, lookalikes_of, warnings
from app.queue.outbox import enqueue
from models.marks import LookAlike, Previous, place, style_of
from models.regions import Regions

# Every kind of sign that JSON writes in its own way, and what looks like JSON itself.
WORDS = ['say "hi" \\ / \b\f\n\r\t', "\x01\x1f\x7f\u2028", "Größe 🎈 漢字 é", "", "null", '{"a": [1.0]}', None]
SIZE_HW = (977, 1283)


def an_image(session: Session, number: int, labels: list[str]) -> ImageRow:
    row = ImageRow(
        sha256=f"{number:064d}",
        media_type="image/png",
        width=SIZE_HW[1],
        height=SIZE_HW[0],
        bytes=9 + number,
        labels=labels,
        source="upload",
        blob_key=f"k{number}",
    )
    session.add(row)
    session.flush()
    return row


def a_mark_set(image: ImageRow, **given: object) -> MarkSetRow:
    usual = {
        "segmenter_name": "provided",
        "segmenter_version": "1",
        "style": {"name": "markwise"},
        "settings": {"style": "markwise", "regions": [{"text": "not shown"}]},
        "settings_sha256": repr(given),
        "omitted_regions": 0,
        "overlay_blob_key": "o",
    }
    return MarkSetRow(image_id=image.id, **usual | given)


def the_catalog(session: Session) -> None:
    """Mark sets as they come: of regions with masks, words and roles; a successor that keeps ids; letters; none at all; odd values."""
    height, width = SIZE_HW
    boxes = [[10.3 + 91 * n, 7.7 + 53 * n, 95.123 + 91 * n, 44.456 + 53 * n] for n in range(len(WORDS))]
    roles = [None if n % 2 else "button" for n in range(len(WORDS))]
    regions = Regions.from_boxes(SIZE_HW, boxes, texts=WORDS, roles=roles)
    sets, image = MarkSetRepository(session), an_image(session, 1, ["common", "Größe"])
    painted = kept_lookalikes([LookAlike(text="7", bbox_xyxy_px=(20.0, 12.0, 33.0, 26.0))])
    first = sets.get(sets.add(a_mark_set(image, lookalikes=painted), regions, place(regions)))
    before = Previous(
        regions=regions_of(SIZE_HW, sets.marks(first.id)),
        marking=marking_of(first, sets.marks(first.id), style_of("markwise")),
    )
    fewer = regions.take([0, 3, 5])
    sets.add(
        a_mark_set(image, revision_of_id=first.id, settings={"style": {"name": "som", "alpha": 1}}, granularity=3),
        fewer,
        place(fewer, "som", previous=before),
    )
    letters = {"name": "markwise", "kind": "letter"}
    other = an_image(session, 2, [])
    sets.add(a_mark_set(other, settings={"style": letters}), regions, place(regions, letters))
    sets.add(a_mark_set(other, settings={}, omitted_regions=5), Regions.empty(SIZE_HW), place(Regions.empty(SIZE_HW)))
    odd = a_mark_set(an_image(session, 3, ["a", "common"]))
    session.add(odd)
    session.flush()
    for position, score in enumerate([1.0, 0.0, 0.1 + 0.2, 1e-7, 123456789.0, 1 / 3]):
        box = [0.001, 0.0, width - 0.001 - position, height / 3]
        session.add(
            MarkRow(
                mark_set_id=odd.id,
                mark=f"{99 - position}",  # not in the order of their ids
                position=position,
                region_id=f'"{position}"',
                bbox_xyxy_px=box,
                point_xy_px=[0.5, 12.125],
                occluded=position % 2 == 0,
                label_xy_px=[-3.5, 0.0],
                label_bbox_xyxy_px=box,
                leader=[1.0, 2.0, 3.25, 4.0] if position % 2 else None,
                area_px=2**31 - 1 - position,
                score=score,
                text=WORDS[position],
                role=None,
                rle={"size": [height, width], "counts": 'P"\\1`0<>'},
            )
        )


def by_rows(session: Session, row: MarkSetRow, *, masks: bool) -> dict[str, object]:
    """A mark set's body, column by column from its ORM rows."""
    image = session.get_one(ImageRow, row.image_id)
    marks = session.scalars(select(MarkRow).where(MarkRow.mark_set_id == row.id).order_by(MarkRow.position)).all()
    told = warnings(lookalikes_of(row.lookalikes), {mark.mark: mark.bbox_xyxy_px for mark in marks})
    painted = {warning["mark"] for warning in told}
    scale = [image.width, image.height] * 2
    return {
        "id": str(row.id),
        "object": "mark_set",
        "image": {"id": str(image.id), "sha256": image.sha256, "width": image.width, "height": image.height},
        "segmenter": {"name": row.segmenter_name, "version": row.segmenter_version, "granularity": row.granularity},
        "style": row.settings.get("style", "markwise"),
        "marks": [
            {
                "id": mark.mark,
                "region_id": mark.region_id,
                "bbox_xyxy_px": mark.bbox_xyxy_px,
                "bbox_xyxy_norm": [value / whole for value, whole in zip(mark.bbox_xyxy_px, scale, strict=True)],
                "point_xy_px": mark.point_xy_px,
                "occluded": mark.occluded,
                "label_xy_px": mark.label_xy_px,
                "label_bbox_xyxy_px": mark.label_bbox_xyxy_px,
                "leader": mark.leader,
                "area_px": mark.area_px,
                "score": mark.score,
                "text": mark.text,
                "role": mark.role,
                "lookalike": mark.mark in painted,
                **({"rle": mark.rle} if masks else {}),
            }
            for mark in marks
        ],
        "omitted_regions": row.omitted_regions,
        "warnings": told,
        "overlay_url": f"/v1/marksets/{row.id}/overlay.png",
        "cached": True,
        "created_at": row.created_at.isoformat(),
    }


def checked(kind: type, body: object) -> bytes:
    """A body as FastAPI writes it, having checked it."""
    model = TypeAdapter(kind)
    return model.dump_json(model.validate_python(body))


def a_page(bodies: list[bytes], rest: bytes = b'"has_more":false,"next_cursor":null') -> bytes:
    return b'{"data":[' + b",".join(bodies) + b"]," + rest + b"}"


@pytest.fixture
def filled(engine: Engine, tenant: UUID) -> None:
    """A catalog with marks of every kind."""
    with transaction(engine, tenant) as session:
        the_catalog(session)


@pytest.mark.usefixtures("filled")
def test_mark_sets_have_the_bytes_of_their_rows(client: TestClient, engine: Engine, tenant: UUID) -> None:
    with transaction(engine, tenant) as session:
        rows = list(session.scalars(select(MarkSetRow).order_by(MarkSetRow.created_at.desc())))
        plain = [checked(MarkSetBody, by_rows(session, row, masks=False)) for row in rows]
        masked = [checked(MarkSetBody, by_rows(session, row, masks=True)) for row in rows]
    whole = b"".join(plain)
    for kind in (
        b'"lookalike":true',
        b'"mark":"',
        b'"id":"B"',
        b'"style":{"',
        b'"marks":[]',
        b'"leader":[1.0',
        b"1e-7",
    ):
        assert kind in whole, f"the catalog has no {kind!r}"
    for row, without, with_masks in zip(rows, plain, masked, strict=True):
        answer = client.get(f"/v1/marksets/{row.id}")
        assert answer.content == without
        assert answer.headers["content-type"] == "application/json"
        assert client.get(f"/v1/marksets/{row.id}?include=masks").content == with_masks
    assert client.get("/v1/marksets").content == a_page(plain)
    behind = f'"has_more":true,"next_cursor":"{rows[3].id}"'.encode()
    assert client.get(f"/v1/marksets?limit=2&after={rows[1].id}").content == a_page(plain[2:4], behind)
    of_one = [body for row, body in zip(rows, plain, strict=True) if row.image_id == rows[-1].image_id]
    assert client.get(f"/v1/marksets?image_id={rows[-1].image_id}").content == a_page(of_one)


@pytest.mark.usefixtures("filled")
def test_images_have_the_bytes_of_their_rows(client: TestClient, engine: Engine, tenant: UUID) -> None:
    with transaction(engine, tenant) as session:
        rows = list(session.scalars(select(ImageRow).order_by(ImageRow.created_at.desc())))
        bodies = [checked(ImageBody, image_body(row)) for row in rows]
    assert client.get("/v1/images").content == a_page(bodies)
    behind = f'"has_more":true,"next_cursor":"{rows[1].id}"'.encode()
    assert client.get(f"/v1/images?limit=1&after={rows[0].id}").content == a_page(bodies[1:2], behind)
    counted = b'"has_more":false,"next_cursor":null,"total":2'
    assert client.get("/v1/images?label=common&include=total").content == a_page([bodies[0], bodies[2]], counted)
    assert client.get("/v1/images?q=hi").content == a_page(bodies)
    assert client.get("/v1/images?label=nobody").content == a_page([])


@pytest.mark.parametrize("route", ["/v1/marksets", "/v1/images", "/v1/images?label=common"])
@pytest.mark.usefixtures("filled")
def test_a_cursor_that_names_nothing_is_refused(client: TestClient, route: str) -> None:
    joined = "&" if "?" in route else "?"
    for cursor in ("0198c0de-0000-7000-8000-000000000000", "yesterday"):
        assert client.get(f"{route}{joined}after={cursor}").status_code == 400


def test_a_job_is_listed_as_it_is_shown_with_its_order_where_that_is_asked_for(
    client: TestClient, engine: Engine, tenant: UUID
) -> None:
    with transaction(engine, tenant) as session:
        enqueue(session, kind="mark_set.create", queue="interactive", payload={"image_id": "1", "seed": 2**70})
    (listed,) = client.get("/v1/jobs").json()["data"]
    assert "order" not in listed
    assert listed == client.get(f"/v1/jobs/{listed['id']}").json()
    (whole,) = client.get("/v1/jobs?include=order").json()["data"]
    assert whole == listed | {"order": {"image_id": "1", "seed": 2**70}}
