"""`markwise`: the command line. Each command is imported when it is called, so that `--help` answers at once.

`mark`, `ground`, `train` and `evaluate score` work straight on the model library (`workers.direct`); the others talk to
a running service or manage the installation. Exit codes: 0 done, 1 failed with a sentence on stderr, 2 wrong usage.
"""

import importlib
from typing import Any

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("app.commands.serve:serve", "Run the whole service: API, workers, web page."),
    "worker": ("app.commands.serve:worker", "Run one more worker process."),
    "migrate": ("app.commands.serve:migrate", "Bring the database to the newest schema."),
    "mark": ("workers.direct.marking:mark", "Mark an image file, without a server."),
    "ground": ("workers.direct.asking:ground", "Ask about an image file, without a server."),
    "annotate": ("app.commands.annotating:annotate", "Have training texts written about images of a running service."),
    "import": ("app.commands.importing:import_", "Take in images and published annotation files."),
    "dataset": ("app.commands.datasets:dataset", "Build, show and export datasets of a running service."),
    "train": ("workers.direct.training:train", "Teach a model."),
    "evaluate": ("workers.direct.evaluating:evaluate", "Measure a model."),
    "keys": ("app.commands.keys:keys", "Make, list and revoke API keys."),
    "backup": ("app.commands.backup:backup", "Write the whole installation into a folder."),
    "restore": ("app.commands.backup:restore", "Fill an empty installation from a backup."),
    "sweep": ("app.commands.sweep:sweep", "Delete what is past its time, and files that nothing names."),
    "forget": ("app.commands.forget:forget", "Delete all that a tenant has."),
    "doctor": ("app.commands.doctor:doctor", "Look at the installation and say what is wrong."),
}


class Failure(click.ClickException):
    """A command that could not do its work: one sentence on stderr, exit code 1."""

    def show(self, file: Any = None) -> None:
        """Print the sentence."""
        click.echo(f"markwise: {self.format_message()}", err=True)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        _keep_examples(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _keep_examples(command: click.Command) -> None:
    r"""Let examples keep their lines: click's sign for it is a backspace, which raw docstrings spell as \b."""
    command.help = None if command.help is None else command.help.replace("\\b\n", "\b\n")
    for each in command.commands.values() if isinstance(command, click.Group) else ():
        _keep_examples(each)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("0.1.0", prog_name="markwise")
def main() -> None:
    """Set-of-Mark visual grounding: mark an image, ask about it, teach a model to read the marks.

    Start with `markwise serve`, then open the page it names, or try `markwise ground FILE "QUERY"` on a picture.
    """


if __name__ == "__main__":
    main()
