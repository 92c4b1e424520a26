"""The 40 human turns of listings (SoM-LLaVA, section 4.4): one is drawn per text and stored with it.

They stand in the training text only and are never sent to a teacher that gets a prompt of its own. The first twelve are
those that the shipped small model was taught with; it is asked with no others.
"""

import random

from models.vlm.prompts import LIST_TEMPLATES

INSTRUCTIONS: tuple[str, ...] = (
    *LIST_TEMPLATES,
    "Please walk me through every tag on the picture, from the first to the last.",
    "What does each tag stand for? Answer with one numbered line per tag.",
    "Make a catalogue of the tagged items, keeping the order of their tags.",
    "Tell me, tag by tag, what has been marked here.",
    "I would like an ordered overview of the things that carry a tag.",
    "Look at each tag in turn and write down the object beneath it.",
    "Spell out the contents of the picture by its tags.",
    "Which objects were tagged? Put them in the order of their tags.",
    "Give every tag its own line and say what lies under it.",
    "Could you write out what all the tags refer to?",
    "Starting with the first tag, report what each of them shows.",
    "Match each tag to the thing it sits on, in a list.",
    "Provide a line by line account of the tagged things.",
    "Take stock of the picture: one entry for each tag.",
    "Let me know what is tagged, following the order of the tags.",
    "Turn the tags of this picture into a list of named objects.",
    "Leave no tag out: what is the item at each of them?",
    "Work your way up through the tags and identify the items.",
    "Show me the key to this picture: tag first, then the item.",
    "Each tag belongs to something. What is it, tag after tag?",
    "Compile an inventory of all tagged objects.",
    "Write one short description for every tag you can see.",
    "Say what you recognise at every tag, in rising order.",
    "Help me read this picture by naming what each tag is placed on.",
    "Record all tags with the items they were put on.",
    "What are the tagged items? Begin each line with the tag.",
    "Translate the tags into words, one after another.",
    "Note down tag and object, pair by pair, until none is left.",
)


def instruction_for(seed: int) -> str:
    """The instruction of the text with this seed."""
    return random.Random(f"listing:{seed}").choice(INSTRUCTIONS)
