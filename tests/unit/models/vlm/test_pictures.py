import gc

import numpy as np
import pytest

from models.vlm import pictures
from models.vlm.pictures import PictureUrls, data_url, keep_file


def frozen(seed: int) -> np.ndarray:
    image = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    image.setflags(write=False)
    return image


def test_a_picture_that_cannot_change_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    urls, image = PictureUrls(), frozen(0)
    expected = data_url(image)
    encoded = []
    monkeypatch.setattr(pictures, "data_url", lambda picture: encoded.append(1) or data_url(picture))
    assert [urls.url(image), urls.url(image), urls.url(image)] == [expected] * 3
    assert len(encoded) == 1


def test_a_picture_that_may_change_is_not_remembered() -> None:
    urls, image = PictureUrls(), frozen(1).copy()
    before = urls.url(image)
    image[0, 0] = 255 - image[0, 0]
    assert urls.url(image) == data_url(image) != before
    view = image[:4]
    view.setflags(write=False)
    urls.url(view)
    assert len(urls) == 0


def test_nothing_outlives_its_picture() -> None:
    urls = PictureUrls()
    for seed in range(50):
        image = frozen(seed)
        assert urls.url(image) == data_url(image)
    del image
    gc.collect()
    assert len(urls) == 0


def test_a_file_that_is_kept_is_sent_as_it_is_and_goes_with_its_picture() -> None:
    image, other = frozen(2), frozen(2)
    keep_file(image, b"the very bytes")
    assert PictureUrls().url(image) == "data:image/png;base64,dGhlIHZlcnkgYnl0ZXM="
    assert PictureUrls().url(other) == data_url(image)
    held = len(pictures._files)
    del image
    gc.collect()
    assert len(pictures._files) == held - 1


def test_the_file_of_a_picture_that_may_change_is_refused() -> None:
    with pytest.raises(ValueError, match="may change"):
        keep_file(frozen(3).copy(), b"")
