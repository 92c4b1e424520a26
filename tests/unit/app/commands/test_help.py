"""What `--help` shows can be copied: examples keep their lines."""

import re

import click
import pytest
from click.testing import CliRunner

from app.cli import COMMANDS, main
from tests.documents.commands import fault


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


def leaves(command, words):
    """Yield the words of every command that is no group."""
    if not isinstance(command, click.Group):
        yield words
        return
    for name in command.list_commands(click.Context(command)):
        yield from leaves(command.get_command(click.Context(command), name), (*words, name))


@pytest.mark.parametrize("words", list(leaves(main, ())), ids=" ".join)
def test_every_command_shows_examples_that_it_takes(words):
    shown = CliRunner().invoke(main, [*words, "--help"], terminal_width=80).output.replace("\\\n", " ")
    examples = [line.strip() for line in shown.splitlines() if re.match(r"\s+(?:[A-Z_]+=\S+ )?markwise ", line)]
    assert any(f"markwise {' '.join(words)}" in example for example in examples)
    assert {example: found for example in examples if (found := fault(example, whole=True))} == {}
