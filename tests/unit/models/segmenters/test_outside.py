"""Segmenters that are not in the tree: the guide's own is tried, and what is wrong with one is said."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.errors import Unprocessable
from app.services.marking import canonical_settings, installed
from app.settings import Settings
from models import registry
from models.errors import BadInput
from models.protocols import SegmentRequest
from models.segmenters.installed import Installed
from tests.documents.blocks import ROOT, named


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The guide's segmenter, named as the guide says; nothing of it is left after."""
    (tmp_path / "bright.py").write_text(named(ROOT / "docs" / "segmenter.md", "file=bright.py").text)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Settings(segmenters={"bright": "bright:Bright"})
    registry.install(installed(made))
    yield made
    registry.install(Installed())
    sys.modules.pop("bright", None)


def lamps() -> np.ndarray:
    image = np.full((120, 160, 3), 20, np.uint8)
    image[20:60, 20:80] = 240
    image[80:90, 100:110] = 200
    return image


def test_the_guides_segmenter_finds_bright_things(settings: Settings) -> None:
    segmenter = registry.segmenter("bright")
    assert segmenter is registry.segmenter("bright")
    found = segmenter.segment(lamps(), SegmentRequest())
    assert found.boxes_xyxy_px.tolist() == [[20, 20, 80, 60], [100, 80, 110, 90]]
    assert found.rles == segmenter.segment(lamps(), SegmentRequest()).rles
    assert len(segmenter.segment(lamps(), SegmentRequest(granularity=1))) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 500, 3), (9, 7, 3)])
def test_the_guides_segmenter_keeps_the_promises_of_all(settings: Settings, shape: tuple[int, ...]) -> None:
    for value in (0, 200, 255):
        found = registry.segmenter("bright").segment(np.full(shape, value, np.uint8), SegmentRequest())
        assert found.size_hw == shape[:2]


def test_it_can_be_asked_for_and_its_code_is_part_of_what_was_asked(settings: Settings, tmp_path: Path) -> None:
    before = canonical_settings({"segmenter": "bright"})
    assert before["segmenter"] == "bright"
    assert canonical_settings({"segmenter": "bright"}) == before
    with (tmp_path / "bright.py").open("a") as file:
        file.write("\n# another version\n")
    assert canonical_settings({"segmenter": "bright"})["weights"] != before["weights"]
    assert "bright" not in sys.modules or registry.segmenter("bright").name == "bright"


def test_the_workers_hear_of_it(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = settings.model_copy(
        update={"app_database_url": "postgresql://a/b", "queue_database_url": "postgresql://a/b"}
    )
    for name, value in given.child_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings().segmenters == {"bright": "bright:Bright"}


def test_without_the_setting_the_name_is_unknown() -> None:
    with pytest.raises(Unprocessable, match='unknown segmenter "bright"; known are auto, gui'):
        canonical_settings({"segmenter": "bright"})
    with pytest.raises(Unprocessable, match="unknown segmenter"):
        canonical_settings({"segmenter": "fake"})


@pytest.mark.parametrize(
    ("named_as", "sentence"),
    [
        ({"gui": "bright:Bright"}, "names gui, which Markwise has itself"),
        ({"bright": "nowhere_at_all:Bright"}, "cannot be imported"),
        ({"bright": "bright:Dark"}, "cannot be imported"),
        ({"shiny": "bright:Bright"}, "needs `name = 'shiny'`"),
        ({"bright": "bright:np"}, "needs `name = 'bright'`"),
    ],
)
def test_what_is_wrong_is_said(settings: Settings, named_as: dict[str, str], sentence: str) -> None:
    def ask() -> None:
        registry.install(installed(Settings(segmenters=named_as)))
        registry.segmenter(next(iter(named_as)))

    with pytest.raises(BadInput, match=sentence):
        ask()


@pytest.mark.parametrize("named_as", [{"Bright": "a:B"}, {"bright": "a"}, {"bright": "a:b()"}, {"bright": "/tmp/a:B"}])
def test_a_setting_that_names_no_class_is_refused(named_as: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="segmenters"):
        Settings(segmenters=named_as)
