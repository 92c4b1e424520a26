"""Asks a model the questions of a benchmark and writes its answers, one line each, so that a run can be gone on with.

`questions` reads the official files, `asking` puts one question, `together` those that a local model answers in one pass,
`run` keeps the file. The answer files are those that
`models.evaluation.scores` reads. Knows no score.
"""

from models.evaluation.runs.asking import Ask, Asking
from models.evaluation.runs.questions import AnyQuestion, Question, load
from models.evaluation.runs.run import Outcome, asked, run
from models.evaluation.runs.tags import Tags
from models.evaluation.runs.tasks import MarkQuestion
from models.evaluation.runs.together import AT_ONCE, together

__all__ = [
    "AT_ONCE",
    "AnyQuestion",
    "Ask",
    "Asking",
    "MarkQuestion",
    "Outcome",
    "Question",
    "Tags",
    "asked",
    "load",
    "run",
    "together",
]
