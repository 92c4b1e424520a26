"""A finder's training as a run of the trainer: reports as every recipe does, keeps its place, tries what it has taught.

Called by `models.training.run`. Knows no catalog and no HTTP.
"""

import json
from pathlib import Path
from typing import Final

from models.errors import BadInput
from models.finder import RECIPE
from models.finder.check import Corpus, check
from models.finder.net import save
from models.finder.train import STEPS, Stopped, train
from models.training.events import Reporter
from models.training.loop import StopFlag
from models.training.spec import Spec

FEWEST, MOST, ONE_TAGGED_IN = 10, 100, 10
_LAST: Final = 20  # steps over which the loss that is told is the mean


def teach(spec: Spec, out: Path, reporter: Reporter, stop: StopFlag) -> bool:
    """Teach a finder into `out/model`; False if asked to stop before it is done. Raises BadInput, WeightsMissing.

    It is tried on as many drawn pictures as it took steps, 10 to 100, a tenth of them tagged: a short training is not worth a
    long trial.
    """
    if spec.base is None:
        raise BadInput(f"{RECIPE} needs a base: the checkpoint whose vision tower it starts from")
    if reporter.rank > 0:
        return True  # one process teaches: there is too little to share out
    steps = spec.steps or STEPS
    losses: list[float] = []

    def told(step: int, loss: float) -> None:
        losses.append(loss)
        reporter.metric(stage="teach", step=step, loss=loss)
        reporter.progress(stage="teach", done=step, total=steps)

    try:
        finder = train(
            Path(spec.base), steps=steps, seed=spec.seed, told=told, kept=out / "kept", stopped=lambda: stop.asked
        )
    except Stopped:
        return False
    pictures = min(MOST, max(FEWEST, steps))
    corpus = Corpus(pictures=pictures, tagged=max(1, pictures // ONE_TAGGED_IN), seed=spec.seed)
    found = check(finder, corpus, lambda done: reporter.progress(stage="try", done=done, total=pictures))
    figures = {name: value for name, value in found.items() if isinstance(value, float)}
    reporter.metric(stage="try", step=steps, **figures)
    about = {"steps": steps, "seed": spec.seed, "loss": sum(losses[-_LAST:]) / len(losses[-_LAST:]) if losses else None}
    save(finder, out / "model", about)
    (out / "metrics.json").write_text(json.dumps({**about, **found}), encoding="utf-8")
    return True
