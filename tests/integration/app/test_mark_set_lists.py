"""A page of mark sets costs as many questions to the catalog as one of them, and shows each as it is shown alone."""

from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from app.catalog.session import transaction
from app.catalog.tables import ImageRow, MarkRow, MarkSetRow


def marked(engine: Engine, tenant: UUID, number: int) -> str:
    with transaction(engine, tenant) as session:
        picture = {"media_type": "image/png", "width": 100, "height": 50, "bytes": 9, "source": "upload"}
        image = ImageRow(sha256=f"{number:064d}", blob_key=f"k{number}", **picture)
        session.add(image)
        session.flush()
        made = {
            "segmenter_name": "provided",
            "segmenter_version": "1",
            "style": {},
            "settings": {},
            "omitted_regions": 0,
        }
        row = MarkSetRow(image_id=image.id, settings_sha256="s", overlay_blob_key=f"o{number}", **made)
        session.add(row)
        session.flush()
        for position in range(number):
            box = [position, 1, position + 5, 9]
            look = {"bbox_xyxy_px": box, "label_bbox_xyxy_px": box, "point_xy_px": [2, 2], "label_xy_px": [1, 1]}
            rest = {"occluded": False, "area_px": 40, "score": 1.0, "rle": {"size": [50, 100], "counts": "x"}}
            session.add(
                MarkRow(mark_set_id=row.id, mark=str(9 - position), position=position, region_id="r", **look, **rest)
            )
        return str(row.id)


def questions(client: TestClient, path: str) -> tuple[list[dict], int]:
    """The page, and how many statements it took."""
    asked: list[str] = []
    engine: Engine = client.app.state.web.engine

    def count(_connection, _cursor, statement: str, *_rest) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    try:
        page = client.get(path)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert page.status_code == 200, page.text
    return page.json()["data"], len(asked)


def test_a_page_takes_no_more_questions_than_one_mark_set(client: TestClient, engine: Engine, tenant: UUID) -> None:
    ids = [marked(engine, tenant, number) for number in range(5)]
    one, asked_for_one = questions(client, "/v1/marksets?limit=1")
    page, asked_for_all = questions(client, "/v1/marksets?limit=5")
    assert [body["id"] for body in page] == ids[::-1]
    assert asked_for_all == asked_for_one
    assert one == page[:1]


def test_a_mark_set_looks_the_same_in_a_page_and_alone(client: TestClient, engine: Engine, tenant: UUID) -> None:
    for number in range(4):
        marked(engine, tenant, number)
    for body in questions(client, "/v1/marksets")[0]:
        assert client.get(f"/v1/marksets/{body['id']}").json() == body
        assert [mark["id"] for mark in body["marks"]] == [str(9 - i) for i in range(len(body["marks"]))]
