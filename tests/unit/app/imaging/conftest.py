from collections.abc import Iterator

import pytest

from app.imaging.decode import ImageDecoder


@pytest.fixture(scope="session")
def decoder() -> Iterator[ImageDecoder]:
    with ImageDecoder() as shared:
        yield shared
