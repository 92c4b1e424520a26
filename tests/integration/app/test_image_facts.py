"""What files say about images is kept once per source and record, and read back as it was."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select

from app.catalog.image_facts import ImageFactsRepository, StatedFacts
from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.catalog.tables import ImageFactsRow, ImageRow
from models.errors import BadRegions
from models.facts import ImageFacts, ObjectFact, RelationFact

FACTS = ImageFacts(
    size_hw=(30, 40),
    objects=(
        ObjectFact(
            id="1", label="cat", bbox_xyxy_px=(0.5, 1, 9, 8), outline=[[0.5, 1, 9, 1, 9, 8]], attributes=("grey",)
        ),
        ObjectFact(id="2", label="mat", bbox_xyxy_px=(0, 8, 40, 30), synset="mat.n.01", crowd=True),
    ),
    relations=(RelationFact(subject="1", predicate="on", object="2"),),
)


@pytest.fixture
def image(engine: Engine, tenant: UUID) -> UUID:
    row = ImageRow(
        sha256="0" * 64, media_type="image/png", width=40, height=30, bytes=1, labels=[], source="import", blob_key="k"
    )
    with transaction(engine, tenant) as session:
        return ImageRepository(session).add(row)[0].id


def test_facts_come_back_equal_and_a_second_import_changes_nothing(engine: Engine, tenant: UUID, image: UUID) -> None:
    stated = StatedFacts(image_id=image, source="coco", external_id="7", facts=FACTS)
    with transaction(engine, tenant) as session:
        facts = ImageFactsRepository(session)
        assert [facts.add_or_fill(stated), facts.add_or_fill(stated)] == [True, False]
        assert facts.of_image(image) == facts.of_image(image, "coco") == FACTS
        assert facts.of_image(image, "other") is None
        assert session.scalar(select(func.count()).select_from(ImageFactsRow)) == 1


def test_captions_that_come_later_join_the_record(engine: Engine, tenant: UUID, image: UUID) -> None:
    stated = StatedFacts(image_id=image, source="coco", external_id="7", facts=FACTS)
    later = replace(stated, facts=ImageFacts(size_hw=(30, 40), captions=("a cat",)))
    with transaction(engine, tenant) as session:
        facts = ImageFactsRepository(session)
        assert [facts.add_or_fill(one) for one in (stated, later, later, stated)] == [True, True, False, False]
        assert facts.of_image(image) == replace(FACTS, captions=("a cat",))
        with pytest.raises(BadRegions):
            facts.add_or_fill(replace(stated, facts=ImageFacts(size_hw=(1, 1))))


def test_another_tenant_sees_nothing(engine: Engine, tenant: UUID, other_tenant: UUID, image: UUID) -> None:
    stated = StatedFacts(image_id=image, source="coco", external_id="7", facts=FACTS)
    with transaction(engine, tenant) as session:
        ImageFactsRepository(session).add_or_fill(stated)
    with transaction(engine, other_tenant) as session:
        assert ImageFactsRepository(session).of_image(image) is None
