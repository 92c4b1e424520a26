"""Makes POPE-style probes from what is known of images: is there a THING in the picture? (POPE, arXiv 2305.10355, section 4)

Each picture is asked about as many things that are there as are not. Which absent things: any (`random`), the most
frequent in the set (`popular`), or those that stand most often beside the things that are there (`adversarial`).
The questions are in LLaVA's layout, so that `evaluate run` and `evaluate score` read them. Knows no file and no model.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal, get_args

from models.errors import BadEvaluation

Sampling = Literal["random", "popular", "adversarial"]
SAMPLINGS: Final[tuple[Sampling, ...]] = get_args(Sampling)
PAIRS: Final = 3  # present and absent things asked about per picture, as in the paper
_SUFFIX: Final = "\nAnswer the question using a single word or phrase."


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question about one picture; `present` is the true answer."""

    image: str
    thing: str
    present: bool

    def question(self, question_id: int, sampling: Sampling) -> dict[str, Any]:
        """Return a line of a question file."""
        return {"question_id": question_id, "image": self.image, "text": self.text + _SUFFIX, "category": sampling}

    def label(self, question_id: int) -> dict[str, Any]:
        """Return a line of a label file."""
        label = "yes" if self.present else "no"
        return {"question_id": question_id, "image": self.image, "text": self.text, "label": label}

    @property
    def text(self) -> str:
        """The question."""
        article = "an" if self.thing[:1].lower() in "aeiou" else "a"
        return f"Is there {article} {self.thing} in the image?"


def fit_pictures(things: Mapping[str, Sequence[str]], most: int | None, seed: int = 0) -> list[str]:
    """Return the pictures that can be asked about, at most `most` of them drawn by the seed, in the order of `things`.

    A larger `most` holds every smaller one. The paper asks about 500.
    """
    fit = [image for image, names in things.items() if len(set(names)) >= PAIRS]
    if most is None or len(fit) <= most:
        return fit
    chosen = set(sorted(fit, key=lambda image: Random(f"{seed}:picture:{image}").random())[:most])
    return [image for image in fit if image in chosen]


def probes(
    things: Mapping[str, Sequence[str]], sampling: Sampling, seed: int = 0, *, about: Collection[str] | None = None
) -> list[Probe]:
    """Return the probes of every picture that shows at least PAIRS kinds of things, in the order of `things`.

    `things` maps a picture to the names of what it shows; names may repeat. What is frequent, and what stands beside
    what, is counted over all of them, also where only some are asked `about`. Raises BadEvaluation where the set knows
    too few kinds of things to ask about absent ones.
    """
    shown = {image: sorted(set(names)) for image, names in things.items()}
    frequency = Counter(name for names in shown.values() for name in names)
    beside = _beside(shown.values())
    found: list[Probe] = []
    for image, present in shown.items():
        if len(present) < PAIRS or (about is not None and image not in about):
            continue
        absent = [name for name in frequency if name not in present]
        if len(absent) < PAIRS:
            raise BadEvaluation(
                f"{image} shows nearly every kind of thing of the set, so nothing absent can be asked about"
            )
        random = Random(f"{seed}:{sampling}:{image}")
        asked = random.sample(present, PAIRS)
        for here, gone in zip(asked, _absent(absent, asked, sampling, random, frequency, beside), strict=True):
            found += [Probe(image=image, thing=here, present=True), Probe(image=image, thing=gone, present=False)]
    return found


def _absent(
    absent: Sequence[str],
    asked: Sequence[str],
    sampling: Sampling,
    random: Random,
    frequency: Counter[str],
    beside: Mapping[str, Counter[str]],
) -> Iterator[str]:
    """Yield one absent thing for each thing asked about, none twice; ties go by name, so that a seed says all."""
    match sampling:
        case "random":
            yield from random.sample(sorted(absent), len(asked))
        case "popular":
            yield from sorted(absent, key=lambda name: (-frequency[name], name))[: len(asked)]
        case "adversarial":
            taken: set[str] = set()
            for here in asked:
                left = (name for name in absent if name not in taken)
                chosen = min(left, key=lambda name: (-beside[here][name], -frequency[name], name))
                taken.add(chosen)
                yield chosen


def _beside(shown: Any) -> dict[str, Counter[str]]:
    """Count in how many pictures each thing stands beside each other thing."""
    together: dict[str, Counter[str]] = {}
    for names in shown:
        for name in names:
            together.setdefault(name, Counter()).update(other for other in names if other != name)
    return together
