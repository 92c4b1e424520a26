"""The second school of the tiny model: it grows without changing an answer, and its tables say where to look."""

import json
import re
from random import Random

import numpy as np
import pytest
import torch
from rapidfuzz import fuzz

from models.drawings.labels import long_titles
from models.tiny.grow import LINE_LAYER, MATCH_LAYER
from models.training import forward, second, stages
from models.training.graft import graft_second_sign, graft_signs
from models.training.lookups import ANSWER_LAYER, SECOND_HEAD, SIGNS, lookup_loss, recording
from models.training.packing import Example, Packer
from models.training.patches import LAST_SIGNS, signs
from models.training.run import main
from models.training.second import GrownTiny, tables_batch
from models.training.spec import DEEPER, STAGES
from models.training.tables import random_table, table_questions
from models.training.varied import View, scene_of, show, show_labelled, training_view
from models.vlm.prompts import mark_table


@pytest.fixture(scope="module")
def tiny():
    torch.set_num_threads(1)
    model = GrownTiny(seed=0, dtype=torch.float32)
    model.before = {}
    packed = tables_batch(Packer(model.tokenizer), Random(3), 3, None)
    with torch.no_grad():
        model.before["logits"] = forward.answer_logits(model.llava, packed, None)
        model.deepen()
        model.before["deeper"] = forward.answer_logits(model.llava, packed, None)
    model.packed = packed
    return model


def test_growing_changes_no_answer(tiny):
    assert len(tiny.llava.model.language_model.layers) == 6
    assert torch.equal(tiny.before["logits"], tiny.before["deeper"])


def test_lines_and_phrases_point_to_ids_and_equal_words(tiny):
    packed, decode = tiny.packed, tiny.tokenizer.decode
    assert len(packed.line_signs) == len(packed.line_looks) > 50
    for (row, _, start), (last, tens, ones) in zip(packed.line_looks.tolist(), packed.line_signs.tolist(), strict=True):
        mark = decode(packed.ids[row, start : last + 1])
        assert signs(mark) == (tens, ones)
    assert len(packed.phrase_looks) > 10
    for row, at, first, end, _, ones, _, said_at in packed.phrase_looks.tolist():
        assert end <= at < said_at
        assert LAST_SIGNS[ones - 1] in decode(packed.ids[row, first : first + 2])
        assert decode(packed.ids[row, said_at]) == " "
        assert decode(packed.ids[row, said_at + 1]) in decode(packed.ids[row, first : first + 2])


def test_the_lookup_loss_reaches_both_new_layers(tiny):
    recording()
    _, states = forward.answer_logits_and_states(tiny.llava, tiny.packed, None)
    parts = lookup_loss(tiny.packed, states, tiny.probes, tiny.same)
    parts.total().backward()
    assert not forward.recorded
    layers = tiny.llava.model.language_model.layers
    assert all(layers[at].self_attn.q_proj.weight.grad.abs().sum() > 0 for at in (LINE_LAYER, MATCH_LAYER))
    tiny.zero_grad()


def test_grafted_heads_carry_both_signs():
    model = GrownTiny(seed=0, dtype=torch.float32)
    model.deepen()
    packed = tables_batch(Packer(model.tokenizer), Random(5), 10, None)
    graft_signs(model, packed)
    graft_second_sign(model, packed)
    language = model.llava.model.language_model
    assert language.layers[MATCH_LAYER].self_attn.o_proj.weight.abs().sum() > 0
    start = SECOND_HEAD * 64
    assert language.layers[ANSWER_LAYER].self_attn.o_proj.weight[:, start : start + 11].norm() > 0.1
    with torch.no_grad():
        states = forward.answer_logits_and_states(model.llava, packed, None)[1][LINE_LAYER]
    layer = language.layers[LINE_LAYER]
    at = packed.line_looks[:, 0], packed.line_signs[:, 0]
    said = layer.self_attn.v_proj(layer.input_layernorm(states))[at][:, SIGNS[0] : sum(SIGNS)].argmax(1)
    assert (said == packed.line_signs[:, 2]).float().mean() > 0.95


def test_questions_about_tables_have_one_answer():
    kinds = set()
    for seed in range(60):
        rng = Random(seed)
        table = random_table(rng, rng.randint(2, 16))
        ids = [row.id for row in table.rows]
        assert len(set(ids)) == len(ids)
        for one in table_questions(table, rng, 8):
            kinds.add(one.task)
            if one.task == "table-which":
                assert one.answer.removeprefix("Mark ").rstrip(".") in ids
            elif one.task == "table-none":
                assert one.answer == "None."
    assert kinds == {"table-which", "table-none", "table-what"}


def test_a_whole_text_is_asked_for_although_other_rows_hold_it_and_words_of_several_rows_are_not():
    asked = set()
    for seed in range(400):
        rng = Random(seed)
        table = random_table(rng, 8)
        texts = {row.id: _plain(row.text) for row in table.rows}
        for one in table_questions(table, rng, 8):
            mark, wanted = one.answer.removeprefix("Mark ").rstrip("."), _plain(one.hint)
            words = set(wanted.split())
            holding = {other for other, text in texts.items() if other != mark and words <= set(text.split())}
            if one.task == "table-which" and holding and words:
                alike = fuzz.ratio(wanted, texts[mark])
                assert alike >= 85  # all of it, but for what may be misread
                assert all(fuzz.ratio(wanted, text) < alike for other, text in texts.items() if other != mark)
                asked.add(seed)
    assert len(asked) > 20


def test_long_titles_differ_in_a_part_and_have_pieces():
    pieces = set()
    for seed in range(60):
        titles = long_titles(Random(seed), 5)
        assert len(set(titles)) == 5
        assert len(titles[0].split()) >= 5
        pieces |= {title for title in titles if len(title.split()) < 4}
        words = set(titles[0].split())
        assert all(len(words & set(title.split())) >= 2 for title in titles if len(title.split()) >= 4)
    assert pieces


def _plain(text):
    return " ".join(re.findall(r"\w+", (text or "").lower()))


def test_tables_behind_a_glance_are_cut_as_serving_cuts_them(tiny):
    rng = Random(1)
    table = random_table(rng, 5)
    packer = Packer(tiny.tokenizer)
    packer.check(Example(table=mark_table(table.rows), segments=table_questions(table, rng, 8)))
    packed = tables_batch(packer, Random(2), 2, [list(range(0, 196, 9))] * 2)
    whole = tables_batch(packer, Random(2), 2, [list(range(196))] * 2)
    assert len(packed.line_looks) == len(whole.line_looks)
    assert packed.positions.max() == whole.positions.max()


@pytest.mark.parametrize("zoom", [0.7, 1.3])
def test_labels_follow_the_zoom(zoom):
    drawing = scene_of(11, zoom)
    ids = tuple(str(number) for number in range(1, len(drawing.regions) + 1))
    plain = show_labelled(drawing, View(ids=ids, style="markwise"))[1]
    painted, labels = show_labelled(drawing, View(ids=ids, style="markwise", zoom=zoom))
    assert painted.shape == (224, 224, 3)
    assert set(np.unique(labels[:, 1])) == set(np.unique(plain[:, 1]))
    ratio = (labels[:, 0] > 0).sum() / (plain[:, 0] > 0).sum()
    assert 0.6 * zoom**2 < ratio < 1.5 * zoom**2


def test_a_seed_always_shows_the_same_and_counts_vary():
    counts = {len(training_view(seed)[1].ids) for seed in range(40)}
    assert min(counts) == 2
    assert max(counts) >= 9
    drawing, view = training_view(7)
    assert np.array_equal(show(drawing, view), show(*training_view(7)))


def test_the_whole_recipe_runs_and_resumes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stages, "TRAIN_SCENES", 4)
    monkeypatch.setattr(stages, "TRAIN_SCREENS", 3)
    monkeypatch.setattr(second, "TRAIN_VARIED", 4)
    monkeypatch.setattr(second, "TRAIN_SERVED", 4)
    last = ["sighting", "lookup", "answering", "seeing", "varied", "polish", "settle", "focus"]
    (tmp_path / "spec.json").write_text(
        json.dumps({"recipe": "tiny-v2", "steps": 6, "batch_size": 2, "stages": ["vision", "bridge", *last]})
    )
    options = ["--spec", str(tmp_path / "spec.json"), "--out", str(tmp_path / "out")]
    assert main(options) == 0
    capsys.readouterr()
    assert json.loads((tmp_path / "out" / "model" / "config.json").read_text())["text_config"]["num_hidden_layers"] == 6
    assert main([*options, "--resume"]) == 0
    again = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["stage"] for event in again if event.get("message") == "already done"] == ["vision", "bridge", *last]
    assert list(STAGES[DEEPER])[-len(last) :] == last
