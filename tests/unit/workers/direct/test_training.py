"""`markwise train recipes` teaches what can be trained, to people and to programs."""

import json

from click.testing import CliRunner

from models.training.recipes import RECIPES
from workers.direct.training import train


def test_recipes_are_listed_with_their_numbers():
    shown = CliRunner().invoke(train, ["recipes"])
    assert shown.exit_code == 0
    line = next(line for line in shown.output.splitlines() if "llava-1.5-lora" in line)
    assert line.split()[:5] == ["llava-1.5-lora", "0.0002", "2e-05", "128/256", "128"]
    assert all(name in shown.output for name in [*RECIPES, "tiny-scratch"])


def test_programs_get_all_numbers():
    told = json.loads(CliRunner().invoke(train, ["recipes", "--json"]).output)
    assert told.keys() == RECIPES.keys()
    assert told["som-llava-7b"]["global_batch"] == 64
