"""The agent in a real browser: ten tasks, at least nine of which must end as they were meant."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.acceptance.agent.running import MOST_BYTES, contact_sheet, run
from tests.acceptance.agent.screen_agent import ScreenAgent, perform_anthropic
from tests.acceptance.agent.tasks import TASKS
from tests.chromium import chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.mark.timeout(900)
def test_nine_of_ten_tasks_succeed(service: httpx.Client, browser: Browser, tmp_path: Path) -> None:
    runs = [run(task, service, browser) for task in TASKS]
    for one in runs:
        sheet = contact_sheet(one, service)
        assert len(sheet) <= MOST_BYTES
        (tmp_path / f"{one.task.name}.webp").write_bytes(sheet)
    failed = {one.task.name: [turn.instruction for turn in one.turns] for one in runs if not one.done}
    assert len(runs) == 10
    assert len(failed) <= 1, (failed, tmp_path)


@pytest.mark.timeout(300)
def test_the_other_form_of_the_steps_does_the_same(service: httpx.Client, browser: Browser) -> None:
    login = next(task for task in TASKS if task.name == "login")
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(login.url)
    agent = ScreenAgent(service=service, page=page)
    for step in login.steps:
        for form in agent.ask(step)["action"]["steps"]["anthropic"]:
            perform_anthropic(page, form)
    assert page.evaluate(f"() => Boolean({login.done})")
    page.close()
