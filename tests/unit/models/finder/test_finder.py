"""The finder of tagged pictures: what it learns from, where it looks, what it keeps, and what its commands say."""

import base64
import hashlib
import json
import re
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from app.cli import main
from models import drawings
from models.errors import WeightsMissing
from models.finder.check import Corpus, Given
from models.finder.examples import Example, example
from models.finder.gallery import Shown, page, policy
from models.finder.net import load, save, score_of, start_from
from models.finder.numbered import KINDS, UNSEEN, draw_numbered
from models.finder.ranking import Found, highest, precisions
from models.finder.search import scored
from models.finder.tiles import MOST, SHORT_PX, TILE_PX, cut
from models.finder.train import Stopped, loss_of, target, train
from models.regions import Regions

WEIGHTS = Path(__file__).resolve().parents[4] / "models" / "weights" / "som-llava-tiny"
GRID = 14


@pytest.fixture(scope="module")
def untaught():
    return start_from(WEIGHTS).eval().requires_grad_(False)


class TestExamples:
    def test_a_seed_is_a_picture(self):
        first, second = (example(7, tagged=True) for _ in range(2))
        assert np.array_equal(first.image, second.image)
        assert first.labels_xyxy_px == second.labels_xyxy_px

    def test_tagged_ones_have_labels_inside_and_others_none(self):
        for seed in range(8):
            tagged, plain = example(seed, tagged=True), example(seed, tagged=False)
            high, wide = tagged.image.shape[:2]
            assert tagged.tagged
            assert not plain.tagged
            for x0, y0, x1, y1 in tagged.labels_xyxy_px:
                assert 0 <= x0 < x1 <= wide
                assert 0 <= y0 < y1 <= high

    def test_training_never_shows_what_the_check_does(self):
        seen = {name for seed in range(20) for name in example(seed, tagged=False).kind.split("+")[1:]}
        assert seen
        assert not seen & set(UNSEEN)
        kept = {name for _, drawn in Corpus(pictures=20, tagged=1).draw() for name in drawn.kind.split("+")[1:]}
        assert kept & set(UNSEEN)

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_look_alike_leaves_ink(self, kind):
        plain = np.full((300, 400, 3), 128, np.uint8)
        drawn = draw_numbered(plain, kind, Random(1))
        assert (drawn != plain).any(axis=2).sum() > 100
        assert (plain == 128).all()

    def test_the_corpus_is_held_out_and_seeded(self):
        corpus = Corpus(pictures=12, tagged=3, seed=1)
        first, again = ([drawn.tagged for _, drawn in corpus.draw()] for _ in range(2))
        assert first == again
        assert sum(first) == 3
        assert drawings.HELD_OUT_SEEDS.start + 30 not in drawings.TRAIN_SEEDS

    def test_given_pictures_are_marked_by_the_seed_and_the_rest_left_alone(self):
        given = {name: example(number, tagged=False).image for number, name in enumerate("abcdefgh")}

        def middle(image):
            return Regions.from_boxes(image.shape[:2], [[90, 90, 200, 200]])

        def drawn(seed):
            corpus = Given(names=sorted(given), read=given.__getitem__, segment=middle, tagged=3, seed=seed)
            assert corpus.pictures == 8
            return {name: one.labels_xyxy_px for name, one in corpus.draw()}

        assert drawn(0) == drawn(0)
        assert [sum(map(bool, drawn(seed).values())) for seed in (0, 1)] == [3, 3]
        assert drawn(0) != drawn(1)


class TestTiles:
    @pytest.mark.parametrize("size", [(480, 640), (640, 480), (100, 100), (224, 3000), (3000, 200), (4000, 6000)])
    def test_every_pixel_is_in_a_square(self, size):
        tiles = cut(np.zeros((*size, 3), np.uint8))
        assert len(tiles.pixels) == len(tiles.corners_xy_px) <= MOST
        covered = np.zeros([max(TILE_PX, round(side * tiles.scale)) for side in size], np.bool_)
        for x, y in tiles.corners_xy_px:
            covered[y : y + TILE_PX, x : x + TILE_PX] = True
        assert covered.all()

    def test_a_photo_takes_six(self):
        tiles = cut(np.zeros((480, 640, 3), np.uint8))
        assert (len(tiles.pixels), tiles.scale) == (6, SHORT_PX / 480)

    def test_a_label_is_the_patches_that_it_covers(self):
        # 416 px: no scaling; the second square begins at 192.
        drawn = Example(image=np.zeros((416, 416, 3), np.uint8), labels_xyxy_px=((200, 208, 216, 240),), kind="")
        tiles = cut(drawn.image)
        wanted = target(drawn, tiles, 3, GRID)
        assert tiles.corners_xy_px[3] == (192, 192)
        assert (wanted == 1).sum() == 4, "8 to 24 and 16 to 48: half of two patches across, two down"
        assert wanted[1:3, 0:2].tolist() == [[1, 1], [1, 1]]
        narrow = Example(image=drawn.image, labels_xyxy_px=((204, 208, 208, 224),), kind="")
        assert target(narrow, tiles, 3, GRID)[1, 0] == -1, "a quarter of a patch is neither"


class TestNetwork:
    def test_what_is_neither_teaches_nothing(self):
        logits = torch.zeros(1, GRID, GRID, requires_grad=True)
        wanted = torch.full((1, GRID, GRID), -1.0)
        loss_of(logits, wanted).backward()
        assert (logits.grad == 0).all()
        wanted[0, 0, 0] = 1
        loss_of(logits, wanted).backward()
        assert logits.grad[0, 0, 0] < 0

    def test_a_square_scores_by_its_two_highest_patches(self):
        logits = torch.zeros(1, GRID, GRID)
        logits[0, 3, 4], logits[0, 9, 9] = 6, 2
        assert score_of(logits).tolist() == [4]

    def test_two_trainings_are_one(self):
        first, second = (train(WEIGHTS, steps=1) for _ in range(2))
        for one, two in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
            assert torch.equal(one, two)

    def test_a_stopped_training_goes_on_with_the_next_step(self, tmp_path):
        whole = train(WEIGHTS, steps=2)
        with pytest.raises(Stopped):
            train(WEIGHTS, steps=2, kept=tmp_path / "kept", stopped=lambda: True)
        heard = []
        rest = train(WEIGHTS, steps=2, kept=tmp_path / "kept", told=lambda step, _loss: heard.append(step))
        assert heard == [2]
        for one, two in zip(whole.state_dict().values(), rest.state_dict().values(), strict=True):
            assert torch.equal(one, two)

    def test_it_comes_back_as_it_was(self, untaught, tmp_path):
        save(untaught, tmp_path / "finder", {"steps": 0})
        pixels = torch.from_numpy(cut(example(3, tagged=True).image).pixels[:2])
        assert torch.equal(load(tmp_path / "finder")(pixels), untaught(pixels))
        assert {path.name for path in (tmp_path / "finder").iterdir()} == {"config.json", "model.safetensors"}

    def test_a_folder_without_one_says_how_to_make_it(self, tmp_path):
        with pytest.raises(WeightsMissing, match="finder train --out"):
            load(tmp_path)
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(WeightsMissing):
            load(tmp_path)


class Bright:
    """Stands in for a finder: a patch speaks for a mark as brightly as its middle shines."""

    grid = GRID

    def __call__(self, pixels):
        return pixels[:, 8::16, 8::16, 0].float() / 32 - 4


class TestSearch:
    def test_the_place_is_told_in_the_pictures_own_pixels(self):
        image = np.zeros((832, 832, 3), np.uint8)
        image[640:672, 96:128] = 255
        found = scored(Bright(), "x", image)
        x0, y0, x1, y1 = found.bbox_xyxy_px
        assert x0 <= 112 <= x1
        assert y0 <= 656 <= y1
        assert found.score > scored(Bright(), "y", np.zeros((832, 832, 3), np.uint8)).score

    def test_the_highest_come_first_and_ties_by_name(self):
        found = [
            Found(name=name, score=score, bbox_xyxy_px=(0, 0, 1, 1)) for name, score in (("b", 1), ("a", 1), ("c", 0))
        ]
        assert [one.name for one in highest(found, 2)] == ["a", "b"]

    def test_precision_is_of_the_ranking(self):
        figures = precisions("abcd", frozenset("ac"), (1, 4, 9))
        assert figures == {
            "precision_at_1": 1,
            "precision_at_2": 0.5,
            "precision_at_4": 0.5,
            "average_precision": pytest.approx((1 + 2 / 3) / 2),
        }

    def test_the_gallery_is_one_file_that_asks_nobody(self):
        found = Found(name='<b>"x".png', score=0.5, bbox_xyxy_px=(10, 10, 20, 20))
        text = page("3 of 9", [Shown(found=found, size_hw=(100, 700), webp=b"small")])
        assert "<b>" not in text
        assert f"data:image/webp;base64,{base64.b64encode(b'small').decode()}" in text
        assert not re.search(r'(?:src|href)="(?!data:)', text)
        assert "left:0.71%;top:5.00%" in text
        assert len(text) < 8_000

    def test_the_gallerys_policy_lets_its_own_script_run_and_no_other(self):
        (script,) = re.findall(r"<script>(.*)</script>", page("", []), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in policy()


class TestCommands:
    def test_taught_tried_and_used(self, tmp_path):
        def command(*argv):
            result = CliRunner().invoke(main, ["evaluate", "finder", *map(str, argv), "--json"])
            assert result.exit_code == 0, result.output
            return json.loads(result.stdout)

        made = command("train", "--out", tmp_path / "finder", "--steps", 1)
        assert made["steps"] == 1
        found = command("check", "--model", tmp_path / "finder", "--pictures", 10, "--tagged", 5)
        assert 0 <= found["precision_at_5"] <= 1
        pictures = tmp_path / "pictures" / "deep"
        pictures.mkdir(parents=True)
        for seed in range(3):
            cv2.imwrite(str(pictures / f"{seed}.png"), example(seed, tagged=False).image)
        found = command("check", tmp_path / "pictures", "--model", tmp_path / "finder", "--tagged", 1)
        assert (found["pictures"], found["tagged"]) == (3, 1)
        assert 0 < found["precision_at_1"] + found["average_precision"] <= 2
        (pictures / "broken.jpg").write_bytes(b"no picture")
        (pictures / "notes.txt").write_text("no picture, and not asked")
        gallery = tmp_path / "gallery.html"
        found = command("run", tmp_path / "pictures", "--model", tmp_path / "finder", "--top", 2, "--out", gallery)
        assert (found["pictures"], found["unread"], len(found["highest"])) == (4, ["deep/broken.jpg"], 2)
        assert gallery.read_text().count("<figure>") == 2

    def test_a_missing_finder_is_a_sentence(self, tmp_path):
        result = CliRunner().invoke(main, ["evaluate", "finder", "check", "--model", str(tmp_path)])
        assert result.exit_code == 1
        assert "makes one in minutes" in result.stderr

    def test_one_corpus_is_asked_for(self, tmp_path):
        for argv, words in (
            (["--model", str(tmp_path)], "give a folder and a --model"),
            ([str(tmp_path), "--model", str(tmp_path), "--label", "a"], "belong to --finder"),
            (["--finder", "mine"], "say which images"),
            (["--finder", "mine", "--label", "a", "--catalog"], "say which images"),
        ):
            result = CliRunner().invoke(main, ["evaluate", "finder", "run", *argv])
            assert (result.exit_code, words in result.stderr) == (2, True), result.stderr
