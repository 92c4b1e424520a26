"""The truth of drawn pages, read by a real Chromium: boxes in pixels, links over two lines, what is covered or cut."""

import struct
from typing import Any

import pytest
from playwright.sync_api import Browser

from models.pages.page import DrawnPage, draw_page
from models.pages.render import Tabs, shoot


@pytest.fixture(scope="module")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


def _page(body: str, ratio: float = 1.0) -> DrawnPage:
    html = f"<!doctype html><body style='margin:0;font:16px monospace'>{body}</body>"
    return DrawnPage(seed=0, html=html, window_wh=(400, 300), device_pixel_ratio=ratio, scroll=0.0, layout="test")


def _truth(tabs: Tabs, body: str, ratio: float = 1.0) -> list[tuple[str, list[float]]]:
    found: list[dict[str, Any]] = shoot(tabs, _page(body, ratio))[1]
    return [(one["role"], one["bbox_xyxy_px"]) for one in found]


def _at(left: int, top: int, width: int, height: int, more: str = "") -> str:
    return f"position:absolute;left:{left}px;top:{top}px;width:{width}px;height:{height}px;{more}"


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_boxes_are_pixels_of_the_screenshot(tabs: Tabs, ratio: float) -> None:
    body = f"<button data-ui='button' style='{_at(40, 20, 120, 32)}'>Go</button>"
    png, found = shoot(tabs, _page(body, ratio))
    assert struct.unpack(">II", png[16:24]) == (round(400 * ratio), round(300 * ratio))
    assert found == [
        {"role": "button", "name": "Go", "bbox_xyxy_px": [40 * ratio, 20 * ratio, 160 * ratio, 52 * ratio]}
    ]


def test_a_link_over_two_lines_has_two_boxes(tabs: Tabs) -> None:
    found = _truth(tabs, "<div style='width:150px'><a href='#' data-ui='link'>several words in a row</a></div>")
    assert [role for role, _ in found] == ["link", "link"]
    assert found[0][1][3] <= found[1][1][1] + 1


def test_what_is_covered_is_absent_and_what_is_half_covered_is_left_open(tabs: Tabs) -> None:
    two = "".join(f"<button data-ui='button' style='{_at(10, top, 100, 40)}'>x</button>" for top in (10, 100))
    lids = f"<div style='{_at(0, 0, 200, 60, 'background:red')}'></div><div style='{_at(0, 100, 70, 40, 'background:red')}'></div>"
    assert [role for role, _ in _truth(tabs, two + lids)] == ["ignore"]


def test_what_the_window_cuts_off_is_clipped_or_left_open(tabs: Tabs) -> None:
    body = f"<button data-ui='button' style='{_at(350, 20, 80, 30)}'>x</button><button data-ui='tab' style='{_at(10, 280, 60, 80)}'>y</button>"
    assert _truth(tabs, body) == [("button", [350, 20, 400, 50]), ("ignore", [10, 280, 70, 300])]


def test_drawn_pages_show_elements(tabs: Tabs) -> None:
    counts = [len(shoot(tabs, draw_page(seed))[1]) for seed in range(4)]
    assert min(counts) > 0
