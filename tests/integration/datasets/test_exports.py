"""What leaves in each format is what the dataset holds, also in slices, and a LLaVA loader can read it."""

import hashlib
import io
import json
import tarfile
from functools import partial
from pathlib import Path

import pytest

from app.catalog.session import transaction
from app.catalog.tables import DatasetRow
from app.errors import Unprocessable
from app.services.dataset_exports import Export, Format
from models.training.conversations import read_conversations
from tests.integration.datasets.conftest import NAMES, Catalog, recipe_of, said


def exported(catalog: Catalog, dataset: DatasetRow, format: Format, shard: int = 0, shards: int = 1) -> bytes:
    export = Export(
        transaction=partial(transaction, catalog.engine, catalog.tenant),
        blobs=catalog.resources.blobs,
        folder=catalog.folder,
        dataset=dataset,
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
