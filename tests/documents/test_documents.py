"""Every command of every document is run, or is in a table with the reason why not and is right as far as can be told."""

import json
import re
import tomllib
from itertools import groupby

import httpx
import pytest
import yaml

from tests.documents.blocks import ROOT, Block, blocks, commands_in_text, documents
from tests.documents.commands import fault, statements
from tests.documents.running import Desk
from tests.documents.table import DATA_ONLY, ELSEWHERE

EVERY = [block for document in documents() for block in blocks(document)]
COMMANDS = [block for block in EVERY if block.language not in DATA_ONLY]


def key(block: Block) -> tuple[str, str]:
    return block.document, f"{block.language} {block.name}".strip()


HERE = [block for block in COMMANDS if key(block) not in ELSEWHERE]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("document", [name for name, _ in groupby(HERE, key=lambda block: block.document)])
def test_the_commands_of_a_document_run(
    service: httpx.Client, service_url: str, tmp_path_factory: pytest.TempPathFactory, document: str
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"), service, service_url)
    for block in blocks(document):
        if block in HERE or block.name.startswith("file="):
            desk.run(block)


def test_every_block_of_commands_is_bash_or_python_and_has_a_name_of_its_own() -> None:
    assert {block.language for block in COMMANDS} <= {"bash", "python"}
    keys = [key(block) for block in COMMANDS]
    assert sorted(keys) == sorted(set(keys))


def test_the_table_names_blocks_that_are_there_and_tests_that_exist() -> None:
    assert set(ELSEWHERE) <= {key(block) for block in COMMANDS}
    for reason in ELSEWHERE.values():
        for place in re.findall(r"tests/[\w/.]+", reason):
            assert (ROOT / place.rstrip(".")).exists(), place


@pytest.mark.parametrize("block", [block for block in COMMANDS if key(block) in ELSEWHERE], ids=str)
def test_what_is_not_run_is_right(block: Block) -> None:
    if block.language == "python":
        compile(block.text, str(block), "exec")
        return
    wrong = {command: found for command in statements(block.text) if (found := fault(command, whole=True))}
    assert wrong == {}


@pytest.mark.parametrize("document", documents())
def test_commands_in_sentences_are_right(document: str) -> None:
    told = commands_in_text(document)
    wrong = {command: found for command in told if (found := fault(command, whole=False))}
    assert wrong == {}


@pytest.mark.parametrize("block", [block for block in EVERY if block.language in {"json", "yaml", "toml"}], ids=str)
def test_data_can_be_read(block: Block) -> None:
    {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}[block.language](block.text)


@pytest.mark.parametrize("document", documents())
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    local = [target for target in targets if not target.startswith(("http://", "https://", "mailto:"))]
    assert [target for target in local if not (ROOT / document).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("markwise mark photo.png --colour red", "No such option"),
        ("markwise paint photo.png", "there is no `paint`"),
        ("markwise mark", "Missing argument"),
        ("markwise train run --recipe finetune --out run/ --steps none", "not a valid integer"),
        ("make coffee", "has no"),
        ("python -m tests.bench.coffee", "no module"),
        ("python docs/recipes/teach.py --colour", "has no"),
        ("curl $M/v1/coffee", "no GET /v1/coffee"),
        ("curl -X DELETE $M/v1/marksets", "no DELETE"),
        ("""curl --json '{"colour": 1}' $M/v1/ground""", "takes no"),
        ("docker compose run --rm coffee markwise migrate", "has no coffee"),
        ("docker compose run --rm migrate markwise coffee", "there is no"),
        ("brew coffee", "nobody knows"),
    ],
)
def test_what_is_wrong_is_found(command: str, told: str) -> None:
    assert told in (fault(command, whole=True) or "")


@pytest.mark.parametrize(
    "command",
    [
        "MARKWISE_HOME=x markwise restore nightly/",
        "markwise mark photo.png --out a.png",
        "curl -F file=@a.png $M/v1/marksets",
        "curl $M/v1/marksets/$SET/overlay.png -o a.png",
        """curl --json '{"mark_set_id":"'$SET'","query":"a"}' $M/v1/ground""",
    ],
)
def test_what_is_right_passes(command: str) -> None:
    assert fault(command, whole=True) is None
