"""Reading checkpoints: tensors only, never code, and safetensors from the second time on."""

import pickle

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from models.errors import WeightsMissing
from models.published import PUBLISHED
from models.weights import state_of

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "b": torch.ones(1)}


class Evil:
    def __reduce__(self):
        return (open, ("/tmp/markwise-was-here", "w"))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pickled_checkpoint_becomes_safetensors(tmp_path, wrapped):
    path = tmp_path / "sam.pth"
    torch.save({"model": STATE} if wrapped else STATE, path)
    first = state_of(path)
    (twin,) = tmp_path.glob("sam.*.safetensors")
    path_of_twin_is_read = twin.stat().st_mtime_ns
    again = state_of(path)
    assert twin.stat().st_mtime_ns == path_of_twin_is_read
    for state in (first, again, state_of(twin)):
        assert {name: tensor.tolist() for name, tensor in state.items()} == {n: t.tolist() for n, t in STATE.items()}


def test_where_nothing_can_be_kept_it_still_loads(tmp_path, monkeypatch):
    path = tmp_path / "sam.pth"
    torch.save(STATE, path)

    def full(state, target):
        target.write_bytes(b"half")
        raise SafetensorError("No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    assert list(state_of(path)) == list(STATE)
    assert [item.name for item in tmp_path.iterdir()] == ["sam.pth"]


def test_another_file_under_the_same_name_is_read_anew(tmp_path):
    path = tmp_path / "sam.pth"
    torch.save(STATE, path)
    state_of(path)
    torch.save({"b": torch.zeros(2)}, path)
    assert list(state_of(path)) == ["b"]


def test_code_in_a_pickle_is_not_run(tmp_path):
    path = tmp_path / "evil.pth"
    torch.save({"a": Evil()}, path)
    with pytest.raises(WeightsMissing, match="no PyTorch file of plain tensors"):
        state_of(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeightsMissing):
        state_of(path)


@pytest.mark.parametrize("content", [{"a": 1}, [torch.ones(1)], {"a": torch.ones(1), "b": "text"}])
def test_what_is_no_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(WeightsMissing, match="something else than named tensors"):
        state_of(tmp_path / "odd.pth")


def test_a_broken_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "broken.safetensors"
    save_file(STATE, path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(WeightsMissing, match="no readable safetensors"):
        state_of(path)


def test_published_sums_are_sums():
    for item in PUBLISHED.values():
        assert item.sha256 is None or len(bytes.fromhex(item.sha256)) == 32
        assert item.url.startswith("https://")
        assert item.file.endswith(".pth")
