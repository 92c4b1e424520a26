"""What teachers make of the form they were asked for, and what is read from it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.writers.svit.read import read_pairs, read_prose, read_talks

ONE = (("What is it?", "It is a dog."), ("Where is it?", "On the sand."))


@pytest.mark.parametrize(
    "text",
    [
        "Question: What is it?\nAnswer: It is a dog.\n\nQuestion: Where is it?\nAnswer: On the sand.",
        "User: What is it?\nGPT: It is a dog.\nUser: Where is it?\nGPT: On the sand.",
        "**Q1:** What is it?\n**A1:** It is a dog.\n\n**Q2:** Where is it?\n**A2:** On the sand.",
        "1. **Question:** What is it?\n   **Answer:** It is a dog.\n2. **Question:** Where is it?\n   **Answer:** On the sand.",
        "### Question 1\nWhat is it?\n### Answer\nIt is a dog.\n### Question 2\nWhere is it?\n### Answer\nOn the sand.",
        "Sure! Here they are:\n\nQuestion 1. What is it?\nAnswer 1. It is a dog.\nQuestion 2. Where is it?\nAnswer 2. On the sand.",
        "Question: What is it? Answer: It is a dog.\nQuestion: Where is it? **Answer:** On the sand.",
        "1. What is it?\n   It is a dog.\n\n2. Where is it?\n   - On the sand.",
        "1) What is it? It is a dog.\n2) Where is it? On the sand.\n",
        "<think>Question: no?\nAnswer: no.</think>\nHuman: What is it?\nAssistant: It is\na dog.\nHuman: Where is it?\nAssistant: On the sand.\n\nLet me know if you need more!",
        '```json\n[{"question": "What is it?", "answer": "It is a dog."}, {"Q": "Where is it?", "A": "On the sand."}]\n```',
        'Here you are:\n```json\n[\n  {"question": "What is it?", "answer": "It is a dog."},\n  {"question": "Where is it?", "answer": "On the sand."}\n]\n```\nI hope this helps!',
        '{"qas": [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "It is a dog."}, {"from": "human", "value": "Where is it?"}, {"from": "gpt", "value": "On the sand."}]}',
        "- User\uff1a What is it?\r\n- GPT\uff1a \u201cIt is a dog.\u201d\r\n---\r\n- User: Where is it?\r\n- GPT: On the sand.",
        "Question (easy): What is it?\nAnswer: It is a dog.\n***\nQuestion (hard): Where is it?\nAnswer: On the sand.\nI hope this helps.",
    ],
)
def test_every_hand_reads_the_same(text: str) -> None:
    assert read_pairs(text) == ONE


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ()),
        ("A man walks a dog.", ()),
        ("Question: What is it?", ()),
        ("Answer: It is a dog.", ()),
        ("Question: What?\nQuestion: What is it?\nAnswer: A dog.", (("What is it?", "A dog."),)),
        ("Question: What?\nAnswer: One.\nQuestion: what?\nAnswer: Two.", (("What?", "One."),)),
        ("Question: What?\nAnswer:\nQuestion: Who?\nAnswer: He.", (("Who?", "He."),)),
    ],
)
def test_half_a_pair_is_none_and_no_question_comes_twice(text: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert read_pairs(text) == pairs


def test_an_answer_may_begin_like_a_label_or_hold_a_list() -> None:
    text = "Question: Who?\nAnswer: A person in a suit.\nA tall one.\nQuestion: Why?\nAnswer: For this:\n1. It rains.\n2. He is\nwet."
    assert read_pairs(text) == (
        ("Who?", "A person in a suit. A tall one."),
        ("Why?", "For this:\n1. It rains.\n2. He is wet."),
    )


@pytest.mark.parametrize(
    "heads",
    [
        ("Conversation 1\nTopic: Colours", "Conversation 2\nTopic: Places"),
        ("**Conversation 1: Colours**\n", "**Conversation 2: Places**\n"),
        ("### Conversation 1 (Topic: Colours)", "### Conversation 2 (Topic: Places)"),
        ("Topic: Colours", "Topic: Places"),
        ("Conversation One - Colours", "Conversation Two - Places"),
        ("1. Conversation: Colours", "2. Conversation: Places"),
    ],
)
def test_conversations_are_told_apart(heads: tuple[str, str]) -> None:
    talks = read_talks(
        f"{heads[0]}\nUser: What?\nGPT: Red.\nUser: And?\nGPT: Blue.\n\n{heads[1]}\nUser: Where?\nGPT: There.", 5
    )
    assert [talk.topic for talk in talks] == ["Colours", "Places"]
    assert [len(talk.pairs) for talk in talks] == [2, 1]


def test_without_headings_every_five_pairs_are_one_conversation() -> None:
    talks = read_talks("\n".join(f"User: What is {n}?\nGPT: It is {n}." for n in range(15)), 5)
    assert [len(talk.pairs) for talk in talks] == [5, 5, 5]


def test_prose_loses_what_stands_round_it() -> None:
    text = "Here is a description of the picture:\n\n## The beach\n\nA **brown** dog\nruns.\n\nIt is warm.\n\nWould you like more?"
    assert read_prose(text) == "A brown dog runs.\nIt is warm."
    assert read_prose('**Description:** "The dog runs."') == '"The dog runs."'.strip('"')


@given(st.text(max_size=400))
def test_no_text_is_too_odd_to_read(text: str) -> None:
    for question, answer in read_pairs(text):
        assert question
        assert answer
    read_talks(text, 5)
    read_prose(text)


def test_long_garbage_is_read_in_linear_time() -> None:
    start = time.process_time()
    for piece in ("Question ", "* ", "<think>", "A1 ", "**a** ", "1. What? ", "[0.1, ", "\n\n", "__"):
        read_pairs(piece * 20_000)
        read_prose(piece * 20_000)
    assert time.process_time() - start < 8.0
