"""Ranks marks for an instruction or a question by text, role and place, and reads what an instruction wants done.

Entry points: `understand`, `rank` and `parse_action`. Needs neither torch nor pixels: the web process may import it.
"""

from models.ranking.instructions import ActionIntent, parse_action, readings
from models.ranking.names import Candidate
from models.ranking.query import names_color
from models.ranking.rank import Ranked
from models.ranking.understand import Understood, is_clear, is_enough, rank, understand

__all__ = [
    "ActionIntent",
    "Candidate",
    "Ranked",
    "Understood",
    "is_clear",
    "is_enough",
    "names_color",
    "parse_action",
    "rank",
    "readings",
    "understand",
]
