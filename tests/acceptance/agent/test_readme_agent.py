"""The README's agent and its way to the accessibility tree, run as they stand there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.agent.tasks import PAGES
from tests.acceptance.service import ROOT
from tests.chromium import CHROMIUM, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def block(name: str) -> str:
    found = re.search(rf"```python {name}\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.timeout(200)
def test_the_agent_signs_in(service_url: str, tmp_path: Path) -> None:
    if str(CHROMIUM) != "/usr/bin/chromium" or not CHROMIUM.exists():
        pytest.skip("the README names /usr/bin/chromium")
    program = block("agent")
    assert len(program.splitlines()) < 30
    (tmp_path / "agent.py").write_text(program)
    wishes = ("Type ada@example.org into Email address", "Type engine42 into Password", "Sign in")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "agent.py"), service_url, (PAGES / "login.html").as_uri(), *wishes],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Hello, ada@example.org" in done.stdout


@pytest.mark.timeout(200)
@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_tree_is_taken_and_wins(service: httpx.Client, ratio: float) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 720}, device_scale_factor=ratio)
        page.goto((PAGES / "settings.html").as_uri())
        names = {"page": page, "markwise": service, "json": json}
        exec(block("tree"), names)
        assert names["answer"]["decided_by"] == "accessibility"
        assert page.evaluate("state.saved !== null")
