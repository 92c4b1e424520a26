"""The structured start does what it is for before the first step of training."""

import torch

from models.tiny.config import GRID
from models.tiny.init_vision import NEIGHBOURS
from models.training.packing import Example, Packer
from models.training.segments import Segment
from models.training.stages import Tiny


def attention_of(module, run):
    """The attention weights of one self-attention module while `run` executes."""
    seen = []
    hook = module.register_forward_hook(lambda _module, _inputs, output: seen.append(output[1]))
    with torch.no_grad():
        run()
    hook.remove()
    return seen[0]


def test_vision_heads_look_at_their_neighbours():
    tiny = Tiny(seed=0, dtype=torch.float32)
    tower = tiny.llava.model.vision_tower
    tower.set_attn_implementation("eager")
    image = torch.randn(1, 3, 224, 224) * 0.3
    layer = tower.encoder.layers[0].self_attn
    weights = attention_of(layer, lambda: tower(pixel_values=image))[0, :, 1:, 1:]
    middle = 7 * GRID + 7
    for head, (down, right) in enumerate(NEIGHBOURS[0]):
        assert int(weights[head, middle].argmax()) == (7 + down) * GRID + 7 + right


def test_first_language_heads_look_one_two_and_three_tokens_back():
    tiny = Tiny(seed=0, dtype=torch.float32)
    language = tiny.llava.model.language_model
    language.set_attn_implementation("eager")
    segment = Segment(task="which", query="Which mark is the red circle?", answer="Mark 3.")
    ids = torch.tensor([Packer(tiny.tokenizer).segment(segment)[0]])
    weights = attention_of(language.layers[0].self_attn, lambda: language(input_ids=ids))[0]
    # Nothing else in layer 0 is told where to look: a token looks there with several times its even share of 1/11.
    for head in range(3):
        assert weights[head, 10, 10 - (head + 1)] > 2 / 11
        assert weights[head, 10, :7].sum() < 0.2


def test_an_untrained_model_already_prefers_words_of_the_asked_mark():
    tiny = Tiny(seed=0, dtype=torch.float32)
    packer = Packer(tiny.tokenizer)
    labels = torch.zeros(1, 196, 6, dtype=torch.int64)
    labels[0, 20:30] = torch.tensor([1, 4, 1, 1, 0, 0])  # mark 3, circle, red
    labels[0, 80:90] = torch.tensor([1, 6, 2, 6, 0, 0])  # mark 5, square, blue
    example = Example(table="", segments=[Segment(task="what", query="What is mark 5?", answer="blue square.")])
    packed = packer.pack([example], dtype=torch.float32)
    from models.training import forward

    with torch.no_grad():
        logits = forward.answer_logits(tiny.llava, packed, tiny.words(labels))[0]
    red, blue = (packer.tokenizer.encode(word, add_special_tokens=False)[0] for word in (" red", " blue"))
    assert logits[blue] > logits[red]
