"""The numbers of the four papers that training texts go by, one line each, under the number of the feature they belong to.

Features are counted through the papers: 21-31 and 38 SoM-LLaVA, 49-65 SVIT, 69-86 MMGiC. The rules behind a number are
tested beside its module; here nobody can change one unseen.
"""

from typing import Any

import pytest

from app.formats.recipes import shipped_recipe
from models.corpora import audit, statistics
from models.corpora.listing_format import LEAST_ITEMS
from models.marks import style_of
from models.mixtures import coreset, draws, noun_phrases, yes_no
from models.mixtures.concepts import CONCEPTS
from models.sources.cleaning import mmgic
from models.writers.listing import instructions, taught
from models.writers.mmgic import captions, concepts, crops, fitting, writer
from models.writers.registry import WRITERS
from models.writers.svit import boxes, prompts
from models.writers.svit.context import context_of
from models.writers.svit.instructions import DESCRIPTION_INSTRUCTIONS
from tests.unit.models.writers.svit import beach

SOM, SVIT, MMGIC = (shipped_recipe(name).value() for name in ("som-llava-695k", "svit-core", "mmgic-then-ic"))
TAGS = style_of("som-llava")
VG = mmgic("visual-genome")
ROLES = [[message.role for message in prompts.messages(kind, context_of(beach.FACTS))] for kind in prompts.MAX_TOKENS]
THRICE = [part.name for part in MMGIC.parts if part.repeat == 3]
# Words to tokens, as Llama's tokenizer has it for English.
TOKENS_PER_WORD = 1.33

NUMBERS: list[tuple[int, str, Any, Any]] = [
    (22, "tags alone are painted, as numbers", (TAGS.draw, TAGS.kind, TAGS.alpha), (("mark",), "number", 0.1)),
    (23, "smallest first; under 110 px no tag", (TAGS.order, TAGS.min_area_px), ("smallest_first", 110)),
    (24, "sizes are stated at a short side of 640", TAGS.fixed_label, True),
    (26, "instructions for listings", len(set(instructions.INSTRUCTIONS)), 40),
    (27, "examples in context", taught.SHOTS, 2),
    (28, "modes to compare", WRITERS["listing", "vlm"].modes, ("zero-shot", "improved-system", "two-shot")),
    (30, "listings and conversations", [part.take for part in SOM.parts[1:]], [10_000, 20_000]),
    (31, "who lists without a teacher", WRITERS["listing", "rules"].taught, "never"),
    (38, "a listing has two items at least", LEAST_ITEMS, 2),
    (50, "decimals of a box on the padded square", boxes.DECIMALS, 3),
    (51, "conversations, questions in each", (prompts.CONVERSATIONS, prompts.QAS_PER_CONVERSATION), (3, 5)),
    (51, "tokens of an answer, about", prompts.ANSWER_TOKENS, 50),
    (52, "questions that need reasoning", prompts.REASONING_QAS, 15),
    (53, "questions that refer", prompts.REFERRING_QAS, 10),
    (54, "instructions for descriptions", len(set(DESCRIPTION_INSTRUCTIONS)), 34),
    (55, "no example is shown", ROLES, [["system", "user"]] * 4),
    (60, "first words of a question", statistics.DEPTH, 3),
    (61, "samples of an audit, classes of error", (audit.PAPER_SAMPLES, len(audit.VERDICTS) - 1), (20, 3)),
    (62, "key words", [len(CONCEPTS[name]) for name in CONCEPTS], [17, 33, 14, 28, 28]),
    (62, "the share kept, then of each kind", (coreset.KEPT_SHARE, coreset.PER_KIND), (0.5, 20_000)),
    (63, "yes for each no", yes_no.YES_PER_NO, 8),
    (64, "samples of the core", (coreset.CORE_SIZE, SVIT.parts[0].take), (157_712, 157_712)),
    (65, "pictures held out", (draws.HELD_OUT_SHARE, SVIT.hold_out and SVIT.hold_out.share), (0.1, 0.1)),
    (70, "short edge, objects", (VG.min_short_edge_px, VG.min_objects), (224, 1)),
    (70, "aspect ratios", (VG.aspect_ratio_min, VG.aspect_ratio_max), (0.33, 3.0)),
    (70, "labels of V3Det", mmgic("v3det").min_label_count, 3),
    (71, "pairs of Visual Genome", VG.min_pair_count, 2),
    (71, "attributes and relations of it", (VG.min_attribute_count, VG.min_predicate_count), (5, 5)),
    (72, "canvas, edges of crops", (crops.CANVAS_PX, crops.MIN_EDGE_PX, crops.MAX_EDGE_PX), (224, 28, 182)),
    (72, "share of an object inside its crop", crops.MIN_IOA, 0.8),
    (73, "places", len({word for row in crops.LOCATIONS for word in row}), 9),
    (74, "candidates, rounds", (captions.CANDIDATES, captions.MAX_ROUNDS), (10, 10)),
    (74, "words, similarity", (captions.MIN_WORDS, captions.MAX_WORDS, captions.MIN_SIMILARITY), (5, 25, 0.25)),
    (75, "words of a description, about", concepts.ABOUT_WORDS, 50),
    (78, "descriptions are dropped", writer.P_DROP_DESCRIPTIONS, 0.5),
    (79, "image first; tokens", (writer.P_IMAGE_FIRST, fitting.MAX_TOKENS), (0.5, 2_048)),
    (79, "sources that come three times", THRICE, ["mmgic-visual-genome", "mmgic-v3det"]),
    (81, "phrases passed over below, capped at", (noun_phrases.SKIP_BELOW, noun_phrases.CAP), (20, 50)),
    (82, "grains of the ablation", len(writer.LAYERS), 4),
    (83, "stages of the best curriculum", len(MMGIC.order()), 2),
    (86, "samples of tuning", sum(part.take or 0 for part in shipped_recipe("mmgic-sft").value().parts), 3_210_000),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "published"), [row[2:] for row in NUMBERS], ids=[f"{number} {what}" for number, what, *_ in NUMBERS]
)
def test_the_papers_number(ours: Any, published: Any) -> None:
    assert ours == published


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("conversation", 3 * 5 * (9.6 + 27.9)),
        ("reasoning", 15 * (12.6 + 26.6)),
        ("referring", 10 * (11.3 + 20.6)),
        ("description", 361.5),
    ],
)
def test_59_there_is_room_for_twice_the_published_mean_answer(kind: prompts.SvitKind, words: float) -> None:
    assert prompts.MAX_TOKENS[kind] >= 2 * words * TOKENS_PER_WORD
