"""A document's contents as turns of question and answer, so that trainers of conversations learn from it.

LLaVA's trainer takes the loss on answers only and one picture per sample, so a document is cut at its pictures. Image first: asked
what is there, the answer is the document's words; asked about a part, its place and its things. Text first: the question
gives the words, the answer is the caption, or the part's box. A part is named by its box on the padded square (as in SVIT), or
cut out: then it is the picture of a sample of its own.
"""

from random import Random
from typing import Final

from models.writers.mmgic.contents import Contents
from models.writers.mmgic.crops import Crop
from models.writers.mmgic.documents import Template, caption_lines, label_lines, part_lines, thing_lines
from models.writers.svit.boxes import box_text, padded_square_norm
from models.writers.types import Turn, dialogue

MAIN_QUESTIONS: Final = (
    "What is in this picture? Name the things one by one.",
    "List what there is here.",
    "Take this picture apart into its concepts.",
    "Make an inventory of this picture.",
    "Which concepts does this picture show?",
    "Go through what this picture holds.",
)
MAIN_TOLD_QUESTIONS: Final = (
    "What is in this picture, and what is there to know about each of these things?",
    "Name what there is here and explain each term.",
    "Make an inventory of this picture with a short explanation of every entry.",
    "Which concepts does this picture show, and what do they mean?",
    "Teach me this picture, concept by concept.",
    "Go through this picture and say of each thing what it is.",
)
PART_QUESTIONS: Final = (
    "Where does {part} lie in the picture, and what is in it?",
    "Look at {part}: whereabouts is it, and which things does it hold?",
    "Give the place of {part} and list its things.",
    "What about {part}? Say where it is and what it contains.",
)
CAPTION_QUESTIONS: Final = (
    "With all this known, tell in words what the picture shows.",
    "This is what the picture holds. What would you write under it?",
    "Put it together: what is going on?",
    "Write the line that belongs under this picture.",
)
CAPTION_ALONE_QUESTIONS: Final = (
    "Say in a sentence what this picture shows.",
    "What would you write under this picture?",
    "Put this picture into words.",
    "What is going on here?",
)
BOX_QUESTIONS: Final = (
    "Which part of the picture is this? Give its box.",
    "In which box does this lie?",
    "Find this part and write down its box.",
    "Give the box that these words are about.",
)
CUT_OUT_QUESTIONS: Final = (
    "This is a part of a larger picture ({place}). What is in it?",
    "Here is a cut-out of a picture, taken from: {place}. Which things does it hold?",
    "Look at this part of a picture, {place}, and list its things.",
    "Part of a picture, {place}: name what is to be seen.",
)


def turns_of(
    contents: Contents, template: Template, *, descriptions: bool, crops: int, seed: str
) -> tuple[Turn, ...] | None:
    """Return the turns of the document with its first `crops` crops; None where a text-first one has nothing to answer."""
    random = Random(f"{seed}:questions")
    labels = "\n".join(label_lines(contents, descriptions=descriptions))
    captions = "\n".join(caption_lines(contents))
    pairs: list[tuple[str, str]] = []
    if not labels:
        pairs.append((random.choice(CAPTION_ALONE_QUESTIONS), captions))
    elif template == "image-first":
        question = random.choice(MAIN_TOLD_QUESTIONS if descriptions else MAIN_QUESTIONS)
        pairs.append((question, "\n".join(filter(None, (captions, labels)))))
    elif captions:
        pairs.append((f"{labels}\n{random.choice(CAPTION_QUESTIONS)}", captions))
    lead = f"{labels}\n" if template == "text-first" and not captions else ""
    for crop in contents.crops[:crops]:
        question, answer = _part(crop, contents.size_hw, template, random)
        pairs.append((f"{lead}{question}", answer))
        lead = ""
    return dialogue(pairs) if pairs else None


def cut_out_turns(crop: Crop, seed: str) -> tuple[Turn, ...]:
    """Return the turns about a crop that is shown as a picture of its own, which cannot tell where it lay."""
    question = Random(f"{seed}:cut out:{crop.object_id}").choice(CUT_OUT_QUESTIONS)
    return dialogue([(question.format(place=crop.location.lower()), "\n".join(thing_lines(crop)))])


def _part(crop: Crop, size_hw: tuple[int, int], template: Template, random: Random) -> tuple[str, str]:
    words, box = "\n".join(part_lines(crop)), box_text(padded_square_norm(crop.bbox_xyxy_px, size_hw))
    if template == "text-first":
        return f"{words}\n{random.choice(BOX_QUESTIONS)}", box
    return random.choice(PART_QUESTIONS).format(part=f"the part {box}"), words
