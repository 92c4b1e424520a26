"""The accessibility trees of a real Chromium become marks that stand where the page's own script says they do."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from models.protocols import SegmentRequest
from models.segmenters.provided import ProvidedSegmenter
from tests.browser.trees import aria_text, box_models, devtools, shop, truth

pytestmark = pytest.mark.browser

UNSEEN = {"Hidden", "None", "Covered", "Far away", "Only read aloud", "Faded", "Clipped", "Below"}
ONE_FRAME = {"canvas:", "button:Inner", "button:Choose it"}  # what DOM.getBoxModel of the main frame cannot tell


def marked(page: Page, tree: object, ratio: float = 1.0, *, full_page: bool = False) -> dict[str, list[float]]:
    """Role and name of each region -> its box in pixels of the screenshot."""
    picture = np.array(Image.open(io.BytesIO(page.screenshot(full_page=full_page))).convert("RGB"))
    request = SegmentRequest(accessibility_tree=tree, device_pixel_ratio=ratio)
    regions = ProvidedSegmenter().segment(picture, request)
    return {
        f"{regions.roles[i]}:{regions.texts[i] or ''}": regions.boxes_xyxy_px[i].tolist() for i in range(len(regions))
    }


def check(found: dict[str, list[float]], page: Page, ratio: float, slack: float, unknown: frozenset[str] = frozenset()):
    for name, box in truth(page).items():
        if name in unknown or box[1] < 40 or box[3] > 480:  # under the header, below the window
            continue
        off = max(abs(a - ratio * b) for a, b in zip(found[name], box, strict=True))
        assert off <= slack, (name, off)


@pytest.mark.parametrize(("ratio", "scroll_px"), [(1, 0), (2, 0), (1.5, 40), (2, 120)])
def test_every_form_stands_where_the_page_says(browser: Browser, ratio: float, scroll_px: int):
    page = shop(browser, ratio, scroll_px)
    whole = devtools(page)
    found = marked(page, whole, ratio)
    check(found, page, ratio, 0.01)
    assert not UNSEEN & {name.partition(":")[2] for name in found}
    dom_only = {key: value for key, value in whole.items() if key != "nodes"}
    assert set(marked(page, dom_only)) >= {name for name in found if not name.startswith("text:")}
    check(marked(page, box_models(page), ratio), page, ratio, ratio, frozenset(ONE_FRAME))
    check(marked(page, aria_text(page), ratio), page, ratio, 4 * ratio, frozenset({"canvas:", "button:Choose it"}))
    page.close()


def test_a_screenshot_of_the_whole_page_needs_no_other_tree(browser: Browser):
    page = shop(browser, ratio=2, scroll_px=20)
    tree = devtools(page)
    found = marked(page, tree, full_page=True)
    for name, box in truth(page).items():
        if name != "link:Home":  # fixed to the window, which a full-page screenshot moves
            moved = [box[0], box[1] + 20, box[2], box[3] + 20]
            assert found[name] == pytest.approx([2 * v for v in moved], abs=0.01), name
    page.close()


def test_a_ref_of_playwright_is_the_element_that_was_marked(browser: Browser):
    page = shop(browser)
    picture = np.array(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    regions = ProvidedSegmenter().segment(picture, SegmentRequest(accessibility_tree=aria_text(page)))
    save = regions.texts.index("Save")
    assert page.locator(f"aria-ref={regions.ids[save]}").text_content() == "Save"
    page.close()
