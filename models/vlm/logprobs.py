"""Turns the token alternatives of one constrained answer into a probability for every choice. Called by `openai` only.

A server shows, for each token it took, the likeliest tokens it could have taken. Where an alternative fits exactly one choice,
that choice's own probability is known; where it fits several ("2" begins 2 and 20 to 29), its mass is shared among them equally
and they are reported as estimated. Tokens are compared by their text without blanks, so any tokenizer will do: where "M", "Mark"
and " Mark" leave the same choices open, they are one branch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStep:
    """One generated token: its text, its natural log probability, and the alternatives at its place (itself may be among them)."""

    token: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Probabilities that sum to 1 over all choices, and the choices whose value is not their own."""

    probabilities: dict[str, float]
    estimated: frozenset[str]


def weigh(steps: Sequence[TokenStep], answers: Mapping[str, str], chosen: str) -> Weights:
    """Return a weight for every choice. `answers` maps answer text to choice; `chosen` is the choice that was answered."""
    keys = {compact(text): choice for text, choice in answers.items()}
    mass_of = dict.fromkeys(keys.values(), 0.0)
    estimated = set(mass_of)
    path, mass = "", 1.0
    for step in steps:
        if _sole(keys, path) is not None:
            break
        taken = path + compact(step.token)
        open_after = _open(keys, taken)
        taken_mass = 0.0
        for text, logprob in (dict(step.alternatives) | {step.token: step.logprob}).items():
            share = mass * _probability(logprob)
            open_here = _open(keys, path + compact(text))
            if open_here == open_after:
                taken_mass += share
            elif compact(text):
                for choice in open_here:
                    mass_of[choice] += share / len(open_here)
                if len(open_here) == 1:
                    estimated -= open_here
        path, mass = taken, taken_mass
    last = _sole(keys, path)
    if last is not None:
        mass_of[last] += mass
        estimated.discard(last)
    total = sum(mass_of.values())
    if last != chosen or total <= 0.0:
        return Weights(
            probabilities={choice: float(choice == chosen) for choice in mass_of}, estimated=frozenset(mass_of)
        )
    return Weights(
        probabilities={choice: value / total for choice, value in mass_of.items()}, estimated=frozenset(estimated)
    )


def difference(one: TokenStep, other: TokenStep) -> float:
    """Return by how much the log probabilities at two places differ: the largest gap of a token that both show, or infinity."""
    here, there = (dict(step.alternatives) | {step.token: step.logprob} for step in (one, other))
    return max((abs(here[token] - there[token]) for token in here.keys() & there.keys()), default=math.inf)


def compact(text: str) -> str:
    """Return `text` without blanks and without the signs that tokenizers write for them."""
    return "".join(text.replace("\u2581", "").replace("\u0120", "").split())


def _open(keys: Mapping[str, str], path: str) -> set[str]:
    return {choice for key, choice in keys.items() if key.startswith(path)}


def _sole(keys: Mapping[str, str], path: str) -> str | None:
    fitting = _open(keys, path)
    return fitting.pop() if len(fitting) == 1 else None


def _probability(logprob: float) -> float:
    # Servers write -9999 or null-like values for "impossible"; exp handles the first, a NaN must not spread.
    return math.exp(min(0.0, logprob)) if math.isfinite(logprob) else 0.0
