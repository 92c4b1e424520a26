"""Imports as a user meets them: the command line beside a running service, uploads, and jobs over what was imported."""

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.acceptance.service import finished, new_tenant
from tests.acceptance.test_cli import markwise
from tests.integration.importing.conftest import SIZE_WH, write_coco

Keyed = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def key(service_url: str, service_home: Path) -> str:
    """Of a tenant that has nothing but these imports."""
    assert service_url
    return new_tenant(service_home, "imports")


@pytest.fixture(scope="module")
def keyed(service_home: Path, key: str) -> Keyed:
    """The command line in that tenant, on the machine of the service."""
    return partial(markwise, MARKWISE_HOME=str(service_home), MARKWISE_KEY=key)


@pytest.fixture(scope="module")
def api(service_url: str, key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_url, timeout=150, headers={"Authorization": f"Bearer {key}"}) as client:
        yield client


@pytest.mark.slow
def test_the_command_imports_files_where_they_lie_and_jobs_take_them(
    api: httpx.Client, keyed: Keyed, service_url: str, service_home: Path, tmp_path: Path
) -> None:
    write_coco(tmp_path, 3)
    before = set((service_home / "imports").glob("*"))
    paths = (str(tmp_path / "instances.json"), "--images", str(tmp_path / "pictures"))
    argv = ("import", "coco", *paths, "--server", service_url)
    first = keyed(*argv, "--json", "--label", "mine")
    assert first.returncode == 0, first.stderr
    job = json.loads(first.stdout)
    assert job["result"] == {"records": 3, "added": 3, "known": 0, "skipped": 0, "failed": 0}
    assert [path.is_symlink() for path in set((service_home / "imports").iterdir()) - before] == [True, True]

    (tmp_path / "pictures" / "2.png").unlink()
    again = keyed(*argv)
    assert again.returncode == 1
    assert "3 records: 0 added, 2 known, 0 skipped, 1 failed" in again.stdout
    assert again.stderr.strip() == (
        "failed 2: the picture 2.png cannot be found: it is not in the folder of images, and the record has no URL"
    )

    order = {"images": {"import": job["id"]}, "marks": {"segmenter": "regions"}}
    response = api.post("/v1/annotations", json=order)
    assert response.status_code == 202, response.text
    assert finished(api, response.json()["id"])["progress"]["total"] == 3
    labelled = api.get("/v1/images", params={"label": "mine"}).json()["data"]
    assert {tuple(image["labels"]) for image in labelled} == {("coco", "mine")}


@pytest.mark.slow
def test_what_an_import_outlined_is_marked_told_and_cut_out(keyed: Keyed, service_url: str, tmp_path: Path) -> None:
    write_coco(tmp_path, 3, first=11)
    (tmp_path / "tested.txt").write_text("13\n")
    here = ("--server", service_url, "--json")
    paths = (str(tmp_path / "instances.json"), "--images", str(tmp_path / "pictures"))
    lists = ("--source", "cut", "--leave-out", str(tmp_path / "tested.txt"))
    done = keyed("import", "coco", *paths, *lists, *here)
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)
    assert (job["result"]["added"], job["result"]["skipped"]) == (2, 1)

    listed = json.loads(keyed("annotate", "--import", job["id"], *here).stdout)
    assert listed["result"] == {"texts": 2}, "by rules, from the names of the import's own objects"
    told = keyed(
        *("annotate", "--import", job["id"], "--kind", "concept_document", "--writer", "mmgic"),
        *("--option", "cut_out=true", *here),
    )
    assert json.loads(told.stdout)["result"] == {"texts": 4}, told.stderr
    built = keyed("dataset", "build", "cut", "--job", json.loads(told.stdout)["id"], *here)
    assert built.returncode == 0, built.stderr
    out = keyed(
        "dataset", "export", "cut", "--out", str(tmp_path / "cut.json"), "--images", str(tmp_path / "cut"), *here
    )
    assert json.loads(out.stdout)["pictures"] == 4, out.stderr
    samples = json.loads((tmp_path / "cut.json").read_text())
    sizes = sorted(size_of(tmp_path / "cut" / sample["image"]) for sample in samples)
    # The object of 30 x 20 px is square on the squeezed canvas of 224 px, and so 30 x 22.5 px here.
    assert sizes == [(30, 24), (30, 24), SIZE_WH, SIZE_WH]


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_an_uploaded_file_is_read_and_its_errors_name_their_records(api: httpx.Client, tmp_path: Path) -> None:
    write_coco(tmp_path, 2, pictures=False)
    files = {"file": (tmp_path / "instances.json").read_bytes()}
    response = api.post("/v1/imports", files=files, data={"format": "coco", "source": "uploaded"})
    assert response.status_code == 202, response.text
    assert response.headers["location"] == f"/v1/jobs/{response.json()['id']}"
    ended = finished(api, response.json()["id"])
    assert (ended["status"], ended["error"]["code"]) == ("failed", "items.all_failed")
    items = api.get(f"/v1/jobs/{ended['id']}/items", params={"status": "failed"}).json()["data"]
    assert [item["error"]["detail"].partition(":")[0] for item in items] == ["1", "2"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"format": "coco"}, "Give the annotation files"),
        ({"format": "coco", "files": ["../x"]}, "MARKWISE_IMPORTS"),
        ({"format": "coco", "files": ["missing.json"]}, "MARKWISE_IMPORTS"),
        ({"format": "pascal", "files": ["x"]}, "format"),
        ({"format": "coco", "files": ["x", "x"]}, "twice"),
        ({"format": "coco", "files": ["x"], "clean": {"rules": "mmgic", "min_edges": 3}}, "min_edges"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(api: httpx.Client, body: dict, said: str) -> None:
    response = api.post("/v1/imports", json=body)
    assert response.status_code == 422
    assert said in response.text


def test_jobs_over_an_import_need_one_that_brought_images(api: httpx.Client) -> None:
    missing = "00000000-0000-7000-8000-000000000000"
    assert api.post("/v1/annotations", json={"images": {"import": missing}}).status_code == 404
    both = {"images": {"import": missing, "label": "x"}}
    assert "exactly one" in api.post("/v1/annotations", json=both).text


def test_wrong_usage_of_the_command_is_a_sentence(tmp_path: Path) -> None:
    away = "http://127.0.0.1:1"
    nowhere = {"MARKWISE_HOME": str(tmp_path / "home")}
    (tmp_path / "a.json").write_text("[]")
    assert markwise("import", "coco", "missing.json", **nowhere).returncode == 2
    assert markwise("import", "coco", str(tmp_path / "a.json"), "--rule", "min_edges=3", **nowhere).returncode == 2
    several = markwise(
        "import", "coco", str(tmp_path / "a.json"), "--images", str(tmp_path), "--server", away, **nowhere
    )
    assert several.returncode == 1
    assert "--on-server" in several.stderr
    alone = markwise("import", "coco", str(tmp_path / "a.json"), "--server", away, **nowhere)
    assert alone.returncode == 1
    assert "markwise serve" in alone.stderr
