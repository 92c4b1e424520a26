import numpy as np
import pytest
from numpy.typing import NDArray

from models.grounding.sight import SIZE_HW, Sight, look, places
from models.vlm.fake import FakeBackend
from models.vlm.logprobs import TokenStep
from models.vlm.types import VlmRequest


class Eyes(FakeBackend):
    """A model whose log probabilities are averages over parts of the picture that its processor leaves."""

    def __init__(self, *, cut: bool = False, blind: bool = False, tells: bool = True, **more: object) -> None:
        super().__init__(**more)
        self.cut, self.blind, self.tells = cut, blind, tells
        self.rng = np.random.default_rng(0)

    def first_token(self, request: VlmRequest) -> TokenStep | None:
        if not self.tells:
            return None
        (image,) = request.images
        kept = centre_square(image) if self.cut else image
        cells = np.zeros(16) if self.blind else np.array([np.std(part) for part in grid(kept)]) / 20
        noise = self.rng.normal(0, 1e-4, 16)  # that of half precision
        return TokenStep(
            token="taken", logprob=-1.0, alternatives=tuple((str(i), float(v)) for i, v in enumerate(cells + noise))
        )


def centre_square(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def grid(image: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [part for row in np.array_split(image, 4) for part in np.array_split(row, 4, axis=1)]


@pytest.mark.parametrize("input_px", [None, 224, 336])
@pytest.mark.parametrize("dialect", ["general", "tiny"])
def test_whole_pictures_are_no_reason_to_complain(input_px: int | None, dialect: str) -> None:
    sight = look(Eyes(input_px=input_px, dialect=dialect))
    assert sight == Sight(known=True, blind=False, unseen=())
    assert sight.complaint is None


def test_a_centre_cut_loses_all_corners_and_the_setting_is_named() -> None:
    sight = look(Eyes(cut=True))
    assert set(sight.unseen) == set(places()) - {"centre"}
    assert "MARKWISE_VLM_INPUT_PX" in str(sight.complaint)


def test_squares_survive_a_centre_cut() -> None:
    assert look(Eyes(cut=True, input_px=336)).complaint is None


def test_a_model_without_eyes_is_told_apart() -> None:
    sight = look(Eyes(blind=True))
    assert sight.blind
    assert "MARKWISE_VLM_MODEL" in str(sight.complaint)


def test_a_server_that_tells_nothing_is_trusted() -> None:
    assert look(Eyes(tells=False)) == Sight(known=False, blind=False, unseen=())


def test_every_corner_lies_outside_of_a_centre_cut_and_inside_the_picture() -> None:
    height, width = SIZE_HW
    left, right = (width - height) // 2, (width + height) // 2
    for name, (x0, y0, x1, y1) in places().items():
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert name == "centre" or x1 <= left or x0 >= right
