"""What `--help` shows can be copied: examples keep their lines."""

import click
import pytest
from click.testing import CliRunner

from app.cli import COMMANDS, main


def paths(name):
    """Yield the words of a command and of all below it."""
    command = main.get_command(click.Context(main), name)
    yield (name,)
    if isinstance(command, click.Group):
        yield from ((name, each) for each in command.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_keep_their_lines(name):
    for words in paths(name):
        shown = CliRunner().invoke(main, [*words, "--help"], terminal_width=80).output
        assert shown.startswith("Usage:")
        assert "\\b" not in shown, words
        assert "\b" not in shown, words
        assert "\\\\" not in shown, words


def test_an_example_stands_on_a_line_of_its_own():
    shown = CliRunner().invoke(main, ["evaluate", "finder", "train", "--help"]).output
    assert "  markwise evaluate finder check --model finder/" in shown.splitlines()
