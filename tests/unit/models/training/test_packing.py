"""Packed segments are computed exactly as if each stood alone, and tokens never differ from serving's."""

import pytest
import torch

from models.tiny.config import IMAGE_TOKENS
from models.training import forward
from models.training.packing import Example, Packer, TokenisationMismatch, block_mask
from models.training.segments import Segment
from models.training.stages import Tiny
from models.vlm import prompts

TABLE = 'Marks:\n1 button "Save" 12 40\n12 link "Home" 80 5\n'
SEGMENTS = (
    Segment(task="which", query="Which mark is the red circle?", answer="Mark 3.", weight=2.0),
    Segment(task="list", query="List the marked items one by one.", answer="1. red circle\n2. blue square"),
    Segment(task="what", query="What is mark 2?", answer="blue square."),
)


@pytest.fixture(scope="module")
def tiny():
    return Tiny(seed=1, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def packer(tiny):
    return Packer(tiny.tokenizer)


def test_a_packed_segment_gets_the_logits_of_the_librarys_own_forward_pass(tiny, packer):
    images = torch.randint(0, 255, (1, 224, 224, 3), dtype=torch.uint8)
    packed = packer.pack([Example(table=TABLE, segments=SEGMENTS)], dtype=torch.float32)
    with torch.no_grad():
        picture = tiny.llava.model.multi_modal_projector(forward.see(tiny.llava, images))
        ours = forward.answer_logits(tiny.llava, packed, picture)
        forward.set_attention(tiny.llava, "eager")
        for number, segment in enumerate(SEGMENTS):
            text = prompts.chat_text(TABLE + segment.query, segment.answer)
            ids = tiny.tokenizer(text.replace("<image>", "<image>" * IMAGE_TOKENS), return_tensors="pt").input_ids
            whole = tiny.llava(input_ids=ids, pixel_values=forward.pixels(images, torch.float32)).logits[0]
            mine = ours[packed.segment_of == number]
            theirs = whole[-len(mine) - 1 : -1]
            assert torch.allclose(mine, theirs, atol=2e-4)
            assert packed.targets[packed.segment_of == number].tolist() == ids[0, -len(mine) :].tolist()
    forward.use_fast_attention(tiny.llava)


def test_weights_of_a_segment_sum_to_its_share_whatever_its_length(packer):
    packed = packer.pack([Example(table="", segments=SEGMENTS)], dtype=torch.float32)
    shares = torch.zeros(3).index_add_(0, packed.segment_of, packed.weights)
    assert torch.allclose(shares, torch.tensor([0.5, 0.25, 0.25]))


def test_only_answers_are_targets(packer):
    packed = packer.pack([Example(table="", segments=SEGMENTS[:1])], dtype=torch.float32)
    assert packer.tokenizer.decode(packed.targets) == " Mark 3.</s>"


def test_where_the_named_thing_is_is_asked_for_where_the_name_ends(packer):
    query = "Is mark 2 the red circle?"
    one = Segment(task="yes-no", query=query, answer="No.", hint="the red circle", hinted="Mark 7.")
    batch = packer.pack([Example(table="", segments=[one])], dtype=torch.float32)
    said = [packer.tokenizer.decode([int(token)]) for token in batch.targets]
    hinted = [(int(at), text) for at, text, owner in zip(batch.answer_at, said, batch.segment_of, strict=True) if owner]
    assert batch.tasks == ("yes-no", "hint-yes-no")
    assert [text for _, text in hinted] == ["7", "7"]
    assert packer.tokenizer.decode(batch.ids[0, : hinted[0][0] + 1]).endswith("the red circle")


def test_segments_do_not_see_each_other_and_padding_stays_finite():
    mask = block_mask(torch.tensor([[0, 0, 1, 1, 2, -1]]), torch.float32)[0, 0]
    seen = [[column for column in range(6) if mask[row, column] == 0] for row in range(6)]
    assert seen == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 4], [0, 1, 5]]


def test_a_thinned_picture_keeps_the_positions_of_what_follows(packer):
    whole = packer.pack([Example(table="", segments=SEGMENTS)], dtype=torch.float32)
    thin = packer.pack([Example(table="", segments=SEGMENTS, patches=(3, 90, 195))], dtype=torch.float32)
    at = whole.picture_at
    assert thin.positions[0, at : at + 4].tolist() == [at + 3, at + 90, at + 195, at + IMAGE_TOKENS]
    assert thin.targets.tolist() == whole.targets.tolist()


def test_rows_are_cut_at_the_border_of_a_segment(packer):
    size = len(packer.prefix("", picture=True)) + len(packer.segment(SEGMENTS[0])[0]) + 3
    packed = packer.pack([Example(table="", segments=SEGMENTS)], dtype=torch.float32, length=size)
    assert packed.tasks == ("which",)


@pytest.mark.parametrize("picture", [True, False])
def test_serving_cuts_the_same_tokens(packer, picture):
    packer.check(Example(table=TABLE, segments=SEGMENTS, picture=picture))


def test_a_text_that_serving_would_cut_otherwise_is_refused(packer):
    odd = Segment(task="which", query="red circle", answer="None.")
    with pytest.raises(TokenisationMismatch, match="red circle"):
        packer.check(Example(table="Marks: ", segments=[odd]))
