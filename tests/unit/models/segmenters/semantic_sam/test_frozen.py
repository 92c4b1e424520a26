"""Our own frozen outputs are what the network still says."""

from tests.unit.models.segmenters.semantic_sam import frozen


def test_the_frozen_outputs_stand():
    found = frozen.measured(frozen.network())
    assert frozen.faults(found) == []
    assert len(found["found"]["masks"]) >= 3
