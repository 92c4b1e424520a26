"""A report shows where runs differ and where they fail, and a page shows nothing but what is in the report."""

from models.evaluation.pages import page
from models.evaluation.reports import Run, categories, compare
from models.evaluation.scores import Matched

PICTURE = "data:image/png;base64,AAAA"


def matched(*right, missing=0):
    pairs = tuple(((1, str(i)), True, "Yes" if good else "No") for i, good in enumerate(right))
    return Matched(pairs=pairs, missing=missing, places={(1, str(i)): i for i in range(len(right))})


ROWS = [{"question_id": i} for i in range(4)]


def test_categories_worst_and_changed_are_told():
    rows = [{"question_id": i, "category": "even" if i % 2 == 0 else "odd"} for i in range(4)]
    told = categories(rows)
    plain = Run(
        title="plain", matched=matched(1, 0, 1, 0), answers=ROWS, categories=told, picture=lambda key: PICTURE + key
    )
    tags = Run(title="tags", matched=matched(1, 1, 1, 0, missing=1), answers=ROWS, categories=told)
    found = compare("pope", [plain, tags])
    first, second = found["runs"]
    assert (first["categories"]["even"]["f1"]["value"], first["categories"]["odd"]["f1"]["value"]) == (100, 0)
    assert [(one["id"], one["picture"]) for one in first["worst"]] == [
        ("1 · 1", PICTURE + "1"),
        ("1 · 3", PICTURE + "3"),
    ]
    assert "difference" not in first
    assert [(one["id"], one["change"]) for one in second["changed"]] == [("1 · 1", 1.0)]
    assert second["missing"] == 1


def test_a_run_without_answers_is_shown_as_such():
    found = compare("pope", [Run(title="a", matched=matched(1)), Run(title="b", matched=matched(missing=3))])
    assert (found["runs"][1]["f1"], found["runs"][1]["missing"]) == (None, 3)
    assert "none" in page("t", [found])


def test_a_page_escapes_words_and_fetches_nothing():
    found = compare(
        "pope", [Run(title="<b>", matched=matched(0), answers=ROWS, picture=lambda _key: "https://elsewhere/x.png")]
    )
    html = page("<i>", [found], ["<u>"])
    assert "<b>1" not in html.replace("<b>1 · 0</b>", "")
    assert "&lt;b&gt;" in html
    assert "&lt;i&gt;" in html
    assert "&lt;u&gt;" in html
    assert "elsewhere" not in html


def test_labels_may_say_what_a_question_is_about():
    rows = [
        {"question_id": "v1_0", "capability": ["ocr", "math"]},
        {"index": 3, "category": "logic"},
        {"question_id": 4},
    ]
    assert categories(rows) == {"v1_0": "ocr+math", "3": "logic"}
