"""The one place where a kind of text and the name of a writer become a writer.

Asked by the API to refuse what does not exist, and by workers to build what does. Modules are imported when a writer is
built.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from models.errors import BadInput
from models.writers.types import TEXT_KINDS, TextKind, Writer, WriterOptions

Taught = Literal["never", "by eye", "by text", "if named"]
"""Whether a teacher is asked: one that sees pictures, one that reads, or a reading one only where the order names a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a writer needs and takes. `about` says whether it writes about marks or about imported facts."""

    target: str
    about: Literal["marks", "facts"]
    taught: Taught
    says: str
    modes: tuple[str, ...] = ()
    options: Mapping[str, tuple[type, ...]] = field(default_factory=dict)


def _svit(says: str, options: Mapping[str, tuple[type, ...]] | None = None) -> Entry:
    return Entry(
        target="models.writers.svit.writer:SvitWriter",
        about="facts",
        taught="by text",
        options=options or {},
        says=says,
    )


WRITERS: Mapping[tuple[TextKind, str], Entry] = {
    ("listing", "rules"): Entry(
        target="models.writers.listing.rules:RuleListing",
        about="marks",
        taught="never",
        says="names in mark order, from regions that carry names or from imported objects",
    ),
    ("listing", "vlm"): Entry(
        target="models.writers.listing.taught:TaughtListing",
        about="marks",
        taught="by eye",
        modes=("zero-shot", "improved-system", "two-shot"),
        says="a teacher lists the tagged picture; every mark once, none invented, else it is asked again",
    ),
    ("conversation", "rules"): Entry(
        target="models.writers.som_qa.rules:RuleQa",
        about="marks",
        taught="never",
        options={"turns": (int,)},
        says="SoM-QA from names and places",
    ),
    ("conversation", "vlm"): Entry(
        target="models.writers.som_qa.taught:TaughtQa",
        about="marks",
        taught="by eye",
        options={"turns": (int,)},
        says="SoM-QA: a teacher writes a conversation about the tagged picture",
    ),
    ("conversation", "svit"): _svit("three conversations of five questions, from captions, objects and regions"),
    ("reasoning", "svit"): _svit("fifteen questions that need reasoning"),
    ("referring", "svit"): _svit("ten questions that name things with their boxes", {"locations": (bool,)}),
    ("description", "svit"): _svit("one long description"),
    ("concept_document", "mmgic"): Entry(
        target="models.writers.mmgic.writer:MmgicWriter",
        about="facts",
        taught="if named",
        options={
            "cut_out": (bool,),
            "descriptions": (dict,),
            "image_tokens": (int,),
            "max_tokens": (int,),
            "up_to": (str,),
        },
        says="documents of concepts, their descriptions and regions, from objects, attributes and relations",
    ),
}


def entry_of(kind: str, writer: str) -> Entry:
    """Return what is known of a writer; raises BadInput that names those that write this kind."""
    found = WRITERS.get((cast("TextKind", kind), writer))
    if found is None:
        known = [name for other, name in WRITERS if other == kind]
        if not known:
            kinds = ", ".join(name for name in TEXT_KINDS if any(other == name for other, _ in WRITERS))
            raise BadInput(f"no writer writes the kind `{kind}`; kinds are {kinds}")
        raise BadInput(f"the writer `{writer}` does not write the kind `{kind}`; {', '.join(known)} do")
    return found


def check_order(kind: str, writer: str, *, mode: str | None, options: Mapping[str, object]) -> Entry:
    """Return the entry of an order whose mode and options exist; raises BadInput that says which do."""
    entry = entry_of(kind, writer)
    if mode is not None and mode not in entry.modes:
        have = f"has the modes {', '.join(entry.modes)}" if entry.modes else "has no modes"
        raise BadInput(f"the writer `{writer}` of {kind} texts {have}; not `{mode[:40]}`")
    for name, value in options.items():
        if name not in entry.options:
            have = f"takes the options {', '.join(sorted(entry.options))}" if entry.options else "takes no options"
            raise BadInput(f"the writer `{writer}` of {kind} texts {have}; not `{name[:40]}`")
        if isinstance(value, bool) != (bool in entry.options[name]) or not isinstance(value, entry.options[name]):
            raise BadInput(
                f"the option `{name}` must be of type {' or '.join(t.__name__ for t in entry.options[name])}"
            )
    return entry


def build(options: WriterOptions, writer: str) -> Writer:
    """Return a writer for these options; raises BadInput for options that it refuses."""
    module, _, attribute = entry_of(options.kind, writer).target.partition(":")
    kind = getattr(importlib.import_module(module), attribute)
    made: Writer = kind(options)
    return made
