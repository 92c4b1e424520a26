"""The identity of a mark set: what was asked for, and the weights that would answer; and how little of it is kept."""

import json
from pathlib import Path

from app.services.marking import canonical_settings, kept_settings, settings_sha256
from models import registry
from models.segmenters.installed import Installed

TREE = {"role": "WebArea", "children": [{"role": "button", "name": f"b{n}"} for n in range(500)]}


def test_other_weights_make_another_mark_set(tmp_path: Path) -> None:
    weights = tmp_path / "sam.pth"
    seen = []
    try:
        for content in (b"one", b"another"):
            weights.write_bytes(content)
            registry.install(Installed(weights={"sam": str(weights)}))
            seen.append([settings_sha256(canonical_settings({"segmenter": name})) for name in ("sam", "regions")])
    finally:
        registry.install(Installed())
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] == seen[1][1], "regions have no weights"


def test_a_digest_stands_for_an_accessibility_tree() -> None:
    settings = canonical_settings({"segmenter": "gui", "accessibility_tree": TREE})
    kept = kept_settings(settings)
    assert len(json.dumps(kept)) < 600
    assert kept["accessibility_tree"] is not None
    assert {**kept, "accessibility_tree": TREE} == settings
    other = canonical_settings({"segmenter": "gui", "accessibility_tree": {**TREE, "role": "Window"}})
    assert kept_settings(other) != kept
    plain = canonical_settings({"segmenter": "gui"})
    assert kept_settings(plain) == plain
