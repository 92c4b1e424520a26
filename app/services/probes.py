"""Yes-no probes about images of the catalog, from what imports say they show. Called by the route; rules are in `models.evaluation.probes`."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.image_facts import ImageFactsRepository
from app.errors import Unprocessable
from app.services.learning import select_images
from models.errors import BadEvaluation
from models.evaluation.probes import SAMPLINGS, Sampling, fit_pictures, probes


def make(
    session: Session,
    *,
    label: str | None,
    import_: UUID | None,
    sources: Sequence[str] | None,
    samplings: Sequence[Sampling] = SAMPLINGS,
    seed: int,
    pictures: int,
) -> list[str]:
    """Return the questions as JSON lines, each with its truth, pictures named `{id}.png`; raises NotFound or Unprocessable."""
    if (label is None) == (import_ is None):
        raise Unprocessable("Give exactly one of `label` and `import`: the images that the probes are about.")
    selector = {"label": label} if import_ is None else {"import_": import_}
    shown = ImageFactsRepository(session).labels_of(select_images(session, selector), sources)
    things = {f"{image_id}.png": names for image_id, names in shown.items()}
    about = frozenset(fit_pictures(things, pictures, seed))
    if not about:
        raise Unprocessable(
            f"Of the {len(things)} chosen images that imports know, none shows three kinds of things: there is nothing to ask about."
        )
    try:
        made = [(sampling, one) for sampling in samplings for one in probes(things, sampling, seed, about=about)]
    except BadEvaluation as exc:
        raise Unprocessable(str(exc)) from None
    return list(_lines(made))


def _lines(made: Sequence[tuple[Sampling, Any]]) -> Iterator[str]:
    for number, (sampling, probe) in enumerate(made, 1):
        line = {**probe.question(number, sampling), "label": probe.label(number)["label"]}
        yield json.dumps(line, ensure_ascii=False) + "\n"
