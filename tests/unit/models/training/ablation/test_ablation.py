"""The ablation: what its mixtures say, that arms are matched and begin alike, that a grid goes on, and what its report counts."""

import json
from collections import Counter
from random import Random
from xml.etree import ElementTree as ET

import pytest
import torch
from click.testing import CliRunner

from models.training.ablation import cells, grid, plot, report, start, talk
from models.training.ablation.arms import ARMS, Cell
from models.training.ablation.talk import Facts
from models.training.ablation.views import Views, painted
from models.training.loop import StopFlag
from workers.direct.ablation import ablation

FACTS = Facts(names=("red circle", "blue star", "red star"), reading=(1, 0, 2))


def test_base_data_and_captions_name_no_mark():
    rng = Random(0)
    for _ in range(200):
        for turn in (*talk.base_turns(FACTS, rng), *talk.dense_turns(FACTS, rng)):
            assert "mark" not in f"{turn.query} {turn.answer}".lower()


def test_a_caption_says_what_a_listing_says_in_reading_order():
    assert talk.listing_turns(FACTS, Random(0))[0].answer == "1. red circle\n2. blue star\n3. red star"
    assert talk.dense_turns(FACTS, Random(0))[0].answer == "blue star, red circle, red star."


def test_absent_things_are_absent_and_the_hardest_are_made_of_what_is_there():
    absent = talk.absent_names(FACTS)
    assert absent["pair"] == [("blue", "circle")]
    assert "circle" not in {kind for _, kind in absent["kind"]}
    assert {"red", "blue"} & {color for color, _ in absent["color"]} == set()


def test_the_first_token_of_an_answer_tells(small):
    home, *_ = small
    _, packer = cells.open_start(next(home.rglob("start-small")))
    ends = []
    for answer in (talk.YES, talk.NO):
        ids, asked = packer.segment(talk.exists_question("kind", ("red", "star"), answer))
        assert len(ids) - asked == 3
        ends.append(ids[asked])
    assert ends[0] != ends[1]


def test_half_of_popes_questions_are_about_what_is_there():
    rng = Random(1)
    said = Counter(talk.exists(FACTS, rng).answer for _ in range(1000))
    assert 430 < said[talk.YES] < 570


def test_every_mark_of_a_painted_scene_is_one_of_its_facts():
    plain, tagged, facts, scene = painted(3)
    assert len(facts.names) == len(scene.regions)
    assert sorted(facts.reading) == list(range(len(facts.names)))
    assert plain.shape == tagged.shape
    assert (plain != tagged).any()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A start and a few views, made with next to no fitting."""
    home = tmp_path_factory.mktemp("ablation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StopFlag, "listen", lambda _: None)  # pytest keeps its own
        patch.setattr(start, "ALIGN_STEPS", 2)
        patch.setattr(start, "ALIGN_PICTURES", 4)
        patch.setattr(report, "DRAWS", 10)
        options = ["--out", str(home), "--pictures", "12", "--held-out", "3", "--tokens", "3000", "--seeds", "1"]
        run = CliRunner().invoke(ablation, [*options, "--arm", "base", "--arm", "base+listing+qa"])
        again = CliRunner().invoke(ablation, [*options, "--arm", "base", "--arm", "base+listing+qa"])
    return home, run, again


def test_a_grid_keeps_every_cell_and_does_none_twice(small):
    home, run, again = small
    assert run.exit_code == again.exit_code == 0, run.output
    files = sorted((home / "results" / "cells").glob("*.json"))
    assert [json.loads(file.read_text())["cell"]["arm"] for file in files] == ["base+listing+qa", "base"]
    assert again.output.count("already done") == 2
    table = (home / "results" / "table.md").read_text()
    assert "| base+listing+qa | 1 |" in table
    assert table in again.stdout, "the table is printed, also by a run that had nothing to do"
    assert (home / "results" / "ablation.svg").read_text().startswith("<svg")


def test_arms_are_matched_and_rows_count_alike(small):
    home, *_ = small
    folder = next(path.parent for path in home.rglob("start-small"))
    _, packer = cells.open_start(folder / "start-small")
    views = Views(
        facts=(FACTS,) * 3,
        covered=torch.zeros(3, 196, dtype=torch.bool).numpy(),
        plain=torch.zeros(3, 196, 192, dtype=torch.float16).numpy(),
        tagged=torch.ones(3, 196, 192, dtype=torch.float16).numpy(),
    )
    for arm, shares in ARMS.items():
        cell = Cell(arm=arm, seed=0, size="small", tokens=1, listing_pictures=2)
        packed, features = cells.MixtureStage(cell, views, packer).batch(Random(0))
        tags = int((features.mean((1, 2)) > 0.5).sum())
        assert tags == round(cells.ROWS * sum(share for kind, share in shares.items() if kind in ("list", "qa")))
        by_row = torch.zeros(cells.ROWS).index_add_(0, packed.answer_at // packed.ids.shape[1], packed.weights)
        torch.testing.assert_close(by_row, by_row.mean().expand(cells.ROWS))


def outcomes(listing, pope):
    return {"cell": {"arm": "base", "seed": 0}, "outcomes": {"listing": listing, "pope": {"plain": pope}}}


def test_the_report_counts_as_the_paper_and_pope_do():
    listing, pope = report.MEASURES[0], report.MEASURES[2]
    cell = outcomes([[1, 2], [4, 4]], {"kind": "ynyy", "color": "ynyn", "pair": "--ny"})
    assert report.estimate([cell], listing).mean == pytest.approx(0.75)
    assert report.estimate([cell], pope).mean == pytest.approx((0.8 + 1.0 + 0.0) / 3)


def test_a_difference_is_paired(monkeypatch):
    monkeypatch.setattr(report, "DRAWS", 200)
    worse = [outcomes([[k % 3, 3] for k in range(30)], {})]
    better = [outcomes([[k % 3 + 1, 3] for k in range(30)], {})]
    found = report.estimate(better, report.MEASURES[0], worse)
    assert found.low == pytest.approx(found.high) == pytest.approx(1 / 3)


def test_a_plan_comes_seed_by_seed():
    plan = grid.Plan(base=None, seeds=2, listing_pictures=(1_000, 5_000))
    order = [(cell.seed, cell.listing_pictures, cell.arm) for cell in plan.cells()]
    assert len(order) == len(set(order)) == 14
    assert [seed for seed, *_ in order] == [0] * 7 + [1] * 7
    assert {arm for _, listed, arm in order if listed == 1_000} == {"base+listing", "base+listing+qa"}
    assert {arm for _, listed, arm in order if listed == 5_000} == set(ARMS)


def test_the_papers_third_figure_is_66_cells():
    plan = grid.Plan(base=None, sizes=("small", "large"), listing_pictures=(1_000, 5_000, 10_000, 50_000))
    assert len(list(plan.cells())) == 66


def cell_of(arm, listed, *, tokens=1_000_000, seed=0, size="small", right=1):
    told = {"arm": arm, "seed": seed, "size": size, "tokens": tokens, "listing_pictures": listed}
    said = {condition: dict.fromkeys(talk.SPLITS, "ynyn") for condition in ("plain", "tags")}
    short = {condition: [[1, 2], [1, 2]] for condition in ("plain", "tags")}
    found = {"listing": [[right, 4]] * 2, "refer": [[1, 2]] * 2, "pope": said, "short": short}
    return {"cell": told, "outcomes": found}


def test_an_arm_without_listings_is_compared_at_every_number_of_listed_pictures():
    base = [cell_of("base", 50_000), cell_of("base", 5_000)]
    listing = [cell_of("base+listing", count) for count in (1_000, 5_000, 50_000)]
    found = report.groups_of([*base, *listing])
    assert [(group.listed, list(arms)) for group, arms in found.items()] == [
        (count, ["base", "base+listing"]) for count in (1_000, 5_000, 50_000)
    ]
    met = {group.listed: arms["base"][0]["cell"]["listing_pictures"] for group, arms in found.items()}
    assert met == {1_000: 5_000, 5_000: 5_000, 50_000: 50_000}
    assert [list(arms) for arms in report.groups_of(base).values()] == [["base"], ["base"]]


def test_arms_that_were_run_until_it_no_longer_helped_are_compared_at_their_ends(monkeypatch):
    monkeypatch.setattr(report, "DRAWS", 10)
    cells = [
        cell_of("base", 100), cell_of("base", 100, tokens=2_000_000, right=2),
        cell_of("base+listing", 100, right=3), cell_of("base", 100, seed=1), cell_of("base+listing", 100, seed=1),
    ]  # fmt: skip
    found = report.groups_of(cells)
    ended = found[report.Group(size="small", tokens=report.CONVERGED, listed=100)]
    assert {arm: [one["outcomes"]["listing"][0][0] for one in some] for arm, some in ended.items()} == {
        "base": [2, 1],
        "base+listing": [3, 1],
    }
    assert "## small model, to convergence, 100 pictures listed" in report.table(cells)
    assert all(group.tokens for group in report.groups_of(cells[:1] + cells[2:]))


def test_curves_are_drawn_where_several_numbers_of_pictures_are_listed(monkeypatch):
    monkeypatch.setattr(report, "DRAWS", 10)
    one = [cell_of("base", 50), cell_of("base+listing", 50)]
    assert "by pictures listed" not in plot.draw(one)
    several = [*one, cell_of("base+listing", 10, right=3), cell_of("base+listing", 50, size="large")]
    drawn = plot.draw(several)
    ET.fromstring(drawn)
    assert drawn.count("by pictures listed, 1 M tokens a cell") == 1
    lines = [line for line in drawn.splitlines() if 'stroke-width="2"' in line]
    assert len(lines) == len(plot.SHOWN), "one of the two sizes has two points"
