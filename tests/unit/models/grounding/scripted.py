"""A model that answers what a test wants, and requests about a screen of boxes."""

from collections.abc import Generator, Sequence

import numpy as np

from models.grounding import GroundRequest
from models.marks import Marking, mark
from models.regions import Regions
from models.vlm.types import NONE, ChoiceReply, Dialect, VlmReply, VlmRequest

SIZE_HW = (300, 500)
IMAGE = np.full((*SIZE_HW, 3), 200, np.uint8)


class Scripted:
    """Answers from a list of texts and of favourite choices, and keeps what it was asked."""

    name, version = "scripted", "7"

    def __init__(
        self, *texts: str, favourites: Sequence[str] = (), dialect: Dialect = "general", input_px: int | None = None
    ) -> None:
        self.dialect = dialect
        self.input_px = input_px
        self.texts = list(texts)
        self.favourites = list(favourites)
        self.requests: list[VlmRequest] = []
        self.choices: list[tuple[str, ...]] = []

    def ready(self) -> None: ...

    def generate(self, request: VlmRequest) -> VlmReply:
        self.requests.append(request)
        return VlmReply(text=self.texts.pop(0), prompt_tokens=5, completion_tokens=2, finish_reason="stop")

    def stream(self, request: VlmRequest) -> Generator[str, None, VlmReply]:
        reply = self.generate(request)
        yield from reply.text.partition(" ")
        return reply

    def weigh(self, request: VlmRequest, answers: Sequence[str]) -> ChoiceReply:
        self.requests.append(request)
        self.choices.append(tuple(answers))
        favourite = next((each for each in answers if each.strip("[].") in self.favourites), answers[0])
        rest = 0.2 / max(1, len(answers) - 1)
        shares = {answer: 0.8 if answer == favourite else rest for answer in answers}
        return ChoiceReply(probabilities=shares, prompt_tokens=5, completion_tokens=2)

    def choose(self, request: VlmRequest, choices: Sequence[str]) -> ChoiceReply:
        self.requests.append(request)
        self.choices.append(tuple(choices))
        favourite = next((each for each in self.favourites if each in choices), NONE)
        shares = {choice: 0.8 if choice == favourite else 0.2 / len(choices) for choice in (*choices, NONE)}
        return ChoiceReply(probabilities=shares, prompt_tokens=5, completion_tokens=2)


def screen(texts: Sequence[str | None], roles: Sequence[str | None] | None = None) -> tuple[Regions, Marking]:
    """Boxes in rows of ten, in reading order, so that mark 1 is the first of `texts`."""
    boxes = [
        [10 + 48 * (i % 10), 10 + 28 * (i // 10), 50 + 48 * (i % 10), 30 + 28 * (i // 10)] for i in range(len(texts))
    ]
    regions = Regions.from_boxes(
        SIZE_HW, np.array(boxes, np.float32).reshape(-1, 4), texts=texts, roles=roles or [None] * len(texts)
    )
    return regions, mark(IMAGE, regions)[1]


def asked(texts: Sequence[str | None], query: str, task: str = "ask", **fields: object) -> GroundRequest:
    regions, marking = screen(texts)
    by_region = {m.region_index: m.id for m in marking.marks}
    assert [by_region[i] for i in range(len(texts))] == [str(i + 1) for i in range(len(texts))]
    return GroundRequest(
        **{"image": IMAGE, "regions": regions, "marking": marking, "query": query, "task": task} | fields
    )


MENU = ("Home", "Save", "Open", "Help")
PLAIN = (None, None, None)
