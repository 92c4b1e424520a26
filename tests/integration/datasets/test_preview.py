"""A look at a mixture says what the build would make, writes nothing, and shows samples with their pictures."""

from typing import Any

from sqlalchemy import func, select

from app.catalog.session import transaction
from app.catalog.tables import DatasetItemRow, DatasetRow
from tests.integration.datasets.conftest import Catalog, recipe_of, said
from workers import mixing


def looked_at(catalog: Catalog, *given: Any, **narrowing: Any) -> dict[str, Any]:
    job = catalog.run(catalog.order(*given, kind="dataset.preview", **narrowing))
    assert job.status == "succeeded", job.error
    found: dict[str, Any] = (job.result or {})["preview"]
    return found


def test_a_look_says_what_the_build_makes_and_leaves_nothing(catalog: Catalog) -> None:
    for number in range(30):
        catalog.text()
        catalog.text(said("Who?", f"Person {number}."), kind="conversation", tagged=False)
    catalog.text(said("List.", "   "))
    mixture = recipe_of({"name": "all", "texts": {}, "take": 40}, seed=5)
    seen = looked_at(catalog, mixture)
    with transaction(catalog.engine, catalog.tenant) as session:
        for table in (DatasetRow, DatasetItemRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    made = catalog.build(mixture)
    assert seen["content_sha256"] == made.content_sha256
    assert seen["statistics"] == made.statistics
    assert seen["statistics"]["excluded"]["reasons"] == {"turn 2 is empty": 1}
    assert seen["recipe"] == made.recipe
    items = {item.sample_id: item for item in catalog.items(made)}
    assert len(seen["samples"]) == mixing.PREVIEWED
    for sample in seen["samples"]:
        item = items[sample["sample_id"]]
        assert (sample["position"], sample["conversations"]) == (item.position, item.conversations)
        kind = "marksets" if item.mark_set_id else "images"
        assert sample["image_url"].startswith(f"/v1/{kind}/{item.mark_set_id or item.image_id}/")


def test_a_small_mixture_is_shown_whole_and_a_long_text_is_cut(catalog: Catalog) -> None:
    catalog.text(said("Tell.", "word " * 1_000), kind="description", tagged=False)
    only = looked_at(catalog)["samples"]
    assert [len(turn["value"]) for turn in only[0]["conversations"]] == [len("<image>\nTell."), mixing.CLIPPED + 1]
    assert len(only) == 1


def test_what_cannot_be_built_is_refused_in_the_same_words(catalog: Catalog) -> None:
    looks, builds = (catalog.run(catalog.order(kind=kind)) for kind in ("dataset.preview", "dataset.build"))
    assert looks.status == builds.status == "failed"
    assert looks.error == builds.error
