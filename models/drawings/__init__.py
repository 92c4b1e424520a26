"""Our own pictures: drawn scenes and drawn interface screens, each with regions and the truth about them.

Training, evaluation and the acceptance tests draw from here; a seed always gives the same picture. Seeds are split
by range (`TRAIN_SEEDS`, `VALIDATION_SEEDS`, `HELD_OUT_SEEDS`), the same ranges for scenes and screens.
"""

from models.drawings.drawing import HELD_OUT_SEEDS, TRAIN_SEEDS, VALIDATION_SEEDS, Drawing
from models.drawings.scenes import scene
from models.drawings.screens import screen

__all__ = ["HELD_OUT_SEEDS", "TRAIN_SEEDS", "VALIDATION_SEEDS", "Drawing", "scene", "screen"]
