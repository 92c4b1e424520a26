"""The agents of the README and of docs/recipes, and the guide's way to the accessibility tree, run as they stand there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from markwise import Client
from tests.acceptance.agent.tasks import PAGES
from tests.acceptance.service import ROOT
from tests.chromium import CHROMIUM, chromium
from tests.documents.blocks import named

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WISHES = ("Type ada@example.org into Email address", "Type engine42 into Password", "Sign in")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("tree", [False, True])
def test_the_agent_signs_in(service_url: str, tree: bool) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    agent = [sys.executable, str(ROOT / "docs" / "recipes" / "agent.py"), (PAGES / "login.html").as_uri(), *WISHES]
    done = subprocess.run(
        [*agent, "--browser", str(CHROMIUM), *(["--tree"] if tree else [])],
        env=os.environ | {"MARKWISE_SERVER": service_url},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Hello, ada@example.org" in done.stdout
    assert ("decided by accessibility" in done.stdout) == tree


@pytest.mark.timeout(400)
def test_the_loop_of_the_readme_signs_in(service_url: str) -> None:
    with chromium() as browser, Client(service_url) as client:
        page = browser.new_page()
        page.goto((PAGES / "login.html").as_uri())
        exec(named("README.md", "agent").text, {"page": page, "client": client})
        assert "Hello, ada@example.org" in page.inner_text("body")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_tree_is_taken_and_wins(service: httpx.Client, ratio: float) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 720}, device_scale_factor=ratio)
        page.goto((PAGES / "settings.html").as_uri())
        names = {"page": page, "markwise": service, "json": json}
        exec(named("docs/agents.md", "tree").text, names)
        assert names["answer"]["decided_by"] == "accessibility"
        assert page.evaluate("state.saved !== null")
