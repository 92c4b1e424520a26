"""Records as long as those of LLaVA-1.5's instruction mixture, with words that mean nothing. Called by `tests.bench.training`.

How many records each part has is published with LLaVA-1.5 (665 thousand in all). How long they are is put together from what is
published of the parts: questions per picture, the sizes of LLaVA's own files, and the window of 2,048 tokens that the chats of
ShareGPT are cut to. The mixture itself was not at hand.
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from PIL import Image

from models.training.conversations import Conversation

WORDS = ("one", "two", "red", "circle", "square", "left", "of", "the", "blue", "and")


@dataclass(frozen=True)
class Part:
    """One source: thousands of records, and how many tokens they ask and answer in all their turns together."""

    records_k: int
    asked: tuple[int, int]
    answered: tuple[int, int]
    picture: bool = True


PARTS = {
    "LLaVA conversations": Part(57, (50, 120), (130, 330)),
    "LLaVA descriptions": Part(23, (8, 16), (90, 170)),
    "LLaVA reasoning": Part(77, (12, 32), (110, 230)),
    "ShareGPT": Part(40, (50, 400), (500, 1640), picture=False),
    "VQAv2": Part(83, (45, 90), (8, 25)),
    "GQA": Part(72, (100, 230), (25, 55)),
    "OKVQA": Part(9, (22, 32), (2, 3)),
    "OCR-VQA": Part(80, (60, 90), (20, 55)),
    "A-OKVQA": Part(66, (45, 75), (2, 2)),
    "TextCaps": Part(22, (30, 110), (12, 24)),
    "RefCOCO": Part(48, (100, 300), (60, 260)),
    "Visual Genome": Part(86, (150, 400), (120, 300)),
}


def llava_like(folder: Path, count: int, scale: int) -> list[Conversation]:
    """`count` records drawn from the parts, all lengths divided by `scale`; the same each time. Their picture lies in `folder`."""
    rng = Random(0)
    Image.effect_noise((120, 90), 60).convert("RGB").save(folder / "p.png")
    sources, weights = list(PARTS.values()), [part.records_k for part in PARTS.values()]
    records = []
    for number, part in enumerate(rng.choices(sources, weights, k=count)):
        asked, answered = (_words(rng, span, scale) for span in (part.asked, part.answered))
        question = f"<image>\n{asked}" if part.picture else asked
        image = "p.png" if part.picture else None
        records.append(Conversation(id=str(number), image=image, turns=((question, answered),)))
    return records


def _words(rng: Random, span: tuple[int, int], scale: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(max(1, round(rng.randint(*span) / scale))))
