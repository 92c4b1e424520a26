"""The fenced blocks and the commands in running text of every Markdown file that git tracks. Runs nothing.

A block's first line is its language and, after a blank, its name: `bash data`, `python file=bright.py`.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_FIRST_WORDS = ("markwise ", "make ", "python -m ", ".venv/bin/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `document` is relative to the root, `line` the one of its first word."""

    document: str
    line: int
    language: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line} {self.language} {self.name}".rstrip()


@cache
def documents() -> tuple[str, ...]:
    """Every Markdown file that git tracks; without git, those of the folders that hold some."""
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split() or [
        str(path.relative_to(ROOT)) for folder in (".", "docs", "docs/recipes") for path in (ROOT / folder).glob("*.md")
    ]
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


@cache
def blocks(document: str) -> tuple[Block, ...]:
    """The fenced blocks of a document, in order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return tuple(_blocks(document, text))


def _blocks(document: str, text: str) -> Iterator[Block]:
    for found in _FENCE.finditer(text):
        language, _, name = found["info"].strip().partition(" ")
        line = text.count("\n", 0, found.start()) + 2
        yield Block(document=document, line=line, language=language, name=name, text=found["text"])


def named(document: Path | str, name: str) -> Block:
    """Return the one block of a document with this name."""
    relative = str(Path(document).relative_to(ROOT)) if Path(document).is_absolute() else str(document)
    (found,) = [block for block in blocks(relative) if block.name == name]
    return found


def commands_in_text(document: str) -> list[str]:
    """Return the commands that a document names between backticks in its sentences."""
    prose = _FENCE.sub("", (ROOT / document).read_text(encoding="utf-8"))
    spans = (" ".join(span.split()) for span in _INLINE.findall(prose))
    return [span for span in spans if span.startswith(_FIRST_WORDS)]
