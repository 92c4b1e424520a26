"""Whatever mixture of habits a teacher has, the same questions and answers are read: drawn at random, not picked by us."""

from hypothesis import given
from hypothesis import strategies as st

from models.writers.svit.read import read_pairs, read_talks

WORD = st.sampled_from(["dog", "man", "sand", "red", "ball", "throws", "behind", "seven", "boats", "a", "wet"])
QUESTION = st.lists(WORD, min_size=2, max_size=6).map(lambda words: f"What {' '.join(words)}?")
ANSWER = st.lists(WORD, min_size=2, max_size=14).map(lambda words: f"The {' '.join(words)}.")
PAIRS = st.lists(st.tuples(QUESTION, ANSWER), min_size=1, max_size=6, unique_by=lambda pair: pair[0].casefold())
LABELS = st.sampled_from(
    [
        ("Question", "Answer"),
        ("Q", "A"),
        ("User", "GPT"),
        ("USER", "ASSISTANT"),
        ("Human", "Assistant"),
        ("question", "answer"),
    ]
)
BEFORE = st.sampled_from(
    ["", "Sure! Here are the questions:\n\n", "Of course.\n\n---\n\n", "<think>\nQ: one?\nA: two.\n</think>\n"]
)
AFTER = st.sampled_from(["", "\n", "\n\nLet me know if you need more!", "\n\n---\n\nI hope this helps.", "\n```"])
GAP = st.sampled_from(["\n", "\n\n", "\n---\n", "\n\n***\n\n"])
HABITS = st.fixed_dictionaries(
    {
        "labels": LABELS,
        "numbered": st.sampled_from(["none", "label", "list"]),
        "bold": st.sampled_from(["", "label", "question"]),
        "colon": st.sampled_from([":", " :", "\uff1a"]),
        "indent": st.sampled_from(["", "   ", "> "]),
        "wrap": st.booleans(),
        "newline": st.sampled_from(["\n", "\r\n"]),
    }
)


def written(pairs: list[tuple[str, str]], habits: dict, gap: str) -> str:
    """The pairs as a teacher with these habits writes them."""
    ask, reply = habits["labels"]

    def label(word: str, number: int) -> str:
        plain = f"{word} {number}" if habits["numbered"] == "label" else word
        shown = f"{plain}{habits['colon']}"
        return f"**{shown}**" if habits["bold"] == "label" else shown

    blocks = []
    for number, (question, answer) in enumerate(pairs, start=1):
        lead = f"{number}. " if habits["numbered"] == "list" else ""
        asked = f"**{question}**" if habits["bold"] == "question" else question
        said = answer.replace(" ", "\n", 1) if habits["wrap"] else answer
        blocks.append(f"{lead}{label(ask, number)} {asked}\n{habits['indent']}{label(reply, number)} {said}")
    return gap.join(blocks).replace("\n", habits["newline"])


@given(PAIRS, HABITS, GAP, BEFORE, AFTER)
def test_pairs_are_read_out_of_any_hand(
    pairs: list[tuple[str, str]], habits: dict, gap: str, before: str, after: str
) -> None:
    assert list(read_pairs(before + written(pairs, habits, gap) + after)) == pairs


@given(
    st.lists(PAIRS, min_size=2, max_size=3),
    HABITS,
    st.sampled_from(
        ["Conversation {n}\nTopic: {t}", "**Conversation {n}: {t}**", "## Conversation {n} - {t}", "Topic {n}: {t}"]
    ),
)
def test_conversations_are_told_apart_in_any_hand(talks: list[list[tuple[str, str]]], habits: dict, head: str) -> None:
    text = "\n\n".join(
        f"{head.format(n=number, t=f'matter {number}')}\n{written(pairs, habits, chr(10))}"
        for number, pairs in enumerate(talks, start=1)
    )
    found = read_talks(text, 5)
    assert [talk.topic for talk in found] == [f"matter {number}" for number in range(1, len(talks) + 1)]
    assert [list(talk.pairs) for talk in found] == talks
