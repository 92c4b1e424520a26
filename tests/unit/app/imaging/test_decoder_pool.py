"""The decoder children: limited, reused, replaced when they die, never left behind."""

import ast
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from app.imaging import decoder_child
from app.imaging.decode import ImageDecoder
from app.imaging.errors import BadPicture, DecoderBusy, DecoderFailed
from app.imaging.limits import ImageLimits, PoolLimits
from tests.unit.app.imaging.pictures import encoded, gradient, seeds

PICTURE = seeds()["png"]


def children(decoder: ImageDecoder) -> list[int]:
    return [child.pid for child in decoder._pool._idle]


@pytest.fixture
def single() -> Iterator[ImageDecoder]:
    with ImageDecoder(ImageLimits(wall_s=5.0), PoolLimits(processes=1, images_per_process=50, wait_s=0.2)) as decoder:
        yield decoder


def test_nothing_is_started_before_the_first_image(single: ImageDecoder) -> None:
    assert children(single) == []


def test_a_warm_child_is_reused(single: ImageDecoder) -> None:
    single.decode(PICTURE)
    first = children(single)
    for _ in range(5):
        single.decode(PICTURE)
    with pytest.raises(BadPicture):
        single.decode(PICTURE[:100])
    assert children(single) == first


def test_a_child_is_replaced_after_its_share_of_images(single: ImageDecoder) -> None:
    pids = set()
    for _ in range(101):
        single.decode_pixels(PICTURE)
        pids.update(children(single))
    assert len(pids) == 3


def test_the_child_runs_within_its_limits(single: ImageDecoder) -> None:
    single.decode(PICTURE)
    (pid,) = children(single)
    limits = {line[:26].strip(): line[26:].split()[:2] for line in Path(f"/proc/{pid}/limits").read_text().splitlines()}
    assert limits["Max address space"] == [str(1 << 30)] * 2
    assert limits["Max file size"] == ["0", "0"]
    assert limits["Max open files"] == ["16", "16"]
    assert limits["Max processes"] == ["0", "0"]
    assert limits["Max core file size"] == ["0", "0"]
    assert int(limits["Max cpu time"][0]) <= 7


def test_the_child_has_no_secrets_and_no_files(single: ImageDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKWISE_DATABASE_URL", "postgresql://secret")
    single.decode(PICTURE)
    (pid,) = children(single)
    variables = {entry.partition(b"=")[0] for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")} - {b""}
    assert variables == {b"MALLOC_ARENA_MAX", b"LC_ALL"}
    opened = {str(entry.readlink()).partition(":")[0] for entry in Path(f"/proc/{pid}/fd").iterdir()}
    assert opened == {"socket", "/dev/null"}


def test_the_child_imports_only_pillow_and_the_standard_library() -> None:
    tree = ast.parse(Path(decoder_child.__file__).read_text())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names - sys.stdlib_module_names == {"PIL"}


def test_a_child_found_dead_is_replaced_and_the_image_is_not_blamed(single: ImageDecoder) -> None:
    single.decode(PICTURE)
    (pid,) = children(single)
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)], timeout=0.2)
    assert single.decode(PICTURE).width == 40


def test_an_image_that_kills_its_child_is_refused_and_the_next_one_decodes(single: ImageDecoder) -> None:
    single.decode(PICTURE)
    (pid,) = children(single)
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(DecoderFailed):
        single.decode(PICTURE)
    assert single.decode(PICTURE).width == 40
    assert not psutil.pid_exists(pid)


def test_an_image_that_takes_too_long_is_refused_and_the_next_one_decodes() -> None:
    with ImageDecoder(ImageLimits(wall_s=0.5), PoolLimits(processes=1)) as decoder:
        decoder.decode(PICTURE)
        (pid,) = children(decoder)
        os.kill(pid, signal.SIGSTOP)
        started_s = time.monotonic()
        with pytest.raises(DecoderFailed):
            decoder.decode(PICTURE)
        assert time.monotonic() - started_s < 2
        assert not psutil.pid_exists(pid)
        assert decoder.decode(PICTURE).width == 40


def test_an_image_that_needs_too_much_memory_is_refused_and_the_next_one_decodes() -> None:
    large = encoded(Image.new("RGB", (6000, 6000)), "PNG")
    with ImageDecoder(ImageLimits(memory_bytes=128 << 20), PoolLimits(processes=1)) as decoder:
        with pytest.raises(DecoderFailed):
            decoder.decode(large)
        assert decoder.decode(PICTURE).width == 40


def test_the_cpu_limit_ends_a_child() -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import decoder_child; decoder_child.allow_cpu(0)\nwhile True: pass"
    process = psutil.Popen([sys.executable, "-I", "-c", program, str(Path(decoder_child.__file__).parent)])
    assert process.wait(timeout=20) == -signal.SIGXCPU


def test_threads_share_the_pool_and_get_their_own_pixels() -> None:
    def colour(number: int) -> bool:
        expected = (number, 255 - number, number // 2)
        pixels = decoder.decode_pixels(encoded(Image.new("RGB", (64, 64), expected), "PNG"))
        return bool((pixels.image == np.array(expected, np.uint8)).all())

    with ImageDecoder(pool_limits=PoolLimits(processes=2)) as decoder, ThreadPoolExecutor(12) as threads:
        assert all(threads.map(colour, range(200)))
        assert len(children(decoder)) <= 2


def test_a_full_pool_says_busy(single: ImageDecoder) -> None:
    with single._pool._borrowed(), pytest.raises(DecoderBusy) as refused:
        single.decode(PICTURE)
    assert (refused.value.status, refused.value.retry_after_s) == (503, 2)


def test_close_leaves_no_process_and_no_zombie() -> None:
    decoder = ImageDecoder()
    decoder.decode(PICTURE)
    pids = children(decoder)
    decoder.close()
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    with pytest.raises(DecoderBusy):
        decoder.decode(PICTURE)


def _decode_in_fork(decoder: ImageDecoder) -> None:
    width = decoder.decode(PICTURE).width
    decoder.close()
    os._exit(0 if width == 40 else 1)


def test_a_forked_process_starts_its_own_children(single: ImageDecoder) -> None:
    single.decode(PICTURE)
    before = children(single)
    forked = multiprocessing.get_context("fork").Process(target=_decode_in_fork, args=(single,))
    forked.start()
    forked.join(20)
    assert forked.exitcode == 0
    assert np.array_equal(single.decode_pixels(PICTURE).image, np.asarray(gradient()))
    assert children(single) == before


def test_children_leave_when_their_parent_is_killed(tmp_path: Path) -> None:
    root = Path(decoder_child.__file__).parents[2]
    (tmp_path / "picture.png").write_bytes(PICTURE)
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from app.imaging.decode import ImageDecoder\n"
        "decoder = ImageDecoder(); decoder.decode(open(sys.argv[2], 'rb').read())\n"
        "print(decoder._pool._idle[0].pid, flush=True); time.sleep(60)"
    )
    with psutil.Popen([sys.executable, "-c", program, str(root), str(tmp_path / "picture.png")], stdout=-1) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    _gone, alive = psutil.wait_procs([child], timeout=5)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
