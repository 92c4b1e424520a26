"""All stages of the scratch recipe run one after the other and leave a checkpoint that answers."""

import json
from random import Random

import pytest
import torch
from transformers import AutoProcessor, LlavaForConditionalGeneration

from models import drawings
from models.marks import paint_for_model
from models.training import forward, stages
from models.training.graft import graft_digits
from models.training.packing import Packer
from models.training.run import main
from models.training.scratch import export, pool_times
from models.training.spec import FROM_SCRATCH, STAGES
from models.training.stages import Tiny, table_batch


@pytest.fixture
def small_pools(monkeypatch):
    monkeypatch.setattr(stages, "TRAIN_SCENES", 6)
    monkeypatch.setattr(stages, "TRAIN_SCREENS", 3)


def test_every_stage_runs_and_the_model_loads(tmp_path, small_pools, capsys):
    (tmp_path / "spec.json").write_text(json.dumps({"recipe": "tiny-scratch", "steps": 6, "batch_size": 2}))
    options = ["--spec", str(tmp_path / "spec.json"), "--out", str(tmp_path / "out")]
    assert main(options) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["stage"] for event in events if event.get("message") == "stage starts"] == list(STAGES[FROM_SCRATCH])
    model = LlavaForConditionalGeneration.from_pretrained(tmp_path / "out" / "model", dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(tmp_path / "out" / "model")
    scene = drawings.scene(2_000_000)
    ids = [str(number) for number in range(1, len(scene.regions) + 1)]
    picture = paint_for_model(scene.image, scene.regions, ids, "markwise", 224)
    inputs = processor(images=picture, text="USER: <image>\nWhat is mark 1? ASSISTANT:", return_tensors="pt")
    assert model.generate(**inputs, max_new_tokens=2, do_sample=False).shape[1] > inputs["input_ids"].shape[1]
    assert main([*options, "--resume"]) == 0
    again = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["stage"] for event in again if event.get("message") == "already done"] == list(STAGES[FROM_SCRATCH])


def test_a_run_with_large_batches_has_more_drawings():
    assert [pool_times(size) for size in (None, 2, 12, 24, 48, 96, 960)] == [1, 1, 1, 1, 2, 4, 4]


def test_a_model_that_was_exported_trains_on_as_before(tmp_path):
    tiny = Tiny(seed=0)
    packed = table_batch(Packer(tiny.tokenizer), Random(3), 2)
    forward.recorded[1] = torch.empty(0)
    before = forward.answer_logits(tiny.llava, packed, None)
    looked = forward.recorded[1]
    export(tiny, tmp_path)
    forward.recorded[1] = torch.empty(0)
    assert torch.equal(forward.answer_logits(tiny.llava, packed, None), before)
    assert torch.equal(forward.recorded.pop(1), looked)


def test_looks_point_to_lines_of_the_table():
    tiny = Tiny(seed=0)
    packer = Packer(tiny.tokenizer)
    packed = table_batch(packer, Random(3), 4)
    assert len(packed.line_looks) > 50
    assert len(packed.mark_looks) > 5
    for row, at, start in packed.line_looks.tolist():
        assert start <= at
        assert packer.tokenizer.decode(packed.ids[row, start - 1]) == "\n"
        assert packer.tokenizer.decode(packed.ids[row, start]).isdigit()
    for row, at, first, last in packed.mark_looks.tolist():
        line = packer.tokenizer.decode(packed.ids[row, first:last])
        assert at > last
        assert "\n" not in line


def test_grafted_heads_carry_the_digit_of_a_line():

    tiny = Tiny(seed=0, dtype=torch.float32)
    packed = table_batch(Packer(tiny.tokenizer), Random(3), 12)
    head = (1, 2)
    graft_digits(tiny, packed, head, (2, 1))
    forward.recorded[1] = torch.empty(0)
    with torch.no_grad():
        embedded = tiny.llava.model.language_model.embed_tokens(packed.ids)
        states = tiny.llava.model.language_model(
            inputs_embeds=embedded,
            attention_mask=packed.mask.float(),
            position_ids=packed.positions,
            output_hidden_states=True,
        ).hidden_states[1]
    forward.recorded.clear()
    attention = tiny.llava.model.language_model.layers[1]
    starts = torch.unique(packed.line_looks[:, [0, 2]], dim=0)
    values = attention.self_attn.v_proj(attention.input_layernorm(states))[starts[:, 0], starts[:, 1]]
    said = values[:, 128:138].argmax(1)
    truth = [int(tiny.tokenizer.decode(token)) for token in packed.ids[starts[:, 0], starts[:, 1]]]
    assert said.tolist() == truth
