"""`markwise evaluate score`: one JSON document on stdout, a sentence on failure, usage errors apart."""

import json

from click.testing import CliRunner

from app.cli import main


def run(*argv):
    return CliRunner().invoke(main, ["evaluate", "score", *map(str, argv)])


def test_it_prints_one_document(tmp_path):
    answers = tmp_path / "a.jsonl"
    answers.write_text(
        '{"question_id": 1, "label": "yes", "text": "Yes"}\n{"question_id": 2, "label": "no", "text": "Yes"}\n'
    )
    result = run("pope", "--answers", answers, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found) == {"benchmark", "metrics", "n", "missing", "unknown", "duplicates"}
    assert found["metrics"]["accuracy"] == 50


def test_a_broken_file_is_a_sentence(tmp_path):
    answers = tmp_path / "a.jsonl"
    answers.write_text("nonsense\n")
    result = run("gqa", "--answers", answers)
    assert result.exit_code == 1
    assert "line 1: not JSON" in result.stderr


def test_an_unknown_benchmark_is_wrong_usage(tmp_path):
    assert run("popo", "--answers", tmp_path).exit_code == 2


def test_people_read_what_was_not_matched(tmp_path):
    answers = tmp_path / "a.jsonl"
    answers.write_text('{"question_id": 9, "text": "Yes"}\n')
    labels = tmp_path / "l.jsonl"
    labels.write_text('{"question_id": 1, "label": "yes"}\n')
    result = run("pope", "--labels", labels, "--answers", answers)
    assert result.exit_code == 0
    assert "1 labels without an answer" in result.stderr
    assert "1 answers without a label" in result.stderr
