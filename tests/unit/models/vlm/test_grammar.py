import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BadInput
from models.vlm import grammar
from models.vlm.grammar import TokenTrie
from models.vlm.types import NONE


def test_vllm_gets_a_choice_and_no_guided_field() -> None:
    general, tiny = (grammar.answers(["3", NONE], dialect) for dialect in ("general", "tiny"))
    assert grammar.structured_outputs(general, "general") == {"choice": ["[3]", "[none]", " [3]", " [none]"]}
    assert grammar.structured_outputs(tiny, "tiny") == {"choice": [" Mark 3.", " None."]}


def test_the_json_schema_is_strict_and_holds_the_ids_only() -> None:
    value = grammar.json_schema(["1", NONE])["json_schema"]
    assert value["strict"] is True
    assert value["schema"]["properties"] == {"mark": {"type": "string", "enum": ["1", NONE]}}
    assert value["schema"]["additionalProperties"] is False


def test_too_many_choices_are_refused() -> None:
    with pytest.raises(BadInput):
        grammar.with_none([str(number) for number in range(1_001)])


def test_a_trie_shares_beginnings() -> None:
    trie = TokenTrie.build([[5, 1, 9], [5, 2, 9], [6, 9]])
    assert trie.tokens == (5, 1, 9, 2, 9, 6, 9)
    assert trie.parents == (-1, 0, 1, 0, 3, -1, 5)
    assert trie.depths == (0, 1, 2, 1, 2, 0, 1)
    assert trie.paths == ((0, 1, 2), (0, 3, 4), (5, 6))
    assert trie.inner_nodes() == (0, 1, 3, 5)


@pytest.mark.parametrize("sequences", [[[1], [1, 2]], [[1, 2], [1]], [[]], [[1], [1]]])
def test_a_sequence_inside_another_is_refused(sequences: list[list[int]]) -> None:
    with pytest.raises(ValueError):
        TokenTrie.build(sequences)


@given(st.sets(st.lists(st.integers(0, 4), min_size=1, max_size=5).map(tuple), min_size=1))
def test_paths_spell_their_sequences_and_parents_come_first(words: set[tuple[int, ...]]) -> None:
    sequences = [(*word, 9) for word in sorted(words)]
    trie = TokenTrie.build(sequences)
    assert [tuple(trie.tokens[node] for node in path) for path in trie.paths] == sequences
    assert all(parent < node for node, parent in enumerate(trie.parents))
    prefixes = {sequence[:end] for sequence in sequences for end in range(1, len(sequence) + 1)}
    assert len(trie.tokens) == len(prefixes)
