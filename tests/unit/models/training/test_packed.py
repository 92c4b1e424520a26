"""Packing is only a way of computing: the loss and the gradients of a packed row are those of its conversations alone."""

import pytest
import torch
from torch.nn import functional

from models.training.conversations import read_conversations
from models.training.encoder import Encoder
from models.training.packed import IGNORED, answer_losses, pack, plan_rows, use_packed_attention
from tests.llava_stand import padded, stand_dataset, stand_model, stand_processor


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = stand_dataset(tmp_path_factory.mktemp("data"), count=5)
    encoder = Encoder(stand_processor(), folder, max_tokens=512, broken_allowed=0)
    return [encoder.encode(record) for record in read_conversations(folder / "data.json")]


def alone(model, sample):
    """The library's own loss of one conversation, with its own attention."""
    return model(**padded([sample], 0)).loss


def packing_model():
    model = stand_model()
    use_packed_attention(model)
    return model


def test_the_samples_are_mixed(samples):
    assert 0 < sum("pixel_values" in sample for sample in samples) < len(samples)


def test_a_packed_loss_is_the_mean_of_its_conversations(samples):
    counts = torch.tensor([int((sample["labels"] != IGNORED).sum()) for sample in samples])
    single = torch.stack([alone(stand_model(), sample).detach() for sample in samples])
    row = pack(samples)
    assert row.answers == int(counts.sum())
    with torch.no_grad():
        losses = answer_losses(packing_model(), row)
    torch.testing.assert_close(losses.mean(), (single * counts).sum() / counts.sum(), atol=1e-5, rtol=0)
    per_sample = torch.stack([part.mean() for part in losses.split(counts.tolist())])
    torch.testing.assert_close(per_sample, single, atol=1e-5, rtol=0)
    torch.testing.assert_close(per_sample.mean(), single.mean(), atol=1e-5, rtol=0)


def test_the_gradients_are_those_of_the_padded_batch(samples):
    reference, ours = stand_model(), packing_model()
    reference(**padded(samples, 0)).loss.backward()
    answer_losses(ours, pack(samples)).mean().backward()
    wanted = dict(reference.named_parameters())
    compared = 0
    for name, parameter in ours.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(parameter.grad, wanted[name].grad, atol=1e-5, rtol=0, msg=name)
            compared += 1
    assert compared > 20


def test_what_another_conversation_says_changes_nothing(samples):
    model = packing_model()
    other = {name: value.clone() for name, value in samples[0].items()}
    other["input_ids"][3:-2] = samples[0]["input_ids"][3:-2].flip(0)
    with torch.no_grad():
        first = answer_losses(model, pack([samples[0], samples[3]]))
        second = answer_losses(model, pack([other, samples[3]]))
    last = int((samples[3]["labels"] != IGNORED).sum())
    assert torch.equal(first[-last:], second[-last:])
    assert not torch.equal(first[:-last], second[:-last])


def test_without_borders_the_proof_would_fail(samples):
    """The same row as one long conversation gives another loss: the test above can fail."""
    model = packing_model()
    row = pack(samples)
    with torch.no_grad():
        result = model(
            input_ids=row.ids, position_ids=row.positions, pixel_values=row.pixels, logits_to_keep=row.answer_at,
            use_cache=False,
        )  # fmt: skip
        leaked = functional.cross_entropy(result.logits[0], row.targets)
        kept = answer_losses(model, row).mean()
    assert abs(float(leaked - kept)) > 1e-4


def test_rows_are_filled_longest_first():
    assert plan_rows([5, 9, 3, 2, 20], max_tokens=12, max_samples=8) == [[4], [1, 2], [0, 3]]
    assert plan_rows([1, 1, 1], max_tokens=12, max_samples=2) == [[0, 1], [2]]
