"""Builds the tokenizer of the tiny model: byte-level BPE over interface words, digits one by one.

Called once, when training starts from scratch. Every byte has a token, so any recognised text can be spelt; a
number is spelt digit by digit, and the space before it is a token of its own, so that the prompt `Mark ` ends on a
token border and the id after it can be scored alone. Nothing here knows the model.
"""

from collections.abc import Iterator
from random import Random
from typing import Final

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from models.drawings import words


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PAD, BOS, EOS, IMAGE = "<pad>", "<s>", "</s>", "<image>"
SPECIALS: Final = (PAD, BOS, EOS, IMAGE)
VOCAB_SIZE: Final = 2048
CONTEXT_TOKENS: Final = 2048
BLANK_BEFORE_NAME: Final = r" (?=(?!Mark\b|None\b|ASSISTANT\b)[A-Z])"
TEMPLATE_WORDS: Final = _words(
    """USER: ASSISTANT: Marks: Mark None. region List list the marked items one by one. What what is mark mark? Which
    which Click Press Tap Type Choose Go to item picture? image. Name every in order. box field control called
    labelled named shows says there a to on Describe the Where where element"""
)


def corpus() -> Iterator[str]:
    """The text that decides the merges: words in both cases and positions, often what answers consist of."""
    rng = Random(0)
    answers = words.KINDS + words.COLORS + words.ROLES + TEMPLATE_WORDS
    for _ in range(60):
        yield from (f" {word}" for word in answers)
        yield from answers
    for word in (*words.ACTIONS, *words.NOUNS, *words.SMALL_WORDS):
        for form in (word, word.lower(), f" {word}", f" {word.lower()}"):
            yield from [form] * 6
    yield from words.PHRASES_CLEAN
    yield from (words.pseudo_word(rng) for _ in range(3000))


def build_tokenizer() -> PreTrainedTokenizerFast:
    """Train the merges (about a second, deterministic) and wrap them for transformers and vLLM."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(corpus(), trainer)
    # `Home` must be cut alike behind a quote in the table and behind a blank in a question, or it cannot be matched.
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(BLANK_BEFORE_NAME), "isolated"), core.pre_tokenizer]
    )
    core.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, core.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        model_max_length=CONTEXT_TOKENS,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
