"""Where a benchmark's files lie: a folder with the questions, the labels and the pictures of each, by its name.

    pope/questions.jsonl          what is asked
    pope/labels.jsonl             the truth, or several: random.jsonl, popular.jsonl, ...; none where questions or answers hold it
    pope/images/                  what the questions' pictures are relative to

`markwise evaluate run` and evaluation jobs look here. The operator fills the folder; what is missing in it and can be
drawn, `models.evaluation.drawn` draws. Knows no model and no score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import BadEvaluation
from models.evaluation.runs.questions import AnyQuestion, load
from models.evaluation.scores import benchmark
from models.evaluation.scores.reading import Row, read

_ENDINGS: Final = (".jsonl", ".json", ".tsv", ".csv", ".xlsx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The files of one benchmark."""

    benchmark: str
    questions: Path
    labels: tuple[Path, ...] = ()
    images: Path | None = None

    def asked(self) -> Sequence[AnyQuestion]:
        """Return the questions; raises BadEvaluation."""
        return load(self.benchmark, self.questions, self.images)

    def rows(self) -> tuple[list[Row], tuple[list[Row], ...]]:
        """Return the rows of the questions, and those of each label file; raises BadEvaluation."""
        return read(self.questions), tuple(read(path) for path in self.labels)


def suite(root: Path, name: str) -> Suite | None:
    """Return the benchmark's files in `root`, None where it has no folder there; raises BadEvaluation for one without questions."""
    benchmark(name)
    folder = root / name
    if not folder.is_dir():
        return None
    files = sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS)
    questions = [path for path in files if path.stem == "questions"]
    if len(questions) != 1:
        raise BadEvaluation(f"the folder of {name} must hold one file `questions` ({', '.join(_ENDINGS)})")
    images = folder / "images"
    return Suite(
        benchmark=name,
        questions=questions[0],
        labels=tuple(path for path in files if path not in questions),
        images=images if images.is_dir() else None,
    )
