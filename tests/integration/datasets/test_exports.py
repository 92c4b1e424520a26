"""What leaves in each format is what the dataset holds, also in slices, and a LLaVA loader can read it."""

import hashlib
import io
import json
import tarfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.catalog.session import transaction
from app.catalog.tables import DatasetRow
from app.errors import Unprocessable
from app.formats.llava import cut_of
from app.formats.text_bodies import image_url
from app.imaging.encode import read_canonical
from app.services.dataset_exports import Export, Format
from app.services.dataset_items import PictureFolders, stages_of
from models.training.conversations import read_conversations
from models.writers.types import CUT
from tests.integration.datasets.conftest import NAMES, Catalog, recipe_of, said
from workers.training import picture_of


def exported(
    catalog: Catalog, dataset: DatasetRow, format: Format, shard: int = 0, shards: int = 1, stage: str | None = None
) -> bytes:
    export = Export(
        transaction=partial(transaction, catalog.engine, catalog.tenant),
        blobs=catalog.resources.blobs,
        folder=catalog.folder,
        dataset=dataset,
        stage=stage,
        shard=shard,
        shards=shards,
    )
    export.check(format)
    pieces = export.pieces(format)
    return b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)


@pytest.fixture
def mixed(catalog: Catalog) -> DatasetRow:
    """Two listings of one picture and another, a conversation about a plain picture, and text alone from a file."""
    image = catalog.image()
    marks = catalog.mark_set(image)
    catalog.text(image_id=image, mark_set_id=marks)
    catalog.text(said("Again?", "1. dot\n2. box\n3. star"), image_id=image, mark_set_id=marks)
    catalog.text()
    catalog.text(said("Who?", "A man ☃."), kind="conversation", tagged=False)
    alone = [{"id": 7, "conversations": said("Hi?", "Hi!", image=False)}]
    (catalog.folder.root / "alone.json").write_text(json.dumps(alone))
    return catalog.build(
        recipe_of({"name": "own", "texts": {}}, {"name": "alone", "file": "alone.json"}, shuffle=False)
    )


def test_llava_json_is_read_by_the_trainer_and_has_the_hash(
    catalog: Catalog, mixed: DatasetRow, tmp_path: Path
) -> None:
    path = tmp_path / "d.json"
    path.write_bytes(exported(catalog, mixed, "llava"))
    records = read_conversations(path)
    items = catalog.items(mixed)
    assert [(record.id, record.image) for record in records] == [(item.sample_id, item.image) for item in items]
    assert records[3].turns == (("<image>\nWho?", "A man ☃."),)
    assert "image" not in json.loads(path.read_text())[4]
    lines = [
        json.dumps(sample, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
        for sample in json.loads(path.read_text())
    ]
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == mixed.content_sha256


def test_slices_of_json_lines_make_the_whole(catalog: Catalog, mixed: DatasetRow) -> None:
    whole = exported(catalog, mixed, "jsonl").splitlines()
    slices = [exported(catalog, mixed, "jsonl", shard, 3).splitlines() for shard in range(3)]
    assert [line for one in slices for line in one] == whole
    assert [len(one) for one in slices] == [1, 2, 2]
    first = json.loads(whole[0])
    assert (first["kind"], first["part"], first["stage"], first["revision"]) == ("listing", "own", "all", 0)


def test_webdataset_puts_picture_and_words_side_by_side(catalog: Catalog, mixed: DatasetRow) -> None:
    data = exported(catalog, mixed, "webdataset")
    assert data == exported(catalog, mixed, "webdataset"), "the same bytes every time"
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]  # files only
    assert list(members)[:2] == ["000000000.png", "000000000.json"]
    assert len(members) == 4 * 2 + 1
    assert members["000000000.png"].startswith(b"\x89PNG")
    sample = json.loads(members["000000003.json"])
    assert sample["conversations"] == said("Who?", "A man ☃.")
    assert "000000004.png" not in members


def test_coco_names_marks_as_their_listing_does(catalog: Catalog, mixed: DatasetRow, tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    path = tmp_path / "coco.json"
    path.write_bytes(exported(catalog, mixed, "coco"))
    coco = COCO(str(path))
    assert len(coco.getImgIds()) == 2, "each marked picture once"
    first, second = (coco.loadAnns(coco.getAnnIds(image)) for image in coco.getImgIds())
    assert [coco.loadCats(one["category_id"])[0]["name"] for one in second] == list(NAMES)
    assert [one["mark"] for one in first] == ["1", "2", "3"]
    assert len({one["id"] for one in (*first, *second)}) == 6
    assert first[0]["segmentation"]["size"] == [40, 60]


def test_what_a_format_cannot_hold_is_told_before_the_first_byte(catalog: Catalog) -> None:
    turns = [{"id": 7, "image": "a.jpg", "conversations": said("Hi?", "Hi!")}]
    (catalog.folder.root / "file.json").write_text(json.dumps(turns))
    made = catalog.build(recipe_of({"name": "mix", "file": "file.json"}))
    with pytest.raises(Unprocessable, match="names no `images` for the part `mix`"):
        exported(catalog, made, "webdataset")
    with pytest.raises(Unprocessable, match="this dataset has none"):
        exported(catalog, made, "coco")
    with pytest.raises(Unprocessable, match="smaller than `shards`"):
        exported(catalog, made, "llava", 3, 3)
    (catalog.folder.root / "photos").mkdir()
    (catalog.folder.root / "photos" / "a.jpg").write_bytes(b"jpeg")
    made = catalog.build(recipe_of({"name": "mix", "file": "file.json", "images": "photos"}))
    assert b"jpeg" in exported(catalog, made, "webdataset")


def test_a_stage_leaves_alone_and_the_stages_make_the_whole(catalog: Catalog) -> None:
    for kind in ("listing", "description", "description"):
        catalog.text(said("What?", kind), kind=kind, tagged=False)
    parts = [{"name": kind, "texts": {"kinds": [kind]}} for kind in ("listing", "description")]
    stages = [{"name": "both", "parts": ["listing", "description"]}, {"name": "last", "parts": ["description"]}]
    made = catalog.build(recipe_of(*parts, stages=stages))
    assert stages_of(made) == {"both": range(3), "last": range(3, 5)}
    whole = exported(catalog, made, "jsonl").splitlines()
    both, last = (exported(catalog, made, "jsonl", stage=name).splitlines() for name in ("both", "last"))
    assert whole == both + last
    assert [json.loads(line)["stage"] for line in whole] == ["both"] * 3 + ["last"] * 2
    assert exported(catalog, made, "jsonl", 1, 2, stage="last").splitlines() == last[1:]
    with pytest.raises(Unprocessable, match="its stages are both, last"):
        exported(catalog, made, "llava", stage="first")


def test_a_text_about_a_part_of_an_image_leaves_with_that_part_as_its_picture(catalog: Catalog) -> None:
    box = [10, 5, 70, 30]  # reaches over the right edge of 60 px
    catalog.text(said("What?", "A thing."), kind="concept_document", tagged=False, provenance={CUT: box})
    made = catalog.build()
    (item,) = catalog.items(made)
    assert item.image == f"{item.image_id}@10-5-70-30.png"
    assert cut_of(item.image) == tuple(box)
    assert image_url(item) == f"/v1/images/{item.image_id}/content?cut=10,5,70,30"
    with tarfile.open(fileobj=io.BytesIO(exported(catalog, made, "webdataset"))) as tar:
        picture = tar.extractfile("000000000.png")
        assert picture is not None
        assert read_canonical(picture.read()).shape == (25, 50, 3)
    job: Any = SimpleNamespace(
        resources=catalog.resources, transaction=partial(transaction, catalog.engine, catalog.tenant)
    )
    seen = picture_of(job, item, None, PictureFolders(made.recipe, catalog.folder))
    assert read_canonical(seen).shape == (25, 50, 3)
