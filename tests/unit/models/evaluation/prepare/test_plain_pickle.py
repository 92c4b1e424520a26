"""Pickles of plain values are read in every protocol; whatever wants to run is refused before it can."""

import pickle
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest

from models.errors import BadEvaluation
from models.evaluation.prepare.plain_pickle import read_plain

PLAIN = [
    {"ref_id": 7, "big": 2**70, "negative": -3, "share": 0.25, "text": "dôg", "none": None, "yes": True, "no": False},
    [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    {"tokens": ["the", "dog"], "sent_ids": list(range(3000)), "bytes": b"\0\1"},
    {number: str(number) for number in range(2000)},
]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_plain_values_come_back_in_every_protocol(protocol):
    value = PLAIN if protocol > 2 else [PLAIN[0], PLAIN[1], PLAIN[3]]  # bytes need a function in old protocols
    assert read_plain(pickle.dumps(value, protocol)) == value


def test_shared_values_are_shared_not_copied():
    once = ["a"] * 1000
    back = read_plain(pickle.dumps([once] * 1000))
    assert back[0] is back[999]


def test_python_2_texts_are_read():
    # What Python 2 wrote: S'...' with repr-escapes, and short byte strings, both for `str`.
    assert read_plain(b"(dp0\nS'split'\np1\nS'val'\np2\nsS'id'\nI7\ns.") == {"split": "val", "id": 7}
    assert read_plain(b"\x80\x02}q\x00U\x05splitq\x01U\x05testAq\x02s.") == {"split": "testA"}


class Touching:
    """Would leave a file behind if it were unpickled by Python's own reader."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_code_is_refused_and_never_runs(tmp_path, protocol):
    marker = tmp_path / "ran"
    hostile = pickle.dumps([{"ref_id": 1}, Touching(marker)], protocol)
    with pytest.raises(BadEvaluation, match="wants to run code"):
        read_plain(hostile, "refs(unc).p")
    assert not marker.exists()
    pickle.loads(hostile)
    assert marker.exists(), "the pickle was hostile indeed"


@pytest.mark.parametrize("value", [Counter("ab"), OrderedDict(a=1), np.float64(1), np.zeros(2), {1, 2}, Path("x"), len])
def test_what_is_no_plain_value_is_refused(value):
    with pytest.raises(BadEvaluation, match="refs"):
        read_plain(pickle.dumps(value), "refs(unc).p")


@pytest.mark.parametrize(
    "data", [b"", b"abc", b".", b"(", b"}.x"[:1], b"a.", b"]K\x01s.", b"h\x07.", b"\x80\x04\x95", b"(K\x01K\x02K\x03d."]
)
def test_broken_files_are_a_sentence(data):
    with pytest.raises(BadEvaluation, match="no whole pickle"):
        read_plain(data)


def test_cut_and_changed_files_raise_nothing_else():
    whole = pickle.dumps(PLAIN[:2], 2)
    random = np.random.default_rng(0)
    for _ in range(2000):
        bad = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            bad[random.integers(len(bad))] = random.integers(256)
        try:
            read_plain(bytes(bad[: random.integers(1, len(bad) + 1)]))
        except BadEvaluation:
            continue
