"""A small random network in our own code, made once."""

import pytest

from models.segmenters.sam.network import SamNetwork, build
from tests.sam_reference import random_sam


@pytest.fixture(scope="session")
def small_network() -> SamNetwork:
    return build(random_sam(0).state_dict())
