"""Tells an answer from a refusal: the published SVIT descriptions hold 21 of them that nobody caught (their issue 5).

Called by writers for each answer of a teacher. Plain words at the start of a short text; nothing is asked of a model.
"""

import re

_APOLOGY = r"(?:(?:i'?m|i am) (?:very |so |really )?sorry|sorry|apologies|my apologies|i apologi[sz]e|unfortunately|regrettably)"
_I = r"(?:i|we|as an ai[^.]{0,60}?,? i)"
_NOT_ABLE = (
    r"(?:can ?not|can'?t|could not|couldn'?t|will not|won'?t|am unable|'m unable|am not able|'m not able|do not have|"
    r"don'?t have|do not see|don'?t see|cannot see|must decline|need (?:more|the|an? )|am afraid|'m afraid)"
)
_EMPTY = (
    r"(?:(?:the|your|this) (?:message|prompt|input|image|picture|request|description)s? "
    r"(?:is|are|was|were|seems?|appears?)(?: to be)? (?:empty|missing|blank|not (?:provided|attached|visible|included))|"
    r"(?:there (?:is|are|was|were) )?no (?:image|picture|message|input|text|description|information)s? "
    r"(?:is |are |was |were |has been |have been )?(?:provided|attached|given|found|visible|included)|"
    r"(?:please|could you|can you) (?:provide|upload|share|attach|give))"
)
_REFUSAL = re.compile(
    rf"^\W{{0,8}}(?:{_APOLOGY}\b[^.]{{0,80}}?\b{_I}\s?{_NOT_ABLE}|{_APOLOGY}\b[^.]{{0,80}}?{_EMPTY}|{_I}\s?{_NOT_ABLE}|"
    rf"as an ai\b|(?:it (?:seems|appears|looks)(?: like| that)? )?{_EMPTY})",
    re.IGNORECASE,
)


def is_refusal(text: str) -> bool:
    """Whether `text` declines to answer, or says that it was given nothing. An empty text counts as one."""
    stripped = text.strip().replace("\u2019", "'")
    return not stripped or _REFUSAL.match(stripped) is not None
