"""A worker reads the picture of a mark set, and the painted one only where somebody wants it."""

from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine

from app.catalog.session import transaction
from app.settings import Settings
from app.storage.blobs import BlobMissing, open_blobs, overlay_key
from tests.integration.app.one_of_everything import one_of_everything
from workers.context import JobContext
from workers.marking import stored_marks


def test_the_painted_picture_is_read_when_it_is_asked_for(with_keys: Settings, engine: Engine, tenant: UUID) -> None:
    made, blobs = one_of_everything(engine, tenant, with_keys), open_blobs(with_keys.blobs_place)
    job: Any = SimpleNamespace(
        transaction=partial(transaction, engine, tenant), resources=SimpleNamespace(blobs=blobs), tenant_id=tenant
    )
    there, gone = (stored_marks(cast("JobContext", job), UUID(made["mark_set"])) for _ in range(2))
    assert np.array_equal(there.overlay, there.pixels)  # this catalog keeps the same file for both
    blobs.delete(overlay_key(str(tenant), made["mark_set"], "markwise", "png"))
    assert there.overlay is there.overlay
    assert [mark.id for mark in gone.marking.marks] == ["1"]
    with pytest.raises(BlobMissing):
        _ = gone.overlay
