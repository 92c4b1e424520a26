"""`markwise evaluate report`: runs side by side, in words, as JSON and as one page."""

import json

from click.testing import CliRunner

from app.cli import main


def answers(path, right, count=100):
    rows = [{"question_id": i, "label": "yes", "text": "Yes" if i < right else "No"} for i in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_runs_are_compared_to_the_first(tmp_path):
    plain, tags = answers(tmp_path / "plain.jsonl", 60), answers(tmp_path / "tags.jsonl", 80)
    page = tmp_path / "report.html"
    argv = [
        "evaluate",
        "report",
        "pope",
        "--run",
        f"plain={plain}",
        "--run",
        f"<tags>={tags}",
        "--out",
        str(page),
        "--json",
    ]
    result = CliRunner().invoke(main, argv)
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)["runs"]
    assert "difference" not in first
    assert second["difference"]["better"] is True
    assert len(second["changed"]) == 20
    assert second["f1"]["low"] <= second["f1"]["value"] <= second["f1"]["high"]
    html = page.read_text()
    assert "&lt;tags&gt;" in html
    assert "<tags>" not in html


def test_a_missing_file_is_a_sentence(tmp_path):
    result = CliRunner().invoke(main, ["evaluate", "report", "pope", "--run", f"a={tmp_path / 'none'}"])
    assert result.exit_code == 1
    assert "TITLE=FILE" in result.stderr
