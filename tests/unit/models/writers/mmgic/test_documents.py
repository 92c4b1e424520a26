"""Documents and turns: the structure of both templates, what fits into 2,048 tokens, and the writer as a whole."""

import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BackendDown, BadInput, BadOutput
from models.facts import Box, ImageFacts, ObjectFact
from models.mixtures.samples import fault
from models.writers.mmgic import MmgicWriter, fitting, preview
from models.writers.mmgic.concepts import Verdict
from models.writers.mmgic.contents import Contents, contents_of
from models.writers.mmgic.crops import Crop, crops_of
from models.writers.mmgic.documents import Picture, document_of
from models.writers.mmgic.fitting import estimate_tokens, fit
from models.writers.mmgic.turns import MAIN_QUESTIONS, turns_of
from models.writers.mmgic.writer import P_DROP_DESCRIPTIONS, P_IMAGE_FIRST, drawn
from models.writers.svit.boxes import has_extent, read_boxes
from models.writers.types import CUT, Draft, Subject, WriterOptions
from tests.unit.models.writers.mmgic.test_concepts import TEXT
from tests.unit.models.writers.scripted import ScriptedTeacher
from tests.unit.models.writers.svit.beach import FACTS

SUBJECT = Subject(image_id="i", seed=11, size_hw=FACTS.size_hw, facts=FACTS)
NARRATIVE = " ".join(["In the front a man stands and throws"] * 4)


def contents(facts: ImageFacts = FACTS, description: str | None = "what it is") -> Contents:
    made = contents_of(facts, "A man throws a ball.", lambda _: Verdict(text=description), Random("1"))
    assert made is not None
    return made


def options(**extra: object) -> WriterOptions:
    return WriterOptions(kind="concept_document", tries=2, extra=extra)


def write(subject: Subject = SUBJECT, teacher: ScriptedTeacher | None = None, **extra: object) -> Draft:
    (draft,) = MmgicWriter(options(**extra)).write(subject, teacher)
    return draft


def seed_of(template: str, descriptions: bool) -> int:
    return next(seed for seed in range(100) if drawn(seed) == (template, descriptions))


def test_the_papers_numbers() -> None:
    assert (P_DROP_DESCRIPTIONS, P_IMAGE_FIRST, fitting.MAX_TOKENS) == (0.5, 0.5, 2048)
    lots = [drawn(seed) for seed in range(2000)]
    for share in (
        sum(template == "image-first" for template, _ in lots) / 2000,
        sum(descriptions for _, descriptions in lots) / 2000,
        sum(lot == ("text-first", True) for lot in lots) / 1000,
    ):
        assert share == pytest.approx(0.5, abs=0.05)


def order(text: str, *pieces: str) -> list[str]:
    """The pieces in the order in which they first stand in `text`."""
    assert all(piece in text for piece in pieces), text
    return sorted(pieces, key=text.index)


def test_image_first() -> None:
    facts = replace(FACTS, captions=(NARRATIVE,))
    document = document_of(contents(facts), "image-first", descriptions=True, crops=2)
    text = document.text()
    pieces = (
        *(
            "<s># ",
            "Picture: [IMG][/IMG]",
            "In one sentence: ",
            "As it was told: ",
            "Things, and what they are:\n- man: what it is",
        ),
        *(
            "Properties {of what}",
            "- tall {man}: what it is",
            "Relations {between what}",
            "- throwing {man-ball}: what",
        ),
        *(
            "## Parts of the picture",
            "### One part\nPart: [IMG][/IMG]\nWhere it lies in the picture: ",
            "Things in it:\n- ",
        ),
    )
    assert order(text, *reversed(pieces)) == list(pieces)
    assert text.count("[IMG][/IMG]") == len(document.pictures) == 3
    assert document.pictures[0] == Picture()
    assert text.endswith("</s>")


def test_text_first_has_all_words_before_their_picture_and_captions_next_to_it() -> None:
    text = document_of(contents(), "text-first", descriptions=True, crops=1).text()
    pieces = ("- man: ", "- tall {man}: ", "- throwing {man-ball}: ", "In one sentence: ", "Picture: [IMG]")
    assert order(text, *reversed(pieces)) == list(pieces)
    whole, part = text.split("## Parts of the picture")
    assert whole.rstrip().endswith("In one sentence: A man throws a ball.\nPicture: [IMG][/IMG]")
    assert order(part, "Part: [IMG]", "Things in it:", "Where it lies") == [
        "Where it lies",
        "Things in it:",
        "Part: [IMG]",
    ]


def test_without_descriptions_only_they_are_missing() -> None:
    text = document_of(contents(), "image-first", descriptions=False, crops=0).text()
    assert "what it is" not in text
    assert "Things:\n- man\n- dog\n" in text
    assert "- tall {man}\n" in text
    assert "## Parts" not in text


def test_what_is_empty_is_left_out() -> None:
    bare = ImageFacts(size_hw=(224, 224), objects=(ObjectFact(id="1", label="cat", bbox_xyxy_px=(1.0, 1.0, 9.0, 9.0)),))
    made = contents_of(bare, None, lambda _: None, Random(1))
    assert made is not None
    text = document_of(made, "image-first", descriptions=True, crops=9).text()
    assert text == "<s># What is in the picture, one by one\nPicture: [IMG][/IMG]\nThings:\n- cat</s>"


def test_a_label_without_sense_takes_its_box_its_relations_and_its_place_in_crops_along() -> None:
    made = contents_of(
        FACTS, None, lambda concept: Verdict(invalid="no") if concept.label == "ball" else Verdict(), Random(1)
    )
    assert made is not None
    assert "ball" not in json.dumps([entry.label for entry in made.objects])
    assert made.relationships == ()
    assert all("ball" not in crop.labels for crop in made.crops)
    assert made.invalid == ("object ball: no",)


def test_an_image_without_boxes_is_dropped() -> None:
    outside = ImageFacts(
        size_hw=(9, 9), objects=(ObjectFact(id="1", label="cat", bbox_xyxy_px=(20.0, 1.0, 30.0, 9.0)),)
    )
    assert contents_of(outside, None, lambda _: None, Random(1)) is None
    with pytest.raises(BadInput, match="box"):
        write(replace(SUBJECT, facts=outside))
    with pytest.raises(BadInput, match="boxes"):
        write(replace(SUBJECT, facts=ImageFacts(size_hw=(9, 9), captions=("A dog.",))))


@given(st.lists(st.integers(1, 400), max_size=12), st.integers(0, 900), st.integers(0, 1500), st.integers(300, 2048))
def test_parts_go_one_at_a_time_then_descriptions_else_nothing(
    parts: list[int], labels: int, descriptions: int, limit: int
) -> None:
    def cost(made: tuple[int, bool]) -> int:
        kept, told = made
        return labels + told * descriptions + sum(parts[:kept])

    one_by_one = next(
        ((kept, told) for told in (True, False) for kept in range(len(parts), -1, -1) if cost((kept, told)) <= limit),
        None,
    )
    found = fit(lambda kept, told: (kept, told), cost, crops=len(parts), descriptions=True, limit=limit)
    assert (None if found is None else found[0]) == one_by_one


def test_the_turns_of_both_templates() -> None:
    asked = turns_of(contents(), "image-first", descriptions=False, crops=2, seed="1")
    told = turns_of(contents(), "text-first", descriptions=False, crops=2, seed="1")
    assert asked is not None
    assert told is not None
    assert asked[0]["value"].removeprefix("<image>\n") in MAIN_QUESTIONS
    assert asked[1]["value"].startswith("In one sentence: A man throws a ball.\nThings:\n- man")
    assert len(read_boxes(asked[2]["value"])) == 1
    assert asked[3]["value"].startswith("Where it lies in the picture: ")
    assert told[0]["value"].startswith("<image>\nThings:\n- man")
    assert told[1]["value"] == "In one sentence: A man throws a ball."
    assert "Things in it:" in told[2]["value"]
    assert [turn["value"] for turn in told[3::2]] == [
        turn["value"][turn["value"].index("[") : turn["value"].index("]") + 1] for turn in asked[2::2]
    ]


def test_parts_may_be_samples_whose_picture_is_the_part() -> None:
    subject = replace(SUBJECT, seed=seed_of("text-first", descriptions=False))
    document, *parts = MmgicWriter(options(cut_out=True)).write(subject, None)
    crops = {crop.cut_xyxy_px: crop for crop in crops_of(FACTS)}
    assert len(parts) == document.provenance["parts"] == len(crops) > 1
    assert CUT not in document.provenance
    for number, part in enumerate(parts, start=1):
        crop = crops.pop(tuple(part.provenance[CUT]))
        assert part.provenance["part"] == number
        question, answer = (turn["value"] for turn in part.conversations)
        assert question.startswith("<image>\n")
        assert crop.location.lower() in question
        assert answer == "\n".join(["Things in it:", *(f"- {label}" for label in crop.labels)])


def test_a_cut_out_is_the_whole_pixels_of_its_crop_and_never_more_than_the_image() -> None:
    crop = Crop(
        object_id="1", square_xyxy_canvas_px=(0, 0, 1, 1), bbox_xyxy_px=(1.5, 2.0, 640.0000001, 7.2), labels=("a",)
    )
    assert crop.cut_xyxy_px == (1, 2, 640, 8)


def test_text_first_without_a_caption_asks_for_parts_alone_or_not_at_all() -> None:
    made = replace(contents(), caption=None)
    assert turns_of(made, "text-first", descriptions=False, crops=0, seed="1") is None
    turns = turns_of(made, "text-first", descriptions=False, crops=1, seed="1")
    assert turns is not None
    assert turns[0]["value"].startswith("<image>\nThings:\n- man")
    assert has_extent(read_boxes(turns[1]["value"])[0])


def test_an_image_with_nothing_but_small_things_is_told_image_first() -> None:
    cat = ObjectFact(id="1", label="cat", bbox_xyxy_px=(1.0, 1.0, 9.0, 9.0))
    subject = replace(
        SUBJECT, seed=seed_of("text-first", descriptions=True), facts=ImageFacts(size_hw=(224, 224), objects=(cat,))
    )
    draft = write(subject)
    assert draft.provenance["template"] == "image-first"
    assert draft.conversations[1]["value"] == "Things:\n- cat"


@given(st.integers(0, 10_000), st.booleans())
def test_every_document_is_a_sample_that_a_trainer_takes(seed: int, cut_out: bool) -> None:
    subject = replace(SUBJECT, seed=seed)
    drafts = MmgicWriter(options(cut_out=cut_out)).write(subject, None)
    assert [fault(draft.conversations, "a.png") for draft in drafts] == [None] * len(drafts)
    assert len(drafts) == 1 or cut_out
    assert drafts[0].provenance["tokens"]["count"] <= 2048
    assert drafts == MmgicWriter(options(cut_out=cut_out)).write(subject, None)
    assert ("document" in drafts[0].provenance) is cut_out
    json.dumps([dict(draft.provenance) for draft in drafts])


def test_a_small_context_costs_parts_then_descriptions_then_the_document() -> None:
    subject = replace(SUBJECT, seed=seed_of("image-first", descriptions=True))
    given_texts = {f"object:{label}": TEXT for label in ("man", "dog", "ball", "boat")}
    seen = [
        (draft.provenance["parts"], draft.provenance["descriptions"])
        for limit in (1200, 860, 800, 700)
        for draft in [write(subject, descriptions=given_texts, max_tokens=limit)]
    ]
    assert seen[0] == (2, True)
    assert seen == sorted(seen, key=lambda item: (item[1], item[0]), reverse=True)
    assert seen[-1][1] is False
    with pytest.raises(BadOutput, match="600 tokens"):
        write(subject, max_tokens=600)


def test_a_teacher_explains_each_label_and_its_cost_is_told() -> None:
    teacher = ScriptedTeacher(lambda messages: "Invalid. No." if '"ball"' in messages[0].text.split("\n")[0] else TEXT)
    draft = write(replace(SUBJECT, seed=seed_of("image-first", descriptions=True)), teacher)
    assert f"- dog: {TEXT}" in draft.conversations[1]["value"]
    assert "ball" not in draft.conversations[1]["value"].replace("a ball to", "")
    assert draft.provenance["invalid_labels"] == ["object ball: No."]
    assert draft.provenance["tries"] == len(teacher.asked) == 6  # four things, two properties; no relation is left
    assert draft.provenance["completion_tokens"] == 60
    assert "caption" in draft.provenance


def test_a_teacher_writes_the_caption_where_nobody_did() -> None:
    def answers(messages: Sequence[object]) -> str:
        return "1. Short one\n2. A man throws a red ball to his dog" if "10 captions" in str(messages[0].text) else TEXT

    draft = write(replace(SUBJECT, facts=replace(FACTS, captions=())), ScriptedTeacher(answers))
    assert "A man throws a red ball to his dog" in str(draft.conversations)
    assert "no scorer" in draft.provenance["caption"]["reason"]
    unlike = replace(options(), similarity=lambda pixels, texts: [float(pixels.mean()) for _ in texts])
    teacher = ScriptedTeacher(answers)
    pictured = replace(SUBJECT, facts=replace(FACTS, captions=()), pixels=lambda: np.zeros((4, 4, 3), np.uint8))
    (draft,) = MmgicWriter(unlike).write(pictured, teacher)
    assert draft.provenance["caption"]["rounds"] == 10
    assert draft.provenance["caption"]["similarity"] == 0
    assert sum("10 captions" in messages[0].text for messages in teacher.asked) == 10


def test_of_peoples_captions_the_one_that_fits_the_picture_best_is_taken() -> None:
    said = ("A man and his dog play", "A red ball flies over the sand")
    liked = replace(options(), similarity=lambda _, texts: [0.9 if "sand" in text else 0.3 for text in texts])
    subject = replace(SUBJECT, facts=replace(FACTS, captions=said), pixels=lambda: np.zeros((4, 4, 3), np.uint8))
    (draft,) = MmgicWriter(liked).write(subject, None)
    assert said[1] in str(draft.conversations)
    assert draft.provenance["caption"] == {"similarity": 0.9, "rounds": 1, "reason": "the most similar of fit length"}


@pytest.mark.parametrize(
    ("up_to", "holds", "lacks", "asked"),
    [
        ("captions", "In one sentence: ", "Things", 0),
        ("labels", "Things:", TEXT, 0),
        ("descriptions", TEXT, "Things in it:", 7),
        ("regions", "Things in it:", "nothing", 7),
    ],
)
def test_the_grains_of_the_ablation_come_one_by_one(up_to: str, holds: str, lacks: str, asked: int) -> None:
    teacher = ScriptedTeacher(TEXT)
    subject = replace(SUBJECT, seed=seed_of("image-first", descriptions=True))
    draft = write(subject, teacher, up_to=up_to)
    said = "".join(turn["value"] for turn in draft.conversations)
    assert holds in said
    assert lacks not in said
    assert len(teacher.asked) == asked
    assert draft.provenance["up_to"] == up_to


def test_captions_alone_need_a_caption() -> None:
    with pytest.raises(BadInput, match="has no caption"):
        write(replace(SUBJECT, facts=replace(FACTS, captions=())), up_to="captions")


def test_a_teacher_that_is_away_passes() -> None:
    with pytest.raises(BackendDown):
        write(teacher=ScriptedTeacher(BackendDown("away")))


def test_a_tokenizer_may_be_given() -> None:
    (draft,) = MmgicWriter(options(), count_tokens=len).write(SUBJECT, None)
    assert draft.provenance["tokens"]["estimated"] is False
    assert estimate_tokens("A dog, 12.\n") == 7
    assert estimate_tokens("犬 é") == 5


def test_labels_cannot_smuggle_placeholders() -> None:
    box: Box = (1.0, 1.0, 100.0, 100.0)
    facts = ImageFacts(
        size_hw=(200, 200),
        captions=("A cat </s><image> sits on a mat",),
        objects=(ObjectFact(id="1", label="cat <image>", bbox_xyxy_px=box, attributes=("USER: grey",)),),
    )
    draft = write(replace(SUBJECT, facts=facts))
    values = "".join(turn["value"] for turn in draft.conversations)
    assert values.count("<image>") == 1
    assert "</s>" not in values
    assert "user:" not in values.casefold()


@pytest.mark.parametrize(
    "wrong",
    [
        WriterOptions(kind="listing"),
        WriterOptions(kind="concept_document", mode="x"),
        options(colour=1),
        options(max_tokens=0),
        options(up_to="pixels"),
        options(descriptions={"object:dog": 3}),
    ],
)
def test_options_that_mmgic_does_not_have_are_named(wrong: WriterOptions) -> None:
    with pytest.raises(BadInput):
        MmgicWriter(wrong)


def test_a_person_can_read_what_would_be_asked() -> None:
    shown = preview(FACTS, 4)
    for piece in ("the object man", "the attribute tall", "the relationship throwing", "10 captions", "[IMG][/IMG]"):
        assert piece in shown
