"""The command line as a user types it: what it prints, what it writes, how it ends."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.service import DEMO_PAGE, ROOT, drawn


def markwise(*argv: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *argv],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_help_teaches_every_command() -> None:
    done = markwise("--help")
    assert done.returncode == 0
    commands = (
        "serve",
        "worker",
        "migrate",
        "mark",
        "ground",
        "annotate",
        "import",
        "dataset",
        "train",
        "evaluate",
        "keys",
        "doctor",
    )
    with ThreadPoolExecutor(2) as pool:  # each in a process of its own, which does little but import
        details = pool.map(lambda command: markwise(command, "--help"), commands)
        for command, detail in zip(commands, details, strict=True):
            assert f"\n  {command} " in done.stdout
            assert detail.returncode == 0, detail.stderr
            assert len(detail.stdout) > 100


def test_mark_prints_one_json_document_and_writes_the_picture(tmp_path: Path) -> None:
    out = tmp_path / "marked.png"
    done = markwise("mark", str(DEMO_PAGE), "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["segmenter"]["name"] == "gui"
    assert {"Find trains", "Sign in"} <= {mark["text"] for mark in body["marks"]}
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_semantic_sam_marks_at_a_level_and_says_when_weights_are_missing_or_random(tmp_path: Path) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "marked.png"
    photo.write_bytes(drawn(904))
    asked = ("mark", str(photo), "--segmenter", "semantic-sam", "--granularity", "2", "--out", str(out), "--json")
    missing = markwise(*asked)
    assert missing.returncode == 1
    assert "set MARKWISE_SEMANTIC_SAM_WEIGHTS to a file, or to a name" in missing.stderr
    assert not out.exists()
    done = markwise(*asked, MARKWISE_SEMANTIC_SAM_WEIGHTS="random-small")
    assert done.returncode == 0, done.stderr
    assert "random weights (random-small): its marks mean nothing" in done.stderr
    body = json.loads(done.stdout)
    assert (body["segmenter"]["name"], body["segmenter"]["granularity"]) == ("semantic-sam", 2)
    assert (body["image"]["height"], body["image"]["width"]) == (240, 320)
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "asked", [("--granularity", "7"), ("--granularity", "1,2"), ("--preset", "som-llava-training", "--style", "som")]
)
def test_levels_that_do_not_fit_are_wrong_usage(asked: tuple[str, ...]) -> None:
    done = markwise("mark", str(DEMO_PAGE), *asked)
    assert done.returncode == 2
    assert "Usage" in done.stderr


@pytest.mark.parametrize(("format", "name"), [("coco", "a.json"), ("labelme", "b.json"), ("yolo", "c.txt")])
def test_marks_written_for_another_tool_are_marked_again_in_the_same_places(
    tmp_path: Path, format: str, name: str
) -> None:
    picture = tmp_path / "shapes.png"
    picture.write_bytes(drawn(3))
    first = markwise("mark", str(picture), "--json", "--export", format, str(tmp_path / name))
    again = markwise("mark", str(picture), "--json", "--regions", str(tmp_path / name))
    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    # YOLO keeps no scores and no points, by which labels are placed.
    fields = ("id", "area_px") if format == "yolo" else ("id", "area_px", "point_xy_px", "label_xy_px")
    before, after = (
        [{field: mark[field] for field in fields} for mark in json.loads(done.stdout)["marks"]]
        for done in (first, again)
    )
    assert len(before) >= 3
    assert after == before
    if format == "yolo":
        assert (tmp_path / "classes.txt").read_text() == "region\n"


def test_a_file_of_regions_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    done = markwise("mark", str(DEMO_PAGE), "--json", "--regions", str(bad))
    assert (done.returncode, done.stdout) == (1, "")
    assert "COCO" in done.stderr
    assert "Traceback" not in done.stderr


def test_ground_answers_with_places(tmp_path: Path) -> None:
    done = markwise("ground", str(DEMO_PAGE), "Click Find trains", "--task", "act", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    x, y = answer["action"]["point_xy_px"]
    assert 63 <= x < 213
    assert 403 <= y < 449


def test_a_pool_and_a_second_picture_are_told_on_the_command_line(tmp_path: Path) -> None:
    picture = tmp_path / "shapes.png"
    picture.write_bytes(drawn(4))
    named = markwise("ground", str(picture), "", "--task", "classify", "--choice", "box", "--choice", "tent", "--json")
    assert named.returncode == 0, named.stderr
    assert {label["label"] for label in json.loads(named.stdout)["labels"]} <= {"box", "tent"}
    found = markwise("ground", str(picture), "", "--task", "correspond", "--target", str(picture), "--json")
    assert found.returncode == 0, found.stderr
    pairs = json.loads(found.stdout)["correspondences"]
    assert pairs
    assert all(pair["mark"] == pair["target_mark"] for pair in pairs)


@pytest.mark.parametrize("data", [b"", b"hello", drawn(1)[:200]])
def test_a_bad_picture_is_one_sentence_and_exit_1(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "bad.png"
    file.write_bytes(data)
    done = markwise("mark", str(file), "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_wrong_usage_is_exit_2() -> None:
    assert markwise("mark").returncode == 2
    assert markwise("mark", "/does/not/exist.png").returncode == 2
    assert markwise("dance").returncode == 2


def test_listening_to_the_world_without_keys_is_refused() -> None:
    done = markwise("serve", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 1
    assert "keys create" in done.stderr


def test_a_wrong_setting_is_named() -> None:
    done = markwise("serve", MARKWISE_DATABASE_URL="mysql://x")
    assert done.returncode == 1
    assert "MARKWISE_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_client_command_without_a_service_says_what_to_start() -> None:
    done = markwise("annotate", "--label", "x", "--server", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "markwise serve" in done.stderr
