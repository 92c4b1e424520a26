"""Does a free question ask for a mark? A small model then chooses among the marks that exist instead of writing freely.

Judged by how the question begins, in English. It knows no marks and no model.
"""

import re

# "Which mark is the search box?", "What is the mark of ...", "Where is ...", "Find ...", "Point at ...".
_ASKS_FOR_MARK = re.compile(
    r"\s*(?:(?:which|what)\s+(?:mark|one|number|tag|label)\s+(?:is|shows?|marks?|has|says|belongs|would|should|do|opens?)\b"
    r"|what\s+is\s+the\s+(?:mark|number|tag|label)\s+(?:of|for|on)\b"
    r"|(?:where\s+(?:is|are|can\s+i|do\s+i)|find|locate|point\s+(?:at|to)|show\s+me)\b)",
    re.IGNORECASE,
)


def asks_for_mark(query: str) -> bool:
    """Whether the answer to `query` is one mark: "which mark is ...", "where is ...", "find ..."."""
    return _ASKS_FOR_MARK.match(query) is not None
