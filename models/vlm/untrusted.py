"""Makes foreign text (queries, recognised text, roles) harmless inside a prompt.

Used by `prompts` only. Nothing is dropped but control characters: a token that a chat template or a tokenizer would obey is
rewritten with look-alike signs of the same length, so the text stays readable and offsets stay true. It does not judge meaning:
an instruction in plain words passes, and is answered by constraining the output instead.
"""

import json
import re
import unicodedata

# `<image>`, `</s>`, `<|im_start|>`, `<0x0A>`, `<｜User｜>`: whatever stands between angle brackets without a space.
_ANGLE = re.compile(r"[<\uff1c]([^<>\uff1c\uff1e\s]{1,64})[>\uff1e]")
_SQUARE = re.compile(
    r"\[(/?(?:INST|IMG|IMG_BREAK|IMG_END|IMAGE|AUDIO|BEGIN_AUDIO|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS"
    r"|TOOL_CONTENT|PREFIX|MIDDLE|SUFFIX|gMASK|MASK|CLS|SEP|PAD|UNK|BOS|EOS))\]"
)
# Without a word boundary: "xUSER:" holds the same token for a template that looks for it.
_ROLE = re.compile(r"(user|assistant|system|human|developer|tool)([ \t]{0,4})[:\uff1a]", re.IGNORECASE)
_KEPT_CONTROLS = "\n\t"


def neutralise(text: str) -> str:
    """Return `text` with special tokens, image placeholders and role words defused, and control characters removed."""
    kept = "".join(char for char in text if _is_plain(char))
    kept = _ANGLE.sub(_defuse_angle, kept)
    kept = _SQUARE.sub(lambda found: f"({found[1]})", kept)
    return _ROLE.sub(lambda found: f"{found[1]}{found[2]}\u2236", kept)


def one_line(text: str) -> str:
    """Return `text` neutralised, with every run of white space as one blank."""
    return " ".join(neutralise(text).split())


def quoted(text: str, max_chars: int) -> str:
    """Return `text` as one JSON string of at most `max_chars` characters before escaping."""
    # Cut before cleaning too: recognised text may be of any length.
    line = one_line(text[: 4 * max_chars])
    clipped = line if len(line) <= max_chars else line[: max_chars - 1].rstrip() + "…"
    return json.dumps(clipped, ensure_ascii=False)


def _defuse_angle(found: re.Match[str]) -> str:
    return "\u2039" + found[1].replace("|", "\u00a6").replace("\uff5c", "\u00a6") + "\u203a"


def _is_plain(char: str) -> bool:
    # Cf holds zero-width and direction signs: invisible, and able to hide a token or to reverse a text. Cs cannot be encoded.
    return char in _KEPT_CONTROLS or unicodedata.category(char) not in ("Cc", "Cf", "Cs")
