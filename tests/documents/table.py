"""The blocks of commands that are not run where the others are, each with its reason. What is not listed here is run.

A reason that names a test says where the same commands run; `tests/documents` reads all of them against `--help`, the
Makefile, compose.yaml and the OpenAPI document.
"""

DATA_ONLY = frozenset({"text", "json", "yaml", "toml"})
"""Languages of blocks that hold no commands."""

ELSEWHERE = {
    ("README.md", "bash make"): "builds an environment from nothing, and is what runs this test",
    ("README.md", "bash direct"): "seconds of CPU each; the same commands in tests/acceptance/test_cli.py",
    ("README.md", "python agent"): "needs a browser: tests/acceptance/agent/test_recipe_agent.py",
    ("README.md", "bash api"): "line by line, and each line's effect, in tests/acceptance/test_readme.py",
    ("CONTRIBUTING.md", "bash setup"): "it is what runs this test: .ci/run begins with these",
    ("CONTRIBUTING.md", "bash work"): "a test run inside a test run; make format rewrites the tree",
    ("app/client/README.md", "python"): "its page.png is nobody's; the same lines in tests/acceptance/test_client.py",
    ("docs/agents.md", "bash agent"): "needs a page; on pages of ours in tests/acceptance/agent/test_recipe_agent.py",
    ("docs/agents.md", "python tree"): "needs a browser: tests/acceptance/agent/test_recipe_agent.py",
    ("docs/first-grounding.md", "bash start"): "starts a service of its own: tests/acceptance/test_serve.py",
    (
        "docs/how-it-works.md",
        "bash weights",
    ): "downloads weights; a stand-in server in tests/integration/test_weights_download.py",
    (
        "docs/measuring.md",
        "bash published",
    ): "published files and minutes of CPU; small ones under tests/unit/models/evaluation",
    (
        "docs/measuring.md",
        "bash finder",
    ): "minutes of CPU; with fewer steps in tests/integration/finding/test_finding.py",
    ("docs/measuring.md", "bash service"): "minutes of CPU; a smaller grid in tests/acceptance/test_evaluations.py",
    ("docs/measuring.md", "bash first"): "minutes of CPU; fewer questions in tests/acceptance/test_recipes.py",
    ("docs/production.md", "bash compose"): "needs Docker",
    ("docs/production.md", "bash gpu"): "needs Docker and a GPU",
    ("docs/production.md", "bash processes"): "starts a service of its own: tests/acceptance/test_serve.py",
    (
        "docs/production.md",
        "bash keys",
    ): "needs the owner's database; keys are made and used in tests/integration/app/test_tenants.py",
    (
        "docs/production.md",
        "bash doctor",
    ): "looks at the machine: tests/unit/app/commands and tests/acceptance/test_cli.py",
    ("docs/production.md", "bash backup"): "needs the owner's database: tests/integration/stack/test_backup.py",
    ("docs/production.md", "bash restore"): "needs an empty installation: tests/integration/stack/test_backup.py",
    ("docs/production.md", "bash vlm"): "needs a model server: tests/acceptance/test_remote_model.py",
    (
        "docs/recipes/README.md",
        "bash longer",
    ): "minutes, and a public page; shorter in tests/acceptance/test_recipes.py",
    (
        "docs/segmenter.md",
        "python file=bright.py",
    ): "a module for the next block; held to its promises in tests/unit/models/segmenters/test_outside.py",
    (
        "docs/set-of-mark.md",
        "bash look",
    ): "seconds of CPU for a picture; tests/unit/models/evaluation/test_attention.py",
    ("docs/training.md", "bash recipe"): "minutes; with fewer steps in tests/acceptance/test_recipes.py",
    (
        "docs/training.md",
        "bash import",
    ): "a job of its own; the same command on annotation files in tests/acceptance/test_imports.py",
    (
        "docs/training.md",
        "bash data",
    ): "published files; small ones of their layout in tests/acceptance/test_imports.py",
    ("docs/training.md", "bash annotate"): "tests/acceptance/test_imports.py",
    ("docs/training.md", "bash dataset"): "tests/acceptance/test_datasets.py",
    ("docs/training.md", "bash train"): "published checkpoints; the trainer in tests/unit/models/training",
    (
        "docs/training.md",
        "bash deploy",
    ): "a trained version; tests/acceptance/test_circle.py and tests/integration/app/test_gate.py",
    ("models/weights/gui-detector/RECIPE.md", "bash"): "hours of CPU",
}
