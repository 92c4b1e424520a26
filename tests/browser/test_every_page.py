"""Every page of the navigation: no serious finding of axe in light and dark, no scrolling sideways on a phone, a name for the window."""

import contextlib
import re
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PatienceOver

from tests.acceptance.service import drawn
from tests.browser.conftest import OpenPage, connect

pytestmark = pytest.mark.browser
PAGES_TS = Path(__file__).resolve().parents[2] / "app" / "web" / "src" / "pages.ts"
NAMES = re.findall(r'\{ name: "(\w+)", title: "([^"]+)"', PAGES_TS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def key(key_of_its_own: str) -> str:
    """This module counts what there is."""
    return key_of_its_own


@pytest.fixture(scope="module")
def mark_set(address: str, key: str) -> dict:
    """A marked picture, so that no page is empty."""
    with connect(address, key) as api:
        made: dict = api.post("/v1/marksets", files={"file": drawn(90)}).json()
        return made


def settled(page: Page) -> None:
    """The page is drawn, and what it shows first has come; a page that follows a stream is never without requests."""
    expect(page.locator("main .page").first).to_be_visible()
    expect(page.locator("main .loading")).to_have_count(0)
    with contextlib.suppress(PatienceOver):
        page.wait_for_load_state("networkidle", timeout=5_000)


def serious(page: Page) -> list[str]:
    """What axe finds that would keep somebody out."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    return [
        f"{one['id']}: {one['help']} {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize(("name", "title"), NAMES, ids=[name for name, _ in NAMES])
def test_everybody_can_use_the_page(opened: OpenPage, mark_set: dict, name: str, title: str) -> None:
    page = opened.page
    opened.go(f"#/{name}/{mark_set['id']}" if name in {"ask", "editor"} else f"#/{name}")
    settled(page)
    expect(page).to_have_title(re.compile(re.escape(title)))
    assert (
        page.get_by_role("navigation").get_by_role("link", name=title, exact=True).get_attribute("aria-current")
        == "page"
    )
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    assert serious(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("button", name="Pages")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_an_address_that_is_none_leads_back(opened: OpenPage) -> None:
    opened.go("#/nowhere")
    expect(opened.page.get_by_text("There is no such page")).to_be_visible()
    opened.page.get_by_role("link", name="To the start").click()
    expect(opened.page.locator("#drop")).to_be_visible()


def test_colours_are_chosen_and_kept(opened: OpenPage) -> None:
    page = opened.page

    def ground() -> str:
        return page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    light = ground()
    page.get_by_role("button", name="Colours").click()
    page.get_by_role("button", name="Colours: light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = ground()
    assert dark != light
    page.reload()
    expect(page.locator("main .page")).to_be_visible()
    assert ground() == dark


def test_what_the_browser_is_told(api: httpx.Client) -> None:
    page = api.get("/")
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    (script,) = re.findall(r'src="(/static/assets/[^"]+)"', page.text)
    assert "immutable" in api.get(script).headers["cache-control"]
    assert api.get("/static/favicon.svg").headers["cache-control"] == "no-cache"
