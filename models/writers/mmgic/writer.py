"""The writer of concept documents: facts of an image, explained by a teacher where there is one, as turns or as pictures and text.

Everything that is drawn by lot comes from the subject's seed: template and descriptions with probability one half each, the order
of crops, the questions. Without a teacher the labels have the descriptions that the order brings, or none, and the caption is
a person's. Called by `workers.annotating` through the registry; knows no SQL and no server.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from models.errors import BadInput, BadOutput
from models.facts import ImageFacts
from models.vlm.types import Message
from models.writers.asking import Asked
from models.writers.mmgic.captions import (
    MAX_ROUNDS,
    CaptionChoice,
    CaptionScorer,
    caption_messages,
    choose_caption,
    read_captions,
)
from models.writers.mmgic.concepts import PROMPT_VERSION
from models.writers.mmgic.contents import LAYERS, MIN_NARRATIVE_WORDS, Contents, Layer, contents_of, only_up_to
from models.writers.mmgic.descriptions import Descriptions
from models.writers.mmgic.documents import Template, document_of
from models.writers.mmgic.fitting import IMAGE_TOKENS, MAX_TOKENS, TURN_TOKENS, estimate_tokens, fit
from models.writers.mmgic.turns import cut_out_turns, turns_of
from models.writers.svit.context import context_of
from models.writers.types import CUT, IMAGE, Draft, Similarity, Subject, Teacher, Turn, WriterOptions

P_DROP_DESCRIPTIONS: Final = 0.5
P_IMAGE_FIRST: Final = 0.5
CAPTION_TOKENS: Final = 1_024
Samples = tuple[tuple[Turn, ...], ...]
"""The turns of the document, then of each part that is cut out."""
OPTIONS: Final = frozenset({"cut_out", "descriptions", "image_tokens", "max_tokens", "up_to"})


class MmgicWriter:
    """Concept documents.

    `extra`: `cut_out` makes each part a text of its own whose picture is the part, `descriptions` are ready ones by
    `kind:label`, `image_tokens` is what a picture costs (576), `max_tokens` the context (2,048). `up_to` tells less, for
    ablations: captions, labels, descriptions or regions (all).
    """

    name = "mmgic"
    prompt_version = PROMPT_VERSION

    def __init__(
        self,
        options: WriterOptions,
        *,
        count_tokens: Callable[[str], int] = estimate_tokens,
    ) -> None:
        """`count_tokens` is the trainer's tokenizer; raises BadInput for unknown options."""
        if options.kind != "concept_document":
            raise BadInput(f"the writer mmgic writes concept_document texts, not {options.kind!r}")
        if options.mode is not None:
            raise BadInput(f"the writer mmgic has no modes; leave `mode` out instead of {options.mode!r}")
        if unknown := set(options.extra).difference(OPTIONS):
            raise BadInput(f"the writer mmgic has no option {min(unknown)!r}; it has {', '.join(sorted(OPTIONS))}")
        self._cut_out = bool(options.extra.get("cut_out", False))
        self._image_tokens = int(options.extra.get("image_tokens", IMAGE_TOKENS))
        self._limit = int(options.extra.get("max_tokens", MAX_TOKENS))
        self._up_to: Layer = options.extra.get("up_to", LAYERS[-1])
        if self._up_to not in LAYERS:
            raise BadInput(f"`up_to` is one of {', '.join(LAYERS)}; not {str(self._up_to)[:40]!r}")
        # A description that is not told is not paid for.
        self._explains = LAYERS.index(self._up_to) >= LAYERS.index("descriptions")
        if self._image_tokens < 0 or self._limit < 1:
            raise BadInput("`image_tokens` cannot be negative, and `max_tokens` must be at least 1")
        self._book = Descriptions(options.extra.get("descriptions"), tries=options.tries, ledger=options.ledger)
        self._count, self._estimated = count_tokens, count_tokens is estimate_tokens
        self._similarity = options.similarity

    def write(self, subject: Subject, teacher: Teacher | None) -> Sequence[Draft]:
        """Return one document and its cut-outs; raises like `Writer.write`, also where no box or nothing fits."""
        if subject.facts is None or not subject.facts.objects:
            raise BadInput("mmgic writes about objects with boxes: import annotations of this image first")
        if teacher is not None and teacher.dialect == "tiny":
            raise BadInput(f"{teacher.name} answers short questions about marks only; use a large model or none")
        asked = None if teacher is None else Asked(teacher)
        caption = self._caption(subject, subject.facts, asked)
        contents = contents_of(
            subject.facts,
            None if caption is None else caption.text,
            lambda concept: self._book.of(concept, asked if self._explains else None, subject.seed),
            Random(f"{subject.seed}:crops"),
        )
        if contents is None:
            raise BadInput("no object of this image has a box inside it and a label that makes sense")
        contents = only_up_to(contents, self._up_to)
        if contents is None:
            raise BadInput("this image has no caption, and nobody was asked to write one")
        return self._drafts(subject, contents, caption, asked)

    def _caption(self, subject: Subject, facts: ImageFacts, asked: Asked | None) -> CaptionChoice | None:
        """A person's caption where there is one, else one that the teacher writes from what is known."""
        scorer = _scorer(self._similarity, subject)
        human = [text for text in facts.captions if len(text.split()) < MIN_NARRATIVE_WORDS]
        if human:
            return choose_caption(lambda _: human, scorer, rounds=1)
        if asked is None:
            return None
        told = context_of(facts).text(region_boxes=False)

        def candidates(number: int) -> Sequence[str]:
            return _captions(asked, caption_messages(told), (subject.seed + number) % 2**31)

        return choose_caption(candidates, scorer, rounds=MAX_ROUNDS)

    def _drafts(
        self, subject: Subject, contents: Contents, caption: CaptionChoice | None, asked: Asked | None
    ) -> list[Draft]:
        """The document, and with `cut_out` a text for each of its parts behind it."""
        template, descriptions = drawn(subject.seed)
        told = any(entry.description for entry in (*contents.objects, *contents.attributes, *contents.relationships))
        if contents.caption is None and contents.narrative is None and (self._cut_out or not contents.crops):
            template = "image-first"  # text first would have nothing left to answer
        seed = f"{subject.seed}"

        def render(crops: int, with_descriptions: bool) -> Samples | None:
            parts = contents.crops[:crops] if self._cut_out else ()
            inside = 0 if self._cut_out else crops
            turns = turns_of(contents, template, descriptions=with_descriptions, crops=inside, seed=seed)
            return None if turns is None else (turns, *(cut_out_turns(crop, seed) for crop in parts))

        fitted = fit(
            render, self._cost, crops=len(contents.crops), descriptions=descriptions and told, limit=self._limit
        )
        if fitted is None:
            raise BadOutput(f"the document does not fit into {self._limit} tokens, even without parts and descriptions")
        samples, crops, with_descriptions = fitted
        provenance: dict[str, Any] = {
            "template": template,
            "up_to": self._up_to,
            "descriptions": with_descriptions,
            "parts": crops,
            "parts_left_out": len(contents.crops) - crops,
            "tokens": {"count": self._cost(samples), "estimated": self._estimated},
            **_about(contents, caption, asked),
        }
        if self._cut_out:
            document = document_of(contents, template, descriptions=with_descriptions, crops=crops)
            provenance["document"] = document.text()
        parts = [
            {"part": number, CUT: list(crop.cut_xyxy_px)}
            for number, crop in enumerate(contents.crops[: len(samples) - 1], start=1)
        ]
        return self._signed(subject, samples, (provenance, *parts))

    def _signed(self, subject: Subject, samples: Samples, origins: Sequence[dict[str, Any]]) -> list[Draft]:
        written = {"writer": self.name, "prompt_version": self.prompt_version, "seed": subject.seed}
        return [
            Draft(kind="concept_document", conversations=turns, tagged=False, provenance=written | origin)
            for turns, origin in zip(samples, origins, strict=True)
        ]

    def _cost(self, samples: Samples) -> int:
        """Tokens of the document with all its pictures, also where its parts are samples of their own."""
        turns = [turn["value"] for sample in samples for turn in sample]
        words = sum(self._count(value.replace(IMAGE, "")) + TURN_TOKENS for value in turns)
        return words + self._image_tokens * len(samples)


def _scorer(similarity: Similarity | None, subject: Subject) -> CaptionScorer | None:
    if similarity is None or subject.pixels is None:
        return None
    pixels = subject.pixels()
    return lambda captions: similarity(pixels, captions)


def _about(contents: Contents, caption: CaptionChoice | None, asked: Asked | None) -> dict[str, Any]:
    """What provenance says of the caption, of labels that were left out, and of what was asked."""
    about: dict[str, Any] = {} if asked is None else asked.record()
    if caption is not None:
        about["caption"] = {"similarity": caption.similarity, "rounds": caption.rounds, "reason": caption.reason}
    if contents.invalid:
        about["invalid_labels"] = list(contents.invalid)
    return about


def drawn(seed: int) -> tuple[Template, bool]:
    """The template of an image and whether it keeps descriptions, by lot from its seed; one draw each, in this order."""
    random = Random(f"{seed}:template")
    template: Template = "image-first" if random.random() < P_IMAGE_FIRST else "text-first"
    return template, random.random() >= P_DROP_DESCRIPTIONS


def _captions(asked: Asked, messages: Sequence[Message], seed: int) -> Sequence[str]:
    """One round of candidates; an answer without text is a round without candidates."""
    try:
        return read_captions(asked.ask(messages, max_tokens=CAPTION_TOKENS, seed=seed).text)
    except BadOutput:
        return ()
