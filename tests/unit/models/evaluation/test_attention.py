"""The shipped model looks at the mark that it is asked about, and the numbers say so."""

from pathlib import Path

import numpy as np
import pytest

from models import drawings
from models.errors import BadInput
from models.evaluation.attention import TOP, AttentionProbe, Look, heat_map, top_patches
from models.marks.for_model import fit_square, paint_for_model

WEIGHTS = Path(__file__).resolve().parents[4] / "models" / "weights" / "som-llava-tiny"
SEEDS = range(1_000_300, 1_000_306)


@pytest.fixture(scope="module")
def probe():
    return AttentionProbe(WEIGHTS)


def marked(drawing, size_px):
    ids = [str(number) for number in range(1, len(drawing.regions) + 1)]
    return paint_for_model(drawing.image, drawing.regions, ids, "markwise", size_px)


def region(drawing, index, size_px):
    frame = np.repeat(drawing.regions.mask(index)[..., None] * np.uint8(255), 3, axis=2)
    return fit_square(frame, size_px)[0][..., 0] > 200


def test_an_answer_looks_at_its_mark_more_than_chance(probe):
    inside, area, hits, asked = 0.0, 0.0, 0, 0
    for seed in SEEDS:
        drawing = drawings.scene(seed)
        picture = marked(drawing, probe.input_px)
        for index in range(2):
            name = drawing.names[index]
            look = probe.look(picture, f"What is mark {index + 1}?", answer=f"{name}.", words="answer")
            mask = region(drawing, index, probe.input_px)
            inside, area = inside + look.share_in(mask), area + mask.mean()
            hits, asked = hits + look.points_into(mask), asked + 1
    assert inside > 4 * area
    assert hits / asked > 0.4


def test_weights_are_shares_and_repeat(probe):
    picture = marked(drawings.scene(SEEDS.start), probe.input_px)
    first, second = (probe.look(picture, "What is mark 1?") for _ in range(2))
    assert first.weights.sum() == pytest.approx(1)
    assert np.array_equal(first.weights, second.weights)
    assert "".join(first.words).strip() == "What is mark 1?"


def test_only_some_tokens_and_some_layers(probe):
    picture = marked(drawings.scene(SEEDS.start), probe.input_px)
    look = probe.look(picture, "What is mark 1?", only="1")
    assert [word.strip() for word in look.words] == ["1"]
    by_layer = [probe.look(picture, "What is mark 1?", only="1", layers=[i]).weights for i in range(probe.layers)]
    assert not np.allclose(by_layer[0], by_layer[-1])
    with pytest.raises(BadInput, match="no token"):
        probe.look(picture, "What is mark 1?", only="zebra")
    with pytest.raises(BadInput, match="layers are 0 to"):
        probe.look(picture, "What is mark 1?", layers=[99])
    with pytest.raises(BadInput, match="give the answer"):
        probe.look(picture, "What is mark 1?", words="answer")


def test_the_numbers_of_a_known_look():
    weights = np.zeros((4, 4))
    weights[1, 2], weights[3, 3] = 0.75, 0.25
    look = Look(words=("x",), weights=weights)
    mask = np.zeros((64, 64), np.bool_)
    mask[16:32, 32:48] = True
    assert look.share_in(mask) == pytest.approx(0.75)
    assert look.points_into(mask)
    assert not look.points_into(~mask)
    assert look.top(2).sum() == 2
    assert look.top(2)[1, 2]
    mask[16:24] = False  # half of the patch
    assert look.share_in(mask) == pytest.approx(0.375)


def test_pictures_redden_where_it_looks():
    weights = np.zeros((4, 4))
    weights[1, 2] = 1
    picture = np.full((64, 64, 3), 200, np.uint8)
    look = Look(words=("x",), weights=weights)
    shown = top_patches(picture, look, 64, count=1)
    assert (shown[20, 40] != picture[20, 40]).any()
    assert (shown[60, 4] == picture[60, 4]).all()
    assert heat_map(picture, look, 64).shape == (64, 64, 3)
    assert TOP == 20
