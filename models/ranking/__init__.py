"""Ranks marks for an instruction or a question by text, role and place, and reads what an instruction wants done.

Entry points: `rank` and `parse_action`. Needs neither torch nor pixels: the web process may import it.
"""

from models.ranking.query import ActionIntent, parse_action
from models.ranking.rank import Candidate, Ranked, rank

__all__ = ["ActionIntent", "Candidate", "Ranked", "parse_action", "rank"]
