"""Official question files become questions with the prompts that published figures rest on."""

import base64
import json

import pytest

from models.errors import BadEvaluation
from models.evaluation.runs import load
from models.evaluation.scores import score


def lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_mme_asks_twice_about_one_id(tmp_path):
    def ask(text):
        return {"question_id": "OCR/1.png", "image": "OCR/1.png", "text": text, "category": "OCR"}

    questions = load("mme", lines(tmp_path / "q", ask("Is it a cat?"), ask("Is it a dog?")), tmp_path)
    assert len({question.key for question in questions}) == 2
    assert list(questions[0].options) == ["Yes", "No"]
    assert questions[0].image == tmp_path / "OCR" / "1.png"


def test_other_ids_must_not_come_twice(tmp_path):
    row = {"question_id": 1, "image": "a.jpg", "text": "?"}
    with pytest.raises(BadEvaluation, match="twice"):
        load("gqa", lines(tmp_path / "q", row, row), tmp_path)


def test_seed_leaves_videos_out_and_lists_the_options(tmp_path):
    choices = {f"choice_{letter}": f"thing {letter}" for letter in "abcd"}
    rows = [
        {"question_id": "1_0", "data_id": "1.jpg", "data_type": "image", "question": "What?", "answer": "B", **choices},
        {
            "question_id": "v2_0",
            "data_id": "2.mp4",
            "data_type": "video",
            "question": "What?",
            "answer": "B",
            **choices,
        },
    ]
    file = tmp_path / "SEED-Bench.json"
    file.write_text(json.dumps({"questions": rows, "question_type": {"Scene Understanding": 1}}))
    (question,) = load("seed", file, tmp_path)
    assert question.prompt.splitlines() == [
        "What?",
        *(f"{letter}. thing {letter.lower()}" for letter in "ABCD"),
        "Answer with the option's letter from the given choices directly.",
    ]
    answers = lines(tmp_path / "a", {**question.row, question.answer_field: "B"})
    assert score("seed", labels=[file], answers=[answers]).metrics["accuracy"] == 100


def test_mmbench_rotations_share_a_picture(tmp_path):
    picture = base64.b64encode(b"x" * 100).decode()
    sheet = tmp_path / "dev.tsv"
    sheet.write_text(
        "index\tquestion\thint\tA\tB\tanswer\timage\n"
        f"3\tWhich?\tLook.\tcat\tdog\tA\t{picture}\n"
        "1000003\tWhich?\tLook.\tdog\tcat\tB\t3\n"
    )
    first, second = load("mmbench", sheet, None)
    assert first.image == second.image == b"x" * 100
    assert first.prompt.startswith("Look.\nWhich?\nA. cat\nB. dog\n")
    answers = lines(tmp_path / "a", {**first.row, "prediction": "A"}, {**second.row, "prediction": "cat"})
    assert score("mmbench", answers=[answers]).metrics == {"circular": 100, "vanilla": 100}


def test_pictures_stay_in_their_folder(tmp_path):
    row = {"question_id": 1, "image": "../secret.png", "text": "?"}
    with pytest.raises(BadEvaluation, match="outside"):
        load("gqa", lines(tmp_path / "q", row), tmp_path)
    with pytest.raises(BadEvaluation, match="which folder"):
        load("gqa", lines(tmp_path / "q", row), None)


def test_an_empty_file_is_said(tmp_path):
    with pytest.raises(BadEvaluation, match="no question"):
        load("gqa", lines(tmp_path / "q"), tmp_path)
