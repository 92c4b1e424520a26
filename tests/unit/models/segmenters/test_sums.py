"""Sums of weights: other weights, another sum, also under the same name."""

import os
from pathlib import Path

import pytest

from models import registry
from models.published import PUBLISHED
from models.segmenters.installed import Installed
from models.segmenters.sums import sum_of


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "sam.pth"
    path.write_bytes(b"old")
    return path


def test_the_sum_is_of_what_is_in_a_file_not_of_its_name(weights: Path, tmp_path: Path) -> None:
    before = sum_of(weights)
    copy = tmp_path / "copy.pth"
    copy.write_bytes(b"old")
    assert sum_of(copy) == before
    weights.write_bytes(b"new")
    os.utime(weights, ns=(1, 1))
    assert sum_of(weights) != before


def test_a_folder_is_known_by_its_weights_and_configuration(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"1")
    before = sum_of(tmp_path)
    (tmp_path / "README.md").write_text("words")
    assert sum_of(tmp_path) == before
    (tmp_path / "config.json").write_text("{}")
    assert sum_of(tmp_path) != before


def test_a_published_name_is_known_by_its_published_sum() -> None:
    assert PUBLISHED["sam-vit-b"].sha256.startswith(sum_of("sam-vit-b"))
    assert sum_of("/nowhere/a.pth") != sum_of("/nowhere/b.pth")


def test_the_registry_says_which_weights_a_name_goes_by(weights: Path) -> None:
    registry.install(Installed(weights={"sam": str(weights)}))
    try:
        assert registry.weights_of("sam") == registry.weights_of("provided") == sum_of(weights)
        assert registry.segmenter("sam").version == f"1+sam-{sum_of(weights)}"
        assert registry.weights_of("regions") is registry.weights_of("sam2") is None
        assert registry.weights_of("auto") == registry.weights_of("gui") is not None
    finally:
        registry.install(Installed())
    assert registry.weights_of("sam") is None
