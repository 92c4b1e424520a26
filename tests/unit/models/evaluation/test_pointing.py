"""Attention as numbers: right on pictures of known truth, and the shipped model's marks make it look at the right thing."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from app.cli import main
from models.errors import BadEvaluation
from models.evaluation.attention import Attended
from models.evaluation.pictured import inside, of_drawings, of_records, region_in_square, unique
from models.evaluation.pointing import KINDS, Pointed, Rule, measure, summary
from models.facts import ImageFacts, ObjectFact
from models.regions import Regions
from models.sources.records import Fault, ImageReference, Record
from models.vlm.prompts import chat_prompt

SEEDS = range(1_000_320, 1_000_323)


class OneEyed:
    """Stands in for a probe: every token looks at one patch of a 4 x 4 grid, while deciding at another."""

    input_px, grid = 64, 4

    def __init__(self, at, deciding):
        self.at, self.deciding = at, deciding

    def attend(self, picture, query, answer=None):
        text = chat_prompt(query) + (f" {answer}" if answer else "")
        first = text.index("\n") + 1
        asked = text.index(" ASSISTANT:")
        spans = tuple((i, i + 1) for i in range(first, len(text)))
        weights = np.zeros((2, 1, len(spans), 4, 4), np.float32)
        weights[:, :, :, *self.at] = 0.5
        start = len(chat_prompt(query)) - first
        if answer:
            weights[:, :, start - 1 : -1] = 0
            weights[:, :, start - 1 : -1, *self.deciding] = 0.5
        return Attended(
            text=text,
            spans=spans,
            query=range(asked - first),
            answer=range(start, len(spans)) if answer else range(0),
            weights=weights,
        )


def record(**objects):
    facts = ImageFacts(
        size_hw=(64, 64),
        objects=tuple(
            ObjectFact(id=name, label=name.rstrip("0123456789"), bbox_xyxy_px=box) for name, box in objects.items()
        ),
    )
    return Record(external_id="7", image=ImageReference(file_name="7.png"), facts=facts)


def pictured(*records):
    return list(of_records(records, Path("pictures"), lambda path: np.zeros((64, 64, 3), np.uint8)))


def test_what_looks_into_the_region_points_into_it():
    (picture,) = pictured(record(cup=(0, 0, 16, 16), fork=(32, 32, 64, 64)))
    (found,) = measure(OneEyed(at=(0, 0), deciding=(3, 3)), [picture], Rule())
    by = {(row.kind, row.tags, row.area): row for row in found.rows}
    small, large = 1 / 16, 1 / 4
    assert len(found.rows) == len(by) == 2 * len(KINDS) * 2
    assert (by["phrase", True, small].hit, by["phrase", True, small].share) == (True, 1)
    assert (by["phrase", True, large].hit, by["phrase", True, large].others) == (False, 1)
    assert (by["writing", False, large].hit, by["writing", False, large].share) == (True, 1)
    assert by["writing", False, small].layers == ((0, False), (0, False))


def test_regions_that_nothing_can_point_into_are_counted_apart():
    (picture,) = pictured(record(cup=(0, 0, 6, 6), fork=(32, 32, 64, 64)))
    (found,) = measure(OneEyed(at=(0, 0), deciding=(0, 0)), [picture], Rule())
    assert (found.too_small, len(found.rows)) == (1, 2 * len(KINDS))


def test_a_name_that_two_regions_bear_asks_for_none():
    (picture,) = pictured(record(cup1=(0, 0, 16, 16), cup2=(32, 32, 64, 64), fork=(0, 32, 16, 64)))
    assert [(one.text, one.region) for one in picture.phrases] == [("fork", 2)]
    assert picture.regions.texts == (None,) * 3, "the model must not be told what people called things"
    assert [one.text for one in unique(["Cup", "cup", "", "pan"])] == ["pan"]


def test_faults_and_empty_records_are_passed_over():
    assert pictured(Fault(external_id="1", detail="broken"), record()) == []
    with pytest.raises(BadEvaluation, match="outside"):
        inside(Path("pictures"), "../secret.png")


def test_a_region_is_found_on_the_padded_square():
    regions = Regions.from_boxes((100, 200), [(0, 0, 100, 100)])
    mask = region_in_square(regions, 0, 64)
    assert mask[16:48, :32].all()
    assert mask.sum() == 32 * 32


def test_means_gain_and_interval():
    def row(picture, share, *, hit):
        return Pointed(
            picture=picture,
            tags=True,
            kind="phrase",
            share=share,
            area=0.1,
            others=0.05,
            hit=hit,
            layers=((share, hit),),
        )

    (line,) = summary([row("a", 0.2, hit=False), row("a", 0.4, hit=True), row("b", 0.6, hit=True)])
    assert (line["n"], line["pictures"], line["pointing"]) == (3, 2, pytest.approx(2 / 3))
    assert (line["share"], line["gain"]) == (pytest.approx(0.4), pytest.approx(4))
    assert line["share_95"] == [pytest.approx(0.3), pytest.approx(0.6)], "pictures are drawn, not things"
    assert line["layers"] == [{"share": pytest.approx(0.4), "pointing": pytest.approx(2 / 3)}]


def test_marks_make_the_shipped_model_look(tmp_path):
    out = tmp_path / "looks"
    argv = ["evaluate", "pointing", "--drawings", "4", "--examples", "1", "--out", str(out), "--json"]
    result = CliRunner().invoke(main, argv)
    assert result.exit_code == 0, result.output
    (model,) = json.loads(result.stdout)["models"]
    looks = {(line["look"], line["tags"]): line for line in model["looks"]}
    assert looks["phrase", True]["gain"] > 3
    assert looks["writing", True]["share"] > 1.3 * looks["writing", False]["share"]
    assert len(list(out.glob("scene-*.png"))) == 1
    assert json.loads((out / "pointing.json").read_text())["layers"] == "all"


def test_options_that_do_not_fit_are_told(tmp_path):
    file = tmp_path / "i.json"
    file.write_text("{}")
    result = CliRunner().invoke(main, ["evaluate", "pointing", "--instances", str(file)])
    assert result.exit_code == 2
    assert "--images" in result.output


def test_drawings_are_pictures_with_names():
    one = next(of_drawings(SEEDS))
    assert one.read().shape[2] == 3
    assert len(one.names) == len(one.regions) == len(one.ids)
