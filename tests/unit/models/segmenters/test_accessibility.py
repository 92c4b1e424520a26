"""Accessibility trees as Chromium and Playwright gave them for a page of ours (trees/, taken by tests.browser.trees).

The page was scrolled by 30 px in a window of 640 x 480 at pixel ratio 2. Truth is what its own script measured.
"""

import copy
import json
from pathlib import Path

import pytest

from models.errors import BadRegions
from models.segmenters.accessibility import blind_share, read_tree, tree_regions
from models.segmenters.accessibility.roles import normal_role

FOLDER = Path(__file__).parent / "trees"
SIZE_HW = (960, 1280)
TRUTH = {name: [2 * v for v in box] for name, box in json.loads((FOLDER / "truth.json").read_text()).items()}
UNSEEN = {"Hidden", "None", "Covered", "Far away", "Only read aloud", "Faded", "Clipped", "Below", "Mail ", "Small"}


def devtools():
    return json.loads((FOLDER / "devtools.json").read_text())


def snapshot_alone():
    tree = devtools()
    del tree["nodes"]
    return tree


def by_name(found):
    return {f"{one.role}:{one.text or ''}": one for one in found}


def off(found, expected):
    return max(abs(a - b) for a, b in zip(found.bbox_xyxy_px, expected, strict=True))


@pytest.mark.parametrize("tree", [devtools, snapshot_alone])
def test_a_snapshot_gives_every_element_at_its_place_and_nothing_that_is_unseen(tree):
    found = by_name(tree_regions(tree(), SIZE_HW, 2.0))
    assert {name: off(found[name], box) for name, box in TRUTH.items()} == dict.fromkeys(TRUTH, 0.0)
    rest = set(found) - set(TRUTH)
    assert rest == {"text:Fresh every day, see in town.", "text:Inner text"}
    assert not UNSEEN & {one.text for one in found.values()}


def test_ids_of_a_devtools_tree_are_the_dom_nodes():
    tree = devtools()
    save = next(node for node in tree["nodes"] if node.get("name") == {"value": "Save"} and not node["ignored"])
    assert by_name(tree_regions(tree, SIZE_HW, 2.0))["button:Save"].id == str(save["backendDOMNodeId"])


def test_the_scale_comes_from_the_picture_not_from_the_ratio():
    found = by_name(tree_regions(devtools(), (480, 640), 2.0))
    assert off(found["button:Save"], [v / 2 for v in TRUTH["button:Save"]]) == 0


def test_a_picture_of_the_whole_page_is_not_scrolled():
    tree = devtools()
    page = tree["documents"][0]
    size_hw = (2 * page["contentHeight"], 2 * page["contentWidth"])
    found = by_name(tree_regions(tree, size_hw, 2.0))
    x0, y0, x1, y1 = TRUTH["button:Save"]
    assert off(found["button:Save"], [x0, y0 + 60, x1, y1 + 60]) == 0
    assert found["link:Home"].bbox_xyxy_px[1] == TRUTH["link:Home"][1] + 60  # it is fixed to the window


def test_a_picture_of_another_shape_falls_back_to_the_ratio():
    found = by_name(tree_regions(devtools(), (500, 1280), 2.0))
    assert off(found["button:Save"], TRUTH["button:Save"]) == 0


def test_box_models_give_what_their_one_frame_holds():
    found = by_name(tree_regions(json.loads((FOLDER / "box_models.json").read_text()), SIZE_HW, 2.0))
    known = {name: box for name, box in TRUTH.items() if name not in {"canvas:", "button:Inner", "button:Choose it"}}
    assert max(off(found[name], box) for name, box in known.items()) <= 1
    assert not {"button:Hidden", "button:None"} & set(found)


def test_playwrights_text_gives_refs_as_ids_and_the_contents_of_frames():
    text = (FOLDER / "aria.txt").read_text()
    found = by_name(tree_regions(text, SIZE_HW, 2.0))
    assert tree_regions({"aria_snapshot": text}, SIZE_HW, 2.0) == list(found.values())
    # Boxes are whole CSS pixels, and the border of a frame is not told.
    slack = {"button:Inner": 7.0}
    for name, box in TRUTH.items():
        if name not in {"canvas:", "button:Choose it"}:
            assert off(found[name], box) <= slack.get(name, 2.0), name
    assert f"[ref={found['button:Save'].id}]" in text
    assert found["text:Choose it"].bbox_xyxy_px[0] == 40
    assert "Below" not in {one.text for one in found.values()}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('- button "Say \\"hi\\"" [ref=e1] [box=0,0,9,9]', ("button", 'Say "hi"')),
        ("- 'link \"Note: it''s new\" [ref=e1] [box=0,0,9,9]':", ("link", "Note: it's new")),
        ('- textbox "Mail" [active] [ref=e1] [box=0,0,9,9]: me@example.org', ("textbox", "Mail")),
        ('- paragraph [ref=e1] [box=0,0,9,9]: "quoted: text"', ("text", "quoted: text")),
        ("- generic [ref=e1] [cursor=pointer] [box=0,0,9,9]: Go", ("button", "Go")),
        ('- heading "A" [level=1] [ref=e1] [box=0,0,9,9]', ("heading", "A")),
        ("- img [ref=e1] [box=0,0,9,9]", ("image", None)),
    ],
)
def test_lines_of_playwright(line, expected):
    ((role, text),) = [(one.role, one.text) for one in tree_regions(line, (20, 20))]
    assert (role, text) == expected


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ('- button "Save" [ref=e1]', "has no boxes"),
        ('- button "Save" [box=1,2,3]', "a box is x,y,width,height"),
        ("button [box=1,2,3,4]", "line 1 of the aria snapshot"),
        ({"nodes": [{"nodeId": "1"}]}, "has `nodes` but no boxes"),
        ([{"nodeId": "1", "role": {"value": "button"}}], "bare list"),
        ({"nodes": [], "boxes": {}, "documents": []}, "cannot be read"),
        ({"nodes": {}, "boxes": {}}, "not a list"),
        ({"nodes": [3], "boxes": {}}, "accessibility node 0"),
        ({"nodes": [{"nodeId": "1", "backendDOMNodeId": "x"}], "boxes": {}}, "accessibility node 1"),
        ({"nodes": [{"nodeId": "1", "backendDOMNodeId": 5}], "boxes": {"5": [1, 2]}}, "four numbers"),
        ({"nodes": [{"nodeId": "1", "backendDOMNodeId": 5}], "boxes": {"5": {"border": ["a"] * 8}}}, "no number"),
        ({"documents": 3, "strings": []}, "cannot be read"),
        (
            {"role": "WebArea", "children": [{"role": "button", "name": "Save", "bounds": [1, 2, 3, 4]}]},
            "no node .* has a box",
        ),
        ([{"role": "button", "name": "Save"}], "no node .* has a box"),
    ],
)
def test_a_tree_that_cannot_be_meant_is_refused_in_a_sentence(tree, complaint):
    with pytest.raises(BadRegions, match=complaint):
        tree_regions(tree, SIZE_HW)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("strings",), None),
        (("documents", 0, "layout", "bounds"), []),
        (("documents", 0, "layout", "bounds", 5), [0, "x", 1, 1]),
        (("documents", 0, "layout", "nodeIndex", 5), 10**9),
        (("documents", 0, "nodes", "parentIndex", 3), 9),
        (("documents", 0, "nodes", "contentDocumentIndex"), {"index": [1], "value": []}),
        (("documents", 1, "nodes", "attributes"), None),
        (("documents", 0, "layout", "styles"), 4),
    ],
)
def test_a_spoilt_snapshot_is_refused(path, value):
    tree = snapshot_alone()
    place = tree
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(BadRegions, match="DOM snapshot"):
        tree_regions(tree, SIZE_HW)


def test_nodes_in_a_circle_do_no_harm():
    nodes = [
        {"nodeId": "1", "parentId": "2", "childIds": ["2"], "backendDOMNodeId": 1, "role": {"value": "button"}},
        {"nodeId": "2", "parentId": "1", "childIds": ["1"], "backendDOMNodeId": 2, "role": {"value": "button"}},
    ]
    assert len(tree_regions({"nodes": nodes, "boxes": {"1": [0, 0, 5, 5], "2": [1, 1, 4, 4]}}, SIZE_HW)) == 2


def test_two_frames_that_point_at_each_other_end():
    tree = snapshot_alone()
    tree["documents"][1]["nodes"]["contentDocumentIndex"] = {"index": [2], "value": [1]}
    tree["documents"][0]["nodes"]["contentDocumentIndex"]["value"] = [1] * len(
        tree["documents"][0]["nodes"]["contentDocumentIndex"]["index"]
    )
    assert tree_regions(tree, SIZE_HW)


def test_joined_trees_of_two_frames_hang_together():
    tree = devtools()
    inner = tree["documents"][1]["nodes"]["backendNodeId"]
    root = {"nodeId": "a", "childIds": ["b"], "backendDOMNodeId": inner[0], "role": {"value": "RootWebArea"}}
    child = {"nodeId": "b", "parentId": "a", "backendDOMNodeId": inner[-1], "role": {"value": "none"}}
    tree["nodes"] = [*tree["nodes"], root, child]
    assert "iframe" not in {one.role for one in tree_regions(tree, SIZE_HW)}


def test_roles_take_the_names_that_the_rest_of_the_project_uses():
    raw = ("StaticText", "AXButton", "img", "menuitemradio", "DisclosureTriangle", "gridcell", "PopUpButton", "wibble")
    names = ("statictext", "button", "image", "menuitem", "button", "cell", "combobox", "wibble")
    assert tuple(map(normal_role, raw)) == names


def test_the_inside_of_a_canvas_is_what_a_tree_cannot_tell():
    tree = {"role": "main", "bbox": [0, 0, 100, 100], "children": [{"role": "Canvas", "bbox": [0, 50, 100, 150]}]}
    assert blind_share(read_tree(tree, (100, 100)), (100, 100)) == 0.5
    assert blind_share(read_tree(copy.deepcopy(tree["children"][0] | {"role": "img"}), (100, 100)), (100, 100)) == 0
