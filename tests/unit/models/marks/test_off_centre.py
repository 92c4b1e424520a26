"""Labels off the middle of their regions: SoM's ablation of where marks lie."""

import numpy as np
import pytest

from models import drawings
from models.marks import mark, mark_for_model, style_of


def away(boxes_xyxy, labels_xyxy):
    """How far labels lie from the middles of their regions, in half diagonals of these; the median."""
    boxes, labels = np.asarray(boxes_xyxy), np.asarray(labels_xyxy)
    middles = [(one[:, :2] + one[:, 2:]) / 2 for one in (boxes, labels)]
    return np.median(
        np.linalg.norm(middles[0] - middles[1], axis=1) / np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)
    )


@pytest.mark.parametrize("name", ["markwise", "som-llava"])
def test_labels_leave_the_middle_and_regions_keep_their_marks(name):
    scene = drawings.scene(drawings.HELD_OUT_SEEDS[3], objects=4, side=1.2)
    found = {}
    for off in (False, True):
        style = style_of({"name": name, "off_centre": off})
        marking = mark(scene.image, scene.regions, style)[1]
        small = mark_for_model(scene.image, scene.regions, [m.id for m in marking.marks], style, 224)[1]
        found[off] = [
            away([m.bbox_xyxy_px for m in marks], [m.label_bbox_xyxy_px for m in marks])
            for marks in (marking.marks, small)
        ]
        found[off].append([m.region_index for m in marking.marks])
    assert found[True][2] == found[False][2]
    assert found[True][0] > found[False][0] + 0.1
    assert found[True][1] > found[False][1] + 0.1
