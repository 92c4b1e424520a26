"""From a share to a confidence: the one place where a number that a model or the ranker gave becomes one that a caller may trust.

Platt's scaling in the log odds, `sigmoid(slope * logit(share) + intercept)`, per source: a task and who decided. The numbers stand in
calibration.json beside this file with the weights they were fitted for; `models.evaluation.calibrate` writes it. Other weights' shares
and a remote model's stay as they are. Knows no model.
"""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("calibration.json")
EDGE = 1e-3
"""Shares are held this far from 0 and 1. Of 1e-4, 1e-3 and 1e-2 it left the smallest calibration error over five folds of 1,100
choices: a small model's share of .9999 was right no more often than one of .999."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """One source's map. Raises ValueError unless both numbers are finite and the slope is not negative."""

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        """Refuse what would turn the order of shares round."""
        if not (math.isfinite(self.slope) and math.isfinite(self.intercept) and self.slope >= 0):
            raise ValueError(f"slope {self.slope} and intercept {self.intercept} are no growing map")

    def of(self, share: float) -> float:
        """Return the confidence (0-1) of a share (0-1); it never falls where the share grows."""
        held = min(max(share, EDGE), 1.0 - EDGE)
        odds = self.slope * math.log(held / (1.0 - held)) + self.intercept
        return 1.0 / (1.0 + math.exp(-odds)) if odds >= 0 else math.exp(max(odds, -700.0)) / (1.0 + math.exp(odds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What the file says; `weights` is the version of the model whose shares were looked at, "" for none."""

    weights: str
    maps: Mapping[str, Scaling]

    def confidence(self, share: float, source: str, *, weights: str) -> float:
        """Return the confidence of a `share` of `source`, given by the model of version `weights` ("" for a remote one).

        Scores of the ranker do not depend on the model.
        """
        if _is_model(source) and weights != self.weights:
            if weights and self.weights:
                _tell_once(weights, self.weights)
            return share
        scaling = self.maps.get(source) or self.maps.get(pooled(source))
        return share if scaling is None else scaling.of(share)


def confidence(share: float, source: str, *, weights: str) -> float:
    """Return what the installed calibration makes of a share; see `Calibration.confidence`."""
    return fitted().confidence(share, source, weights=weights)


def source_of(task: str, decided_by: str, *, table: bool, none: bool = False) -> str:
    """Return the name of a source: `act/text`, `refer/table`, and `none/...` for "no mark fits", whatever the task.

    A model that was told what is written at the marks (`table`) errs in other ways than one that had to look (`pixels`).
    A phrase is looked up as an expression of `refer` is.
    """
    who = decided_by if decided_by != "model" else "table" if table else "pixels"
    return f"{'none' if none else 'refer' if task == 'phrases' else task}/{who}"


def pooled(source: str) -> str:
    """Return the source that stands in for one with too few choices of its own: the same decider in any task."""
    task, _, who = source.partition("/")
    return source if task == "none" else f"any/{who}"


@cache
def fitted() -> Calibration:
    """Return what the file says; read once. Raises ValueError for a map that does not grow."""
    return read(FILE.read_text(encoding="utf-8"))


def read(text: str) -> Calibration:
    """Return the calibration in `text`, the file's JSON; raises ValueError like `fitted`."""
    body = json.loads(text)
    return Calibration(
        weights=str(body["weights"]),
        maps={
            source: Scaling(slope=float(found["slope"]), intercept=float(found["intercept"]))
            for source, found in body["maps"].items()
        },
    )


def _is_model(source: str) -> bool:
    return source.endswith(("/table", "/pixels"))


@cache
def _tell_once(loaded: str, known: str) -> None:
    _logger.warning(
        "the confidences of this model stay uncalibrated: calibration.json was fitted for the weights %s, these are %s; "
        "`markwise evaluate calibration` fits it anew",
        known,
        loaded,
    )
