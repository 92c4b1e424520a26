"""From a probability to a confidence: the one place where a number that a model gave becomes a number that a caller may trust.

Platt's scaling in the log odds, `sigmoid(slope * logit(p) + intercept)`, with a slope and an intercept per source in
calibration.json beside this file: slope 1 and intercept 0 leave a probability as it is. Knows no model and no task.
"""

import json
import math
from functools import cache
from pathlib import Path
from typing import Literal

Source = Literal["tiny", "general", "ranker"]
"""Where a probability comes from: the dialect of the model that was asked, or the ranker."""

_FILE = Path(__file__).with_name("calibration.json")
# Log odds of 0 and 1 are infinite; 1e-6 is finer than any reliability table of ours can show.
_EDGE = 1e-6


def confidence(probability: float, source: Source) -> float:
    """Return the calibrated confidence (0-1) of a `probability` (0-1); it grows with the probability."""
    slope, intercept = parameters()[source]
    if (slope, intercept) == (1.0, 0.0):
        return probability
    held = min(max(probability, _EDGE), 1.0 - _EDGE)
    return scaled(held, slope, intercept)


def scaled(probability: float, slope: float, intercept: float) -> float:
    """Return `sigmoid(slope * logit(probability) + intercept)` for a probability strictly between 0 and 1."""
    odds = slope * math.log(probability / (1.0 - probability)) + intercept
    return 1.0 / (1.0 + math.exp(-odds)) if odds >= 0 else math.exp(odds) / (1.0 + math.exp(odds))


@cache
def parameters() -> dict[str, tuple[float, float]]:
    """Return {source: (slope, intercept)} as the file says; read once."""
    found = json.loads(_FILE.read_text(encoding="utf-8"))
    return {name: (float(value["slope"]), float(value["intercept"])) for name, value in found.items()}
