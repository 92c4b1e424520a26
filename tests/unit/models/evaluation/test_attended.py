"""The stated rule on hand-made attention: heads and layers are averaged first, then each token is brought to a sum of 1."""

import numpy as np
import pytest

from models.errors import BadInput
from models.evaluation.attention import Attended

TEXT = "USER: <image>\nWhich is red? ASSISTANT: Mark 2."
#       places:        14             28            39


def attended():
    """2 layers, 2 heads, 4 tokens, 2 x 2 patches: `Which`, ` is red?`, ` ASSISTANT:`, ` Mark 2.`."""
    weights = np.zeros((2, 2, 4, 2, 2), np.float32)
    weights[0, 0, 0, 0, 0] = 0.4  # layer 0, head 0: the first token looks at the upper left, strongly
    weights[0, 1, 0, 1, 1] = 0.1  # head 1: at the lower right, weakly
    weights[1, :, 0, 0, 1] = 0.25
    weights[:, :, 1, 1, 0] = 0.001  # a token that hardly looks at the picture
    weights[:, :, 2, 1, 1] = 0.5  # the place where the answer is decided on
    weights[:, :, 3, 0, 0] = 0.5
    spans = ((14, 19), (19, 27), (27, 38), (38, 46))
    return Attended(text=TEXT, spans=spans, query=range(2), answer=range(3, 4), weights=weights)


def test_a_head_has_the_say_of_its_attention():
    look = attended().look(only="Which", layers=[0])
    assert look.weights.ravel() == pytest.approx([0.8, 0, 0, 0.2])
    assert attended().look(only="Which", layers=[0], heads=[1]).weights.ravel() == pytest.approx([0, 0, 0, 1])
    assert attended().look(only="Which").weights.ravel() == pytest.approx([0.4, 0.5, 0, 0.1])


def test_a_token_has_the_say_of_one_however_little_it_looks():
    look = attended().look()
    assert look.weights.ravel() == pytest.approx([0.2, 0.25, 0.5, 0.05])
    assert look.words == ("Which", " is red?")


def test_writing_is_one_place_before_reading():
    assert attended().look("answer").weights.ravel() == pytest.approx([1, 0, 0, 0])
    assert attended().look("writing").weights.ravel() == pytest.approx([0, 0, 0, 1])
    assert attended().look("writing").words == (" Mark 2.",)


def test_words_are_found_where_they_stand_not_in_the_other_part():
    assert attended().look(only="is red").words == (" is red?",)
    assert attended().look("answer", only="Mark 2").words == (" Mark 2.",)
    with pytest.raises(BadInput, match="no token of the query holds 'Mark'"):
        attended().look(only="Mark")
    with pytest.raises(BadInput, match="heads are 0 to 1"):
        attended().look(heads=[2])
