"""From the samples of one part to those that are taken: reads each sample once and keeps a few bytes of it.

The rules apply in this order: held-out pictures, noun phrases, coreset by concepts, yes and no, as many of each kind, as
many in all. Called by the dataset build with a stream of faultless samples; knows nothing of stages and of other parts.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.mixtures.coreset import informative, overlap, sampled
from models.mixtures.draws import held_out, identity
from models.mixtures.noun_phrases import PhraseTable, phrases
from models.mixtures.recipe import HoldOut, Part
from models.mixtures.samples import Sample
from models.mixtures.yes_no import Asked, surplus, verdict


@dataclass(slots=True, kw_only=True)
class Chosen:
    """What a part gives: sample numbers in the order of reading, rounds dropped from some, and how it came to that.

    `identities` and `pictured` have an entry per sample read; `report` counts what is left after each rule.
    """

    name: str
    repeat: int
    indices: Sequence[int]
    dropped: Mapping[int, list[int]]
    identities: "array[int]"
    pictured: bytearray
    report: dict[str, int]


@dataclass(slots=True)
class _Read:
    """What is kept of the samples of a part, an entry each."""

    identities: "array[int]" = field(default_factory=lambda: array("Q"))
    pictured: bytearray = field(default_factory=bytearray)
    kinds: "array[int]" = field(default_factory=lambda: array("B"))
    scores: "array[int]" = field(default_factory=lambda: array("H"))
    verdicts: list[str] = field(default_factory=list)
    phrases: PhraseTable = field(default_factory=PhraseTable)
    in_split: bytearray = field(default_factory=bytearray)
    kind_names: dict[str, int] = field(default_factory=dict)


def choose(part: Part, samples: Iterable[Sample], *, seed: int, hold_out: HoldOut | None = None) -> Chosen:
    """Return which of `samples` a part takes."""
    hold_out = hold_out if part.hold_out else None
    read = _read(part, samples, hold_out)
    report = {"read": len(read.identities)}
    left: Sequence[int] = range(len(read.identities))
    if hold_out is not None:
        left = [index for index in left if read.in_split[index]]
        report["in_split"] = len(left)
    if part.noun_phrases is not None:
        rule = part.noun_phrases
        capped = set(read.phrases.capped(seed=seed, skip_below=rule.skip_below, cap=rule.cap))
        left = [index for index in left if index in capped]
        report["after_noun_phrases"] = len(left)
    if part.coreset is not None:
        left = _informative(read, left, seed=seed, keep=part.coreset.keep)
        report["after_coreset"] = len(left)
    dropped: dict[int, list[int]] = {}
    if part.yes_per_no is not None:
        left, dropped = _balanced(read, left, seed=seed, ratio=part.yes_per_no, report=report)
    if part.coreset is not None and part.coreset.per_kind is not None:
        left = _of_each_kind(read, left, seed=seed, count=part.coreset.per_kind)
        report["after_per_kind"] = len(left)
    if part.take is not None and part.take < len(left):
        left = sampled(_identified(read, left), part.take, seed=seed, purpose="take")
    report["taken"] = len(left)
    if part.take is not None:
        report["wanted"] = part.take
    return Chosen(
        name=part.name,
        repeat=part.repeat,
        indices=left if isinstance(left, range) else array("Q", left),
        dropped=dropped,
        identities=read.identities,
        pictured=read.pictured,
        report=report,
    )


def _read(part: Part, samples: Iterable[Sample], hold_out: HoldOut | None) -> _Read:
    """One pass; what no rule of the part asks for is not computed."""
    read = _Read()
    for sample in samples:
        read.identities.append(identity(sample.key))
        read.pictured.append(sample.image is not None)
        read.kinds.append(read.kind_names.setdefault(sample.kind, len(read.kind_names)))
        if hold_out is not None:
            read.in_split.append(_in_split(sample, hold_out))
        if part.noun_phrases is not None:
            answers = " . ".join(answer for _, answer in sample.pairs())
            read.phrases.add(read.identities[-1], phrases(answers))
        if part.coreset is not None:
            read.scores.append(overlap(sample.pairs()))
        if part.yes_per_no is not None:
            read.verdicts.append("".join((verdict(*pair) or "-")[0] for pair in sample.pairs()))
    return read


def _in_split(sample: Sample, hold_out: HoldOut) -> bool:
    """Text alone has no picture that a test could meet: it belongs to training."""
    tested = sample.picture is not None and held_out(sample.picture, hold_out.share)
    return tested == (hold_out.split == "test")


def _identified(read: _Read, left: Iterable[int]) -> Iterator[tuple[int, int]]:
    return ((index, read.identities[index]) for index in left)


def _by_kind(read: _Read, left: Iterable[int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for index in left:
        groups.setdefault(read.kinds[index], []).append(index)
    return groups


def _informative(read: _Read, left: Iterable[int], *, seed: int, keep: float) -> list[int]:
    kept: list[int] = []
    for group in _by_kind(read, left).values():
        scored = [(index, read.identities[index], read.scores[index]) for index in group]
        kept += informative(scored, seed=seed, keep=keep)
    return sorted(kept)


def _of_each_kind(read: _Read, left: Iterable[int], *, seed: int, count: int) -> list[int]:
    kept: list[int] = []
    for group in _by_kind(read, left).values():
        kept += sampled(_identified(read, group), count, seed=seed, purpose="per kind")
    return sorted(kept)


def _balanced(
    read: _Read, left: Sequence[int], *, seed: int, ratio: float, report: dict[str, int]
) -> tuple[list[int], dict[int, list[int]]]:
    """Drop surplus rounds, and the samples of which none is left."""
    asked: list[Asked] = [
        (index, read.identities[index], number)
        for index in left
        for number, said in enumerate(read.verdicts[index])
        if said == "y"
    ]
    said = Counter(letter for index in left for letter in read.verdicts[index])
    dropped = surplus(asked, said["n"], seed=seed, ratio=ratio)
    empty = {index for index, numbers in dropped.items() if len(numbers) == len(read.verdicts[index])}
    kept = [index for index in left if index not in empty]
    rounds = sum(map(len, dropped.values()))
    report |= {"yes": said["y"], "no": said["n"], "yes_dropped": rounds, "after_yes_per_no": len(kept)}
    return kept, {index: numbers for index, numbers in dropped.items() if index not in empty}
