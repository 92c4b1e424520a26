"""One real Chromium on one real service; the model behind the service is a scripted server, so that answers are known.

All modules here share them: a start takes longer than most tests. A module that counts what there is works as a tenant
of its own: its fixture `key` returns `key_of_its_own`.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.service import new_home, new_tenant, serving
from tests.chromium import chromium
from tests.unit.models.vlm.vllm_double import Script, vllm_double

# A drop as the browser makes it; a script cannot move a file of the desktop.
DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const stage = document.getElementById("main");
  for (const kind of ["dragenter", "dragover", "drop"]) {
    stage.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }
}"""


# The fixtures of the package end with its last test, not with the run: the folder has an __init__.py for that.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here and no others: Playwright keeps an event loop running, in which they could not run theirs."""
    expect.set_options(timeout=30_000)
    with chromium() as started:
        yield started


@pytest.fixture(scope="package")
def _model() -> Iterator[tuple[Script, str]]:
    script = Script()
    with vllm_double(script) as url:
        yield script, url


@pytest.fixture
def model(_model: tuple[Script, str]) -> Iterator[Script]:
    """What the model server does, for one test to change."""
    script, _ = _model
    usual = Script()
    yield script
    script.free_text, script.delay_s = usual.free_text, usual.delay_s


@pytest.fixture(scope="package")
def home() -> Iterator[Path]:
    """Data folder of the service."""
    with new_home() as made:
        yield made


@pytest.fixture(scope="package")
def address(browser: Browser, _model: tuple[Script, str], home: Path) -> Iterator[str]:
    """URL of the service; asks for the browser first, so that nothing is started for a test that is skipped."""
    settings = {"MARKWISE_HOME": str(home), "MARKWISE_VLM_URL": _model[1], "MARKWISE_VLM_MODEL": "m"}
    # Tests are quicker than people, and a module's key is counted.
    with serving(MARKWISE_KEY_REQUESTS_PER_MIN="0", **settings) as url:
        yield url


@pytest.fixture(scope="module")
def key() -> str | None:
    """The key that a module's page and requests carry; without one they belong to the tenant `local`."""
    return None


@pytest.fixture(scope="module")
def key_of_its_own(address: str, home: Path, request: pytest.FixtureRequest) -> str:
    """A key for everything in a new and empty tenant, named after the module."""
    assert address
    return new_tenant(home, request.path.stem)


def connect(address: str, key: str | None) -> httpx.Client:
    """A client of the service that carries the key."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=address, timeout=120, headers=headers)


@pytest.fixture
def api(address: str, key: str | None) -> Iterator[httpx.Client]:
    """The same service without the page."""
    with connect(address, key) as client:
        yield client


class OpenPage:
    """A tab with the page, and what it must not do written down."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("request", lambda request: self._asked(request.url))
        page.goto(address)

    def _said(self, kind: str, text: str) -> None:
        # Chromium itself reports every response above 399; tests provoke those.
        if kind == "error" and "Failed to load resource" not in text:
            self.errors.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith((f"{self.address}/", f"blob:{self.address}/")):
            self.foreign.append(url)

    def go(self, address: str) -> None:
        """Open another address of the page, such as `#/jobs`, without loading the document again."""
        self.page.evaluate("(address) => { location.hash = address; }", address)

    def drop(self, name: str, data: bytes, media_type: str = "image/png") -> None:
        """Let a file fall on the page, as soon as it is there."""
        expect(self.page.locator("main .page")).to_be_visible()
        self.page.evaluate(DROP, [name, media_type, base64.b64encode(data).decode()])

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a pixel of the picture lies in the window."""
        box = self.page.locator("#picture").bounding_box()
        width = self.page.locator("#picture").evaluate("(image) => image.width")
        assert box is not None
        return box["x"] + x * box["width"] / width, box["y"] + y * box["width"] / width

    def light_at(self, x: float, y: float) -> list[int]:
        """RGBA of the layer above the picture, at a pixel of the picture."""
        left, top = self.point(x, y)
        found: list[int] = self.page.evaluate(
            """([x, y]) => {
              const layer = document.getElementById("light");
              const box = layer.getBoundingClientRect();
              const ratio = layer.width / box.width;
              return [...layer.getContext("2d").getImageData((x - box.x) * ratio, (y - box.y) * ratio, 1, 1).data];
            }""",
            [left, top],
        )
        return found


@pytest.fixture
def opened(browser: Browser, address: str, key: str | None) -> Iterator[OpenPage]:
    """The page in a tab of its own; at the end it has made no error and asked nobody else."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    if key is not None:
        context.add_init_script(
            f"if (location.origin === {json.dumps(address)}) sessionStorage.setItem('markwise-key', {json.dumps(key)})"
        )
    made = OpenPage(context.new_page(), address)
    yield made
    context.close()
    assert made.errors == []
    assert made.foreign == []
