"""`markwise evaluate probes`: what it writes, `evaluate score` reads."""

import json

from click.testing import CliRunner

from app.cli import main


def instances(path, shown):
    names = sorted({name for things in shown for name in things})
    annotations = [
        {"image_id": i, "category_id": names.index(name)} for i, things in enumerate(shown) for name in things
    ]
    images = [{"id": i, "file_name": f"{i}.jpg"} for i in range(len(shown))]
    categories = [{"id": i, "name": name} for i, name in enumerate(names)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return str(path)


def test_true_answers_to_the_probes_score_full(tmp_path):
    file = instances(tmp_path / "i.json", [["cup", "fork", "oven"], ["car", "bus", "sign"], ["cup", "car", "oven"]])
    out = tmp_path / "probes"
    result = CliRunner().invoke(main, ["evaluate", "probes", file, "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["questions"] == {"random": 18, "popular": 18, "adversarial": 18}
    argv = ["evaluate", "score", "pope", "--questions", str(out / "questions.jsonl"), "--json"]
    truth = {}
    for sampling in ("random", "popular", "adversarial"):
        argv += ["--labels", str(out / f"{sampling}.jsonl")]
        rows = map(json.loads, (out / f"{sampling}.jsonl").read_text().splitlines())
        truth |= {row["question_id"]: row["label"] for row in rows}
    answers = tmp_path / "a.jsonl"
    answers.write_text("".join(json.dumps({"question_id": key, "text": value}) + "\n" for key, value in truth.items()))
    found = json.loads(CliRunner().invoke(main, [*argv, "--answers", str(answers)]).stdout)
    assert found["metrics"]["f1_mean"] == 100
    assert (found["n"], found["missing"], found["unknown"]) == (54, 0, 0)


def test_another_json_file_is_a_sentence(tmp_path):
    file = tmp_path / "x.json"
    file.write_text("{}")
    result = CliRunner().invoke(main, ["evaluate", "probes", str(file), "--out", str(tmp_path / "o")])
    assert result.exit_code == 1
    assert "no COCO instances file" in result.stderr
