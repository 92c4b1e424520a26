"""Any text can be spelt, digits stand alone, and the border after `Mark ` is a token border."""

import pytest

from models.tiny.tokenizer import CONTEXT_TOKENS, VOCAB_SIZE, build_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer()


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False)


@pytest.mark.parametrize(
    "text", ["Save", "Zażółć gęślą jaźń", "日本語 ☕", 'a "quoted" \\ text', "x" * 300, "1234.56 €"]
)
def test_any_text_comes_back(tokenizer, text):
    assert tokenizer.decode(encode(tokenizer, text)) == text


def test_a_number_is_spelt_digit_by_digit(tokenizer):
    tokens = tokenizer.convert_ids_to_tokens(encode(tokenizer, "Mark 97."))
    assert tokens[-3:] == ["9", "7", "."]


@pytest.mark.parametrize("answer", ["7", "12", "99"])
def test_an_id_can_be_scored_after_the_forced_prefix(tokenizer, answer):
    prompt = "USER: <image>\nClick Save ASSISTANT: Mark "
    assert encode(tokenizer, prompt + answer + ".") == encode(tokenizer, prompt) + encode(tokenizer, answer + ".")


@pytest.mark.parametrize("name", ["Home", "Zorbiq", "Dark mode"])
def test_a_name_is_cut_alike_in_the_table_and_in_a_question(tokenizer, name):
    alone = encode(tokenizer, name)
    for text in (f'1 link "{name}" 4 5', f"Click {name}."):
        ids = encode(tokenizer, text)
        assert any(ids[at : at + len(alone)] == alone for at in range(len(ids)))


def test_words_of_the_answers_are_single_tokens(tokenizer):
    for word in (" red", " hexagon", " button", " searchbox", " Mark"):
        assert len(encode(tokenizer, word)) == 1


def test_special_tokens_and_sizes(tokenizer):
    assert tokenizer.convert_tokens_to_ids(["<pad>", "<s>", "</s>", "<image>"]) == [0, 1, 2, 3]
    assert tokenizer("a").input_ids[0] == 1
    assert len(tokenizer) == VOCAB_SIZE
    assert tokenizer.model_max_length == CONTEXT_TOKENS >= 2048


def test_the_same_corpus_gives_the_same_tokenizer(tokenizer):
    assert tokenizer.backend_tokenizer.to_str() == build_tokenizer().backend_tokenizer.to_str()
