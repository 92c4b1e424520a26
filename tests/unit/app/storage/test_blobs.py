"""The key layout: one place for every kind of blob, and no way out of a tenant's prefix."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.storage import blobs

SHA256 = "ab" * 32


def test_the_layout() -> None:
    assert blobs.image_key("t1", SHA256) == f"t1/images/{SHA256}"
    assert blobs.overlay_key("t1", "ms-9", "som", "png") == "t1/overlays/ms-9/som.png"
    assert blobs.model_key("t1", "v3", "model.safetensors") == "t1/models/v3/model.safetensors"
    assert blobs.export_key("t1", "d1", SHA256, "tar.gz") == f"t1/exports/d1/{SHA256}.tar.gz"
    assert blobs.tenant_prefix("t1") == "t1/"


@pytest.mark.parametrize("bad", ["", "..", ".", "a/b", "a\\b", "/", "a\n", "-a", "ä", "a" * 300])
def test_a_part_cannot_leave_its_place(bad: str) -> None:
    for build in (
        lambda: blobs.image_key(bad, SHA256),
        lambda: blobs.overlay_key("t", bad, "som", "png"),
        lambda: blobs.overlay_key("t", "m", bad, "png"),
        lambda: blobs.model_key("t", "v", bad),
        lambda: blobs.tenant_prefix(bad),
    ):
        with pytest.raises(blobs.BadKey):
            build()


@pytest.mark.parametrize("bad", ["", "AB" * 32, "ab" * 31, "../" + "a" * 61, "ab" * 32 + "\n"])
def test_a_hash_is_a_hash(bad: str) -> None:
    with pytest.raises(blobs.BadKey):
        blobs.image_key("t", bad)


def test_a_folder_needs_no_boto3(tmp_path: Path) -> None:
    program = "import sys; from app.storage.blobs import open_blobs; open_blobs(sys.argv[1]).check(); print('boto3' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
