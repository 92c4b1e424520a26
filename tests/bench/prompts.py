"""`python -m tests.bench.prompts [KIND ...]`: what a teacher without eyes is told for each kind of text, for a person to read.

Prints the prompts of SVIT's four kinds and of MMGiC's documents about one image: a made-up beach, or the facts in a JSON file
(`ImageFacts.to_json`). Asks no model.
"""

import argparse
import json
from pathlib import Path
from typing import get_args

from models.facts import ImageFacts
from models.writers import mmgic, svit
from models.writers.svit import SvitKind
from tests.unit.models.writers.svit.beach import FACTS

KINDS: tuple[SvitKind, ...] = get_args(SvitKind)
DOCUMENT = "concept_document"


def main() -> None:
    """Print the gallery."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join((*KINDS, DOCUMENT))}; all without")
    parser.add_argument("--facts", type=Path, help="a JSON file with the facts of one image")
    parser.add_argument("--seed", type=int, default=0, help="of instruction, template and order (0)")
    arguments = parser.parse_args()
    if unknown := set(arguments.kinds).difference((*KINDS, DOCUMENT)):
        parser.error(f"there is no kind {min(unknown)!r}")
    facts = FACTS if arguments.facts is None else ImageFacts.from_json(json.loads(arguments.facts.read_text()))
    for kind in KINDS:
        if not arguments.kinds or kind in arguments.kinds:
            print(f"===== {kind}\n\n{svit.preview(facts, kind, arguments.seed)}\n\n")
    if not arguments.kinds or DOCUMENT in arguments.kinds:
        print(f"===== {DOCUMENT}\n\n{mmgic.preview(facts, arguments.seed)}")


if __name__ == "__main__":
    main()
