"""Counts over samples, in memory that does not grow with them, and their picture."""

import tracemalloc
from xml.etree import ElementTree as ET

from models.corpora.statistics import Beginnings, Statistics
from models.corpora.sunburst import draw

SAMPLE = {
    "id": "1",
    "image": "a.jpg",
    "conversations": [
        {"from": "human", "value": "<image>\nWhat is the cat doing?"},
        {"from": "gpt", "value": "It sleeps."},
        {"from": "human", "value": "List what it's on."},
        {"from": "gpt", "value": "1. a mat\n2. a box"},
    ],
}


def counted(*samples: object) -> Statistics:
    statistics = Statistics()
    for sample in samples:
        statistics.add(sample)
    return statistics


def test_a_report_counts_answers_as_texts() -> None:
    text_only = {"conversations": [{"from": "human", "value": "What is the time?"}, {"from": "gpt", "value": "Late."}]}
    report = counted(SAMPLE, text_only, {"id": 3}, "words").to_json()
    assert (report["samples"], report["broken"], report["with_image"]) == (2, 2, 1)
    assert report["questions"] | {"up_to": None} == {"texts": 3, "words": 13, "mean": 4.33, "longest": 5, "up_to": None}
    assert report["answers"]["texts"] == 3
    assert (report["answers"]["up_to"]["1"], report["answers"]["up_to"]["2"], report["answers"]["up_to"]["10"]) == (
        1,
        1,
        1,
    )
    assert report["listings"] == {"texts": 1, "percent": 33.333}
    assert report["first_words"] == {"what": 66.667, "list": 33.333}
    assert report["first_three_words"] == {"what is the": 66.667, "list what it's": 33.333}


def test_no_samples_is_a_report_too() -> None:
    report = counted().to_json()
    assert report["listings"] == {"texts": 0, "percent": 0.0}
    assert "<svg" in draw(counted().beginnings.tree(), "nothing")


def test_beginnings_stay_few_and_nothing_is_lost_from_the_sum() -> None:
    beginnings = Beginnings(most=100)
    for number in range(5000):
        beginnings.add("what is this" if number % 2 else f"word{number} a b")
    assert len(beginnings.counts) <= 101
    assert beginnings.counts.total() + beginnings.rare == 5000
    assert beginnings.counts["what", "is", "this"] == 2500


def test_memory_is_flat_over_samples() -> None:
    statistics = counted(*[SAMPLE] * 100)
    tracemalloc.start()
    for _ in range(20_000):
        statistics.add(SAMPLE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
    assert statistics.samples == 20_100


def test_the_sunburst_is_well_formed_and_shares_its_circle() -> None:
    statistics = counted(
        *[SAMPLE] * 3, {"conversations": [{"from": "human", "value": "Why <b>&?"}, {"from": "gpt", "value": "x"}]}
    )
    picture = draw(statistics.beginnings.tree(), "a & b <c>")
    root = ET.fromstring(picture)
    names = [node.text for node in root.iter("{http://www.w3.org/2000/svg}title")]
    assert names[0] == "a & b <c>"
    assert {"what: 42.9 %", "list: 42.9 %", "why: 14.3 %", "is: 42.9 %"} <= set(names)
    assert " nan" not in picture.lower()
