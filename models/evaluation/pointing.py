"""Whether a model looks at what it is asked about: attention inside the tagged region, and the pointing game, over a dataset.

Three looks, each with marks painted and without. `phrase`: the words of "Which mark is the red circle?" that name the
thing. `writing`: the places where the model decides on the words of its name, asked "What is mark 3?" (MMGiC, appendix
C.9, looks at the predicted token). `reading`: those words once written. The last two know which thing is meant only from the
mark, so what they see without marks is the control. Layers and heads go by the rule of `attention`. Knows no file.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from models.evaluation.attention import Attended, AttentionProbe, Look, Words
from models.evaluation.pictured import Phrase, Pictured, region_in_square
from models.marks import paint_for_model
from models.marks.for_model import fit_square
from models.vlm import prompts

Kind = Literal["phrase", "writing", "reading"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
ROUNDS: Final = 1000
_WORDS: Final[Mapping[Kind, Words]] = {"phrase": "query", "writing": "writing", "reading": "answer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a look is taken: which layers and heads (None: all) are averaged, and in which style marks are painted."""

    style: str = "markwise"
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """One look: its share inside the region, the region's share of the picture, the mean share in the other regions.

    `hit`: the highest patch lies in the region. `layers` hold (share, hit) of each layer alone.
    """

    picture: str
    tags: bool
    kind: Kind
    share: float
    area: float
    others: float
    hit: bool
    layers: tuple[tuple[float, bool], ...]


@dataclass(slots=True, kw_only=True)
class Pointings:
    """All looks of a model; `too_small` counts regions that hold no patch's middle, which nothing could point into."""

    rows: list[Pointed] = field(default_factory=list)
    too_small: int = 0


def measure(probe: AttentionProbe, pictures: Iterable[Pictured], rule: Rule, *, each: int = 3) -> Iterator[Pointings]:
    """Look at up to `each` things of every picture, the same for every model; yields what one picture gave."""
    for pictured in pictures:
        found = Pointings()
        chance = Random(f"pointing:{pictured.key}")
        phrases = sorted(chance.sample(pictured.phrases, min(each, len(pictured.phrases))), key=lambda one: one.region)
        masks = [region_in_square(pictured.regions, i, probe.input_px) for i in range(len(pictured.regions))]
        pixels = pictured.read() if phrases else None
        for phrase in phrases:
            if not _pointable(masks[phrase.region], probe.grid):
                found.too_small += 1
                continue
            for tags in (True, False):
                shown = seen(pictured, pixels, probe.input_px, rule.style, tags=tags)
                for kind, attended in _attended(probe, shown, pictured, phrase):
                    only = phrase.text if kind == "phrase" else pictured.names[phrase.region]
                    found.rows.append(_pointed(pictured.key, tags, kind, attended, only, rule, masks, phrase.region))
        yield found


def seen(
    pictured: Pictured, pixels: NDArray[np.uint8] | None, size_px: int, style: str, *, tags: bool
) -> NDArray[np.uint8]:
    """Return what the model sees, (S, S, 3): the fitted picture, with the marks of all regions or without any."""
    image = pictured.read() if pixels is None else pixels
    if not tags:
        return fit_square(image, size_px)[0]
    return paint_for_model(image, pictured.regions, pictured.ids, style, size_px)


def asked(pictured: Pictured, phrase: Phrase, kind: Kind) -> tuple[str, str | None]:
    """Return the query of a look, and the answer that is read with it."""
    if kind == "phrase":
        return prompts.WHICH_TEMPLATES[0].replace("{phrase}", f"the {phrase.text}"), None
    query = prompts.WHAT_TEMPLATES[0].replace("{mark}", pictured.ids[phrase.region])
    return query, f"{pictured.names[phrase.region]}."


def summary(rows: Sequence[Pointed]) -> list[dict[str, Any]]:
    """Return a line for each kind of look, with marks and without: means, gain over the area, 95 % of a bootstrap of pictures."""
    found = []
    for kind in KINDS:
        for tags in (True, False):
            chosen = [row for row in rows if row.kind == kind and row.tags is tags]
            if chosen:
                found.append({"look": kind, "tags": tags, **_means(chosen)})
    return found


def _attended(
    probe: AttentionProbe, shown: NDArray[np.uint8], pictured: Pictured, phrase: Phrase
) -> Iterator[tuple[Kind, Attended]]:
    yield "phrase", probe.attend(shown, *asked(pictured, phrase, "phrase"))
    both = probe.attend(shown, *asked(pictured, phrase, "writing"))
    yield "writing", both
    yield "reading", both


def _pointed(
    key: str,
    tags: bool,
    kind: Kind,
    attended: Attended,
    only: str,
    rule: Rule,
    masks: Sequence[NDArray[np.bool_]],
    region: int,
) -> Pointed:
    def look(layers: Sequence[int] | None) -> Look:
        return attended.look(_WORDS[kind], only=only, layers=layers, heads=rule.heads)

    whole, mask = look(rule.layers), masks[region]
    others = [whole.share_in(other) for i, other in enumerate(masks) if i != region]
    alone = [look([layer]) for layer in range(attended.layers)]
    return Pointed(
        picture=key,
        tags=tags,
        kind=kind,
        share=whole.share_in(mask),
        area=float(mask.mean()),
        others=float(np.mean(others)) if others else 0.0,
        hit=whole.points_into(mask),
        layers=tuple((one.share_in(mask), one.points_into(mask)) for one in alone),
    )


def _pointable(mask: NDArray[np.bool_], grid: int) -> bool:
    middles = ((np.arange(grid) + 0.5) * mask.shape[0] / grid).astype(np.int64)
    return bool(mask[np.ix_(middles, middles)].any())


def _means(rows: Sequence[Pointed]) -> dict[str, Any]:
    pictures = sorted({row.picture for row in rows})
    index = {name: i for i, name in enumerate(pictures)}
    table = np.zeros((len(pictures), 5))
    for row in rows:
        table[index[row.picture]] += (1, row.share, row.area, row.others, row.hit)
    n, share, area, others, hits = table.sum(axis=0).tolist()
    drawn = np.random.default_rng(0).multinomial(len(pictures), np.full(len(pictures), 1 / len(pictures)), size=ROUNDS)
    sums = drawn @ table
    return {
        "n": int(n),
        "pictures": len(pictures),
        "share": share / n,
        "share_95": _middle(sums[:, 1] / sums[:, 0]),
        "area": area / n,
        "gain": share / area,
        "others": others / n,
        "pointing": hits / n,
        "pointing_95": _middle(sums[:, 4] / sums[:, 0]),
        "layers": [
            {
                "share": float(np.mean([row.layers[i][0] for row in rows])),
                "pointing": float(np.mean([row.layers[i][1] for row in rows])),
            }
            for i in range(len(rows[0].layers))
        ],
    }


def _middle(values: NDArray[np.float64]) -> list[float]:
    low, high = np.percentile(values, (2.5, 97.5)).tolist()
    return [low, high]
