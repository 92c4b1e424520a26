"""Whatever a page says, the shipped tokenizer finds no special token in a prompt but the one picture that is ours."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from models.vlm.prompts import build_prompt, chat_prompt, table_row
from tests.unit.models.vlm.test_prompts import HOSTILE
from workers.shelf import BUILT_IN_FOLDER

TOKENIZER = Tokenizer.from_file(str(BUILT_IN_FOLDER / "tokenizer.json"))
SPECIAL = {token.content: number for number, token in TOKENIZER.get_added_tokens_decoder().items() if token.special}
PIECES = st.sampled_from(
    [*SPECIAL, *HOSTILE, *"<>|[]/: \n", "\u200b", "\u202e", "\uff1c", "\uff1e", "image", "s", "USER", '"}]']
)
WORDS = st.lists(PIECES, min_size=1, max_size=8).map("".join).filter(str.strip)


@settings(max_examples=300, deadline=None)
@given(WORDS, WORDS, WORDS)
def test_page_text_holds_no_special_token(text: str, role: str, query: str) -> None:
    rows = [
        table_row("1", (0, 0, 9, 9), (99, 99), text=text, role=role),
        table_row("2", (0, 0, 9, 9), (99, 99), text="Save"),
    ]
    prompt = chat_prompt(build_prompt("act", f"click {query}", rows, "tiny"))
    found = [number for number in TOKENIZER.encode(prompt, add_special_tokens=False).ids if number in SPECIAL.values()]
    assert [number for number in found if number != SPECIAL.get("<unk>")] == [SPECIAL["<image>"]]
    # One mark is one line of the table, so no text can add a row.
    assert [line.partition(" ")[0] for line in prompt.partition("Marks:\n")[2].splitlines()[:2]] == ["1", "2"]


@given(WORDS)
def test_a_large_model_gets_page_text_as_one_json_string(text: str) -> None:
    prompt = build_prompt("refer", "x", [table_row("1", (0, 0, 9, 9), (99, 99), text=text, role="button")], "general")
    row = next((line for line in prompt.splitlines() if line.startswith("1 button")), "")
    told = row.removeprefix("1 button").rpartition(" 4 4")[0].strip()
    assert told == "" or isinstance(json.loads(told), str)
