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
from models.writers.mmgic.contents import MIN_NARRATIVE_WORDS, Contents, contents_of
from models.writers.mmgic.descriptions import Descriptions
from models.writers.mmgic.documents import Template, document_of
from models.writers.mmgic.fitting import IMAGE_TOKENS, MAX_TOKENS, TURN_TOKENS, estimate_tokens, fit
from models.writers.mmgic.turns import Turns, turns_of
from models.writers.svit.context import context_of
from models.writers.types import IMAGE, Draft, Subject, Teacher, WriterOptions

P_DROP_DESCRIPTIONS: Final = 0.5
P_IMAGE_FIRST: Final = 0.5
CAPTION_TOKENS: Final = 1_024
OPTIONS: Final = frozenset({"cut_out", "descriptions", "image_tokens", "max_tokens"})


class MmgicWriter:
    """Concept documents.

    `extra`: `cut_out` shows each part as a picture of its own (for trainers that take several), `descriptions` are ready ones
    by `kind:label`, `image_tokens` is what a picture costs (576), `max_tokens` the context (2,048).
    """

    name = "mmgic"
    prompt_version = PROMPT_VERSION

    def __init__(
        self,
        options: WriterOptions,
        *,
        count_tokens: Callable[[str], int] = estimate_tokens,
        scorer: Callable[[Subject], CaptionScorer | None] = lambda _: None,
    ) -> None:
        """`count_tokens` is the trainer's tokenizer, `scorer` measures captions on a subject; raises BadInput for unknown options."""
        if options.kind != "concept_document":
            raise BadInput(f"the writer mmgic writes concept_document texts, not {options.kind!r}")
        if options.mode is not None:
            raise BadInput(f"the writer mmgic has no modes; leave `mode` out instead of {options.mode!r}")
        if unknown := set(options.extra).difference(OPTIONS):
            raise BadInput(f"the writer mmgic has no option {min(unknown)!r}; it has {', '.join(sorted(OPTIONS))}")
        self._cut_out = bool(options.extra.get("cut_out", False))
        self._image_tokens = int(options.extra.get("image_tokens", IMAGE_TOKENS))
        self._limit = int(options.extra.get("max_tokens", MAX_TOKENS))
        if self._image_tokens < 0 or self._limit < 1:
            raise BadInput("`image_tokens` cannot be negative, and `max_tokens` must be at least 1")
        self._book = Descriptions(options.extra.get("descriptions"), tries=options.tries)
        self._count, self._scorer, self._estimated = count_tokens, scorer, count_tokens is estimate_tokens

    def write(self, subject: Subject, teacher: Teacher | None) -> Sequence[Draft]:
        """Return one document, or none where the image has no box or nothing fits; raises like `Writer.write`."""
        if subject.facts is None or not subject.facts.objects:
            raise BadInput("mmgic writes about objects with boxes: import annotations of this image first")
        if teacher is not None and teacher.dialect == "tiny":
            raise BadInput(f"{teacher.name} answers short questions about marks only; use a large model or none")
        asked = None if teacher is None else Asked(teacher)
        caption = self._caption(subject, subject.facts, asked)
        contents = contents_of(
            subject.facts,
            None if caption is None else caption.text,
            lambda concept: self._book.of(concept, asked, subject.seed),
            Random(f"{subject.seed}:crops"),
        )
        if contents is None:
            raise BadInput("no object of this image has a box inside it and a label that makes sense")
        return [self._draft(subject, contents, caption, asked)]

    def _caption(self, subject: Subject, facts: ImageFacts, asked: Asked | None) -> CaptionChoice | None:
        """A person's caption where there is one, else one that the teacher writes from what is known."""
        scorer = self._scorer(subject)
        human = [text for text in facts.captions if len(text.split()) < MIN_NARRATIVE_WORDS]
        if human:
            return choose_caption(lambda _: human, scorer, rounds=1)
        if asked is None:
            return None
        told = context_of(facts).text(region_boxes=False)

        def candidates(number: int) -> Sequence[str]:
            return _captions(asked, caption_messages(told), (subject.seed + number) % 2**31)

        return choose_caption(candidates, scorer, rounds=MAX_ROUNDS)

    def _draft(self, subject: Subject, contents: Contents, caption: CaptionChoice | None, asked: Asked | None) -> Draft:
        template, descriptions = drawn(subject.seed)
        if contents.caption is None and contents.narrative is None and not contents.crops:
            template = "image-first"  # text first would have nothing left to answer
        told = any(entry.description for entry in (*contents.objects, *contents.attributes, *contents.relationships))

        def render(crops: int, with_descriptions: bool) -> Turns | None:
            return turns_of(
                contents,
                template,
                descriptions=with_descriptions,
                crops=crops,
                cut_out=self._cut_out,
                seed=f"{subject.seed}",
            )

        fitted = fit(
            render, self._cost, crops=len(contents.crops), descriptions=descriptions and told, limit=self._limit
        )
        if fitted is None:
            raise BadOutput(f"the document does not fit into {self._limit} tokens, even without parts and descriptions")
        turns, crops, with_descriptions = fitted
        provenance: dict[str, Any] = {
            "writer": self.name,
            "prompt_version": self.prompt_version,
            "seed": subject.seed,
            "template": template,
            "descriptions": with_descriptions,
            "parts": crops,
            "parts_left_out": len(contents.crops) - crops,
            "tokens": {"count": self._cost(turns), "estimated": self._estimated},
            "pictures": [None if box is None else list(box) for box in turns.pictures],
        }
        if self._cut_out:
            document = document_of(contents, template, descriptions=with_descriptions, crops=crops)
            provenance["document"] = document.text()
        provenance |= _about(contents, caption, asked)
        return Draft(kind="concept_document", conversations=turns.turns, tagged=False, provenance=provenance)

    def _cost(self, turns: Turns) -> int:
        words = sum(self._count(turn["value"].replace(IMAGE, "")) + TURN_TOKENS for turn in turns.turns)
        return words + self._image_tokens * len(turns.pictures)


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
