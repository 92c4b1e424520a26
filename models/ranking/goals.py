"""What people say for what interfaces print: "sign in" is also "Log in", "the next month" also an arrow.

One list of groups; a name is tried in every wording of the groups whose words it holds, "submit the form" in all that buttons at
the end of a form say. English, nothing learned. Used by `models.ranking.rank`.
"""

import re

from models.ranking.similarity import normalise

# In each group any wording may stand for any other. Signs come last: they are compared as they are.
_GROUPS: tuple[tuple[str, ...], ...] = (
    ("sign in", "log in", "login", "log on"),
    ("sign up", "register", "create account", "create an account", "join"),
    ("sign out", "log out", "logout"),
    ("search", "find", "go"),
    ("next", "continue", "proceed", "next step", "next page", "next month", "forward", "›", "»", ">", "→"),
    ("back", "previous", "go back", "previous page", "previous month", "‹", "«", "<", "←"),
    ("submit", "send"),
    ("save", "save changes", "apply", "update"),
    ("delete", "remove", "trash"),
    ("add", "new", "create", "+"),
    ("check out", "checkout", "place order", "place the order", "order now", "buy", "buy now", "pay"),
    ("cart", "basket", "bag"),
    ("settings", "preferences", "options"),
    ("ok", "okay", "confirm", "yes"),
    ("accept", "agree"),
    ("close", "dismiss", "×", "✕", "✖", "x"),
    ("increase", "more", "plus", "+"),
    ("decrease", "less", "minus", "−", "-", "–"),
    ("menu", "☰", "≡"),
    ("more", "more actions", "…", "...", "⋮", "⋯"),
    ("compose", "new message", "write a message"),
    ("e mail", "email", "email address", "e mail address"),
    ("phone", "telephone", "mobile", "phone number"),
    ("message", "message text", "write your message"),
    ("user name", "username"),
    ("help", "support", "?"),
    (
        "reset password",
        "forgot password",
        "forgot your password",
        "forgotten password",
        "forgot my password",
        "recover password",
        "lost password",
        "reset your password",
    ),
    # What editors print on their buttons.
    ("bold", "b"),
    ("italic", "i"),
    ("underline", "u"),
)
_MOST_NAMES = 12
_FORM = re.compile(r"(?:submit|send|complete|finish)(?: (?:the|this|my|your))?(?: \w+)? form")
_ENDS_A_FORM = (
    "submit", "send", "sign in", "log in", "login", "sign up", "register", "create account", "continue", "save", "apply",
    "place order",
)  # fmt: skip
_OWN = re.compile(r"\b(?:my|your|the) ")


def other_names(name: str) -> tuple[str, ...]:
    """Return other wordings of `name`, at most 12, each once; none of them is the name itself."""
    plain = normalise(name)
    if not plain:
        return ()
    if _FORM.fullmatch(plain):
        return _ENDS_A_FORM
    found: dict[str, None] = {}
    plain = _OWN.sub("", plain) or plain
    padded = f" {plain} "
    for group in _GROUPS:
        # The longest wording in the name is the one that is replaced: "go back", not "back".
        held = max((one for one in group if f" {one} " in padded), key=len, default=None)
        if held is None:
            continue
        for other in group:
            if other == held:
                continue
            whole = plain == held
            if whole or normalise(other):
                found[other if whole else padded.replace(f" {held} ", f" {other} ").strip()] = None
    found.pop(plain, None)
    return tuple(found)[:_MOST_NAMES]
