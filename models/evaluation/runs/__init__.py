"""Asks a model the questions of a benchmark and writes its answers, one line each, so that a run can be gone on with.

`questions` reads the official files, `asking` puts one question, `run` keeps the file. The answer files are those that
`models.evaluation.scores` reads. Knows no score.
"""

from models.evaluation.runs.asking import Ask, Asking
from models.evaluation.runs.questions import AnyQuestion, Question, load
from models.evaluation.runs.run import Outcome, asked, run
from models.evaluation.runs.tags import Tags
from models.evaluation.runs.tasks import MarkQuestion

__all__ = ["AnyQuestion", "Ask", "Asking", "MarkQuestion", "Outcome", "Question", "Tags", "asked", "load", "run"]
