"""The audit draws fairly, escapes what it shows, and asks for the paper's verdicts."""

import json
import re
from collections import Counter
from html.parser import HTMLParser

from models.corpora.audit import PAPER_SAMPLES, VERDICTS, drawn, page

HOSTILE = {
    "id": "<b>",
    "image": "a.png",
    "conversations": [
        {"from": "human", "value": "<image>\n</script><script>alert(1)</script>"},
        {"from": "gpt", "value": 'x" onmouseover="y'},
        {"from": "human", "value": "And?"},
        {"from": "gpt", "value": "No."},
    ],
}


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.radios: Counter[str] = Counter()
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags[tag] += 1
        self.handlers += [name for name in found if name.startswith("on")]
        if found.get("type") == "radio":
            self.radios[str(found["name"])] += 1


def test_every_round_has_the_verdicts_and_nothing_runs_that_a_text_says() -> None:
    text = page("Audit of </title><script>", [(7, HOSTILE), (9, "broken")])
    found = Page(text)
    assert found.radios == {"7-0": 4, "7-1": 4}
    assert found.tags["script"] == 2
    assert found.handlers == []
    assert list(VERDICTS) == ["right", "source_error", "imprecise", "wrong"]
    assert "It has no readable turns" in text
    told = json.loads(re.search(r'id="about">(.*?)</script>', text, re.DOTALL)[1])
    assert told["samples"][0] == {"sample": 7, "id": "<b>", "image": "a.png"}
    assert "http" not in re.sub(r"http-equiv", "", text), "the page asks no other host"


def test_pictures_are_put_in_or_named() -> None:
    assert 'src="data:image/png;base64,AAE="' in page("x", [(0, HOSTILE)], lambda name: (b"\0\1", "image/png"))
    assert '<p class="file">a.png</p>' in page("x", [(0, HOSTILE)], lambda name: None)


def test_every_sample_is_equally_likely_and_a_seed_repeats() -> None:
    counts = Counter(number for seed in range(4000) for number, _ in drawn(range(10), 3, seed))
    assert min(counts.values()) > 1100
    assert max(counts.values()) < 1300
    assert drawn(iter(range(1000)), 20, 5) == drawn(range(1000), 20, 5)
    assert drawn(range(3), 20, 0) == [(0, 0), (1, 1), (2, 2)]
    assert PAPER_SAMPLES == 20
