"""MMGiC's analyses on files made here: what a corpus covers, figures per dimension, notes before the question."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from app.cli import main
from models.errors import BadEvaluation
from models.evaluation.overlap import overlap, vocabulary
from models.evaluation.runs.asking import Asking
from models.evaluation.runs.questions import Question
from models.evaluation.runs.tasks import MarkQuestion
from models.evaluation.self_annotated import SelfAnnotating
from models.vlm.prompts import LIST_TEMPLATES
from models.vlm.types import VlmReply


def command(*argv):
    result = CliRunner().invoke(main, ["evaluate", *map(str, argv)])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


TRAIN = [
    {"image": "coco/train2017/000000000025.jpg", "conversations": [
        {"from": "human", "value": "<image>\nWhat is there?"}, {"from": "gpt", "value": "A small dog beside a red car."}]},
    {"image": "coco/train2017/000000000036.jpg", "conversations": [{"from": "gpt", "value": "A small dog."}]},
]  # fmt: skip
ASKED = [
    {"question_id": 1, "image": "COCO_val2014_000000000025.jpg", "text": "Is there a small dog in the image?"},
    {"question_id": 2, "image": "COCO_val2014_000000000099.jpg", "text": "Is there a blue car in the image?"},
    {"question_id": 3, "image": "COCO_val2014_000000000099.jpg", "text": "Is there a zebra in the image?"},
]
QUESTIONS = [
    Question(key=str(i), image=Path("a.png" if i < 2 else "b.png"), prompt=f"Is there a dog {i}?") for i in range(3)
]


class TestOverlap:
    def files(self, tmp_path):
        train = tmp_path / "train.json"
        train.write_text(json.dumps(TRAIN))
        return train, lines(tmp_path / "pope.jsonl", ASKED)

    def test_phrases_heads_and_pictures_are_counted(self, tmp_path):
        train, asked = (vocabulary(path) for path in self.files(tmp_path))
        assert set(asked.phrases) == {"small dog", "blue car", "zebra", "image"}
        found = overlap(train, asked)
        assert (found["phrases"], found["covered"]) == (4, 25)
        assert found["covered_occurrences"] == pytest.approx(100 / 6), "the image is asked about three times"
        assert found["covered_heads"] == 50, "dog and car"
        assert (found["shared_pictures"], found["pictures"]) == (1, 2)
        assert found["missing"][0] == "image"
        assert overlap(train, asked, at_least=2)["covered_heads"] == 25

    def test_other_layouts_are_read(self, tmp_path):
        coco = tmp_path / "captions.json"
        coco.write_text(
            json.dumps(
                {
                    "images": [{"id": 25, "file_name": "000000000025.jpg"}],
                    "annotations": [{"id": 1, "image_id": 25, "caption": "A zebra."}],
                }
            )
        )
        found = vocabulary(coco)
        assert (dict(found.phrases), found.pictures) == ({"zebra": 1}, {"25"})
        seed = tmp_path / "SEED-Bench.json"
        seed.write_text(json.dumps({"questions": [{"question": "Where is the zebra?", "data_id": "1_2"}]}))
        assert "zebra" in vocabulary(seed).phrases
        empty = lines(tmp_path / "empty.jsonl", [{"n": 1}])
        with pytest.raises(BadEvaluation, match="no text"):
            vocabulary(empty)

    def test_the_command_compares_corpora(self, tmp_path):
        train, asked = self.files(tmp_path)
        rows = command(
            "overlap", "--train", f"ours={train}", "--train", f"itself={asked}", "--on", f"pope={asked}", "--json"
        )
        assert [(row["train"], row["covered"]) for row in rows] == [("ours", 25), ("itself", 100)]
        shown = CliRunner().invoke(main, ["evaluate", "overlap", "--train", f"ours={train}", "--on", f"pope={asked}"])
        assert "never in ours: image" in shown.output


class TestDimensions:
    def files(self, tmp_path):
        questions = [
            {
                "question_id": str(number),
                "question_type_id": kind,
                "data_type": "image",
                "question": "?",
                "answer": "A",
                "data_id": "1",
            }
            | {f"choice_{letter}": letter for letter in "abcd"}
            for number, kind in enumerate([1] * 10 + [5] * 10 + [9] * 4)
        ]
        path = tmp_path / "SEED-Bench.json"
        path.write_text(json.dumps({"questions": questions}))

        def answers(name, right):
            rows = [
                {"question_id": row["question_id"], "prediction": "A" if right(i) else "B"}
                for i, row in enumerate(questions)
            ]
            return f"{name}={lines(tmp_path / f'{name}.jsonl', rows)}"

        coarse, fine = answers("coarse", lambda i: i < 10), answers("fine", lambda i: 10 <= i < 20)
        return path, ["--run", coarse, "--run", fine, "--run", answers("both", lambda i: i < 19)]

    def test_each_dimension_is_compared_and_text_left_out(self, tmp_path):
        questions, runs = self.files(tmp_path)
        found = command("dimensions", "seed", "--questions", questions, *runs, "--json")
        rows = {row["dimension"]: row["runs"] for row in found["dimensions"]}
        assert list(rows) == ["scene understanding", "instances counting", "overall"]
        assert rows["scene understanding"]["coarse"]["value"] == 100
        assert rows["scene understanding"]["fine"]["difference"]["value"] == -100
        assert rows["scene understanding"]["fine"]["better"] is False
        assert rows["instances counting"]["both"]["value"] == 90
        assert rows["overall"]["coarse"] | {"low": 0, "high": 0} == {"n": 20, "value": 50, "low": 0, "high": 0}
        assert found["mixed"]["gains"] == {"scene understanding": 0, "instances counting": -10}
        assert found["mixed"]["mean"] == -5

    def test_text_recognition_counts_when_asked_for(self, tmp_path):
        questions, runs = self.files(tmp_path)
        found = command("dimensions", "seed", "--questions", questions, *runs[:2], "--all", "--json")
        assert found["dimensions"][-2]["dimension"] == "text recognition"
        assert found["dimensions"][-1]["runs"]["coarse"]["n"] == 24

    def test_questions_without_a_dimension_are_told(self, tmp_path):
        answers = lines(tmp_path / "a.jsonl", [{"question_id": "1", "prediction": "yes", "answer": "yes"}])
        result = CliRunner().invoke(main, ["evaluate", "dimensions", "gqa", "--run", f"a={answers}"])
        assert result.exit_code == 1
        assert "name no dimension" in result.stderr


@dataclass
class Scripted:
    """Says what its prompt is, and remembers what it was asked."""

    name = "scripted"
    version = "1"
    dialect = "tiny"
    input_px = None
    prompts: list = field(default_factory=list)

    def generate(self, request):
        self.prompts.append(request.prompt)
        text = "1. dog\n2. cat" if request.prompt == LIST_TEMPLATES[0] else "A dog  and\na cat." if "sentence" in request.prompt else "dog, cat" if "commas" in request.prompt else "Yes"  # fmt: skip
        return VlmReply(text=text, prompt_tokens=1, completion_tokens=1, finish_reason="stop")


class TestSelfAnnotated:
    def asked(self, notes, **given):
        backend = Scripted()
        asking = Asking(backend=backend, read=lambda image: np.full((32, 32, 3), 200, np.uint8), **given)
        annotating = SelfAnnotating(asking=asking, notes=notes)
        return backend.prompts, [annotating(question) for question in QUESTIONS]

    def test_notes_stand_before_the_question_and_are_kept(self):
        prompts, answers = self.asked("both")
        assert prompts[2] == (
            "A description of the picture: A dog and a cat.\nWhat is in the picture: dog, cat\nIs there a dog 0?"
        )
        assert answers[0] == {"text": "Yes", "self_annotations": {"caption": "A dog and a cat.", "labels": "dog, cat"}}

    def test_a_picture_is_annotated_once(self):
        prompts, _ = self.asked("caption")
        assert len(prompts) == 3 + 2, "three questions, two pictures"

    def test_marked_pictures_are_listed_mark_by_mark(self):
        from models.evaluation.runs import Tags
        from models.regions import Regions

        tags = Tags(segment=lambda picture: Regions.from_boxes((32, 32), [(0, 0, 16, 16), (16, 16, 32, 32)]))
        prompts, answers = self.asked("labels", tags=tags)
        assert prompts[0] == LIST_TEMPLATES[0]
        assert answers[0]["self_annotations"] == {"labels": "1. dog\n2. cat"}
        assert prompts[1].startswith("What is in the picture: 1. dog\n2. cat\n")

    def test_questions_about_marks_take_none(self):
        annotating = SelfAnnotating(asking=None, notes="caption")
        with pytest.raises(BadEvaluation, match="takes no notes"):
            annotating(MarkQuestion(key="1", task="refer", image=Path("a.png")))

    def test_the_command_keeps_notes_beside_answers(self, tmp_path):
        import cv2

        cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 64, 3), 200, np.uint8))
        asked = lines(tmp_path / "q.jsonl", [{"question_id": 1, "image": "a.png", "text": "Is there a dog?"}])
        out = tmp_path / "a.jsonl"
        argv = ["run", "pope", "--questions", asked, "--images", tmp_path, "--out", out, "--notes", "labels", "--json"]
        assert command(*argv)["notes"] == "labels"
        (row,) = map(json.loads, out.read_text().splitlines())
        assert set(row["self_annotations"]) == {"labels"}
        again = CliRunner().invoke(main, ["evaluate", *map(str, argv[:-3]), "--json"])
        assert again.exit_code == 1, "answers without notes are another run"
        assert "notes differ" in again.stderr
