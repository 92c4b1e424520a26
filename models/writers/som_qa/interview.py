"""SoM-QA out of our own small model: it cannot write a conversation, but it answers the short questions it was taught.

Called by `taught`. The questions are drawn by seed; the answers are the model's own.
"""

import random
from collections.abc import Iterator

from models.vlm.prompts import COUNT_TEMPLATES, WHAT_TEMPLATES
from models.vlm.types import VlmBackend
from models.writers.asking import Asked, Outcome
from models.writers.som_qa.reading import Pairs, problems_of
from models.writers.types import TaggedPicture


def interview(tagged: TaggedPicture, asked: Asked, backend: VlmBackend, *, turns: int, seed: int) -> Outcome[Pairs]:
    """Return `turns` questions with the model's answers; each question is one call, counted as one try in all."""
    pairs = []
    for question in _questions(tagged, turns, random.Random(f"interview:{seed}")):
        reply = tagged.grounded(backend, "ask", question)
        asked.count(reply)
        pairs.append((question, reply.text))
    asked.tries += 1
    problems = problems_of(tuple(pairs), [mark.id for mark in tagged.marks], least_turns=turns)
    return Outcome(text="", read=tuple(pairs), problems=tuple(problems))


def _questions(tagged: TaggedPicture, turns: int, draw: random.Random) -> Iterator[str]:
    marks = [mark.id for mark in tagged.marks]
    draw.shuffle(marks)
    for number in range(turns):
        if number == turns - 1 and turns > 1:
            yield draw.choice(COUNT_TEMPLATES)
        else:
            yield draw.choice(WHAT_TEMPLATES).format(mark=marks[number % len(marks)])
