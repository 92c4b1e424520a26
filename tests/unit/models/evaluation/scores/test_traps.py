"""Each scorer against handmade files that hold the traps of its benchmark, with figures worked out by hand."""

import json
import zipfile

import pytest

from models.errors import BadEvaluation
from models.evaluation.scores import BENCHMARKS, score
from models.evaluation.scores.replies import mme_yes, option_letter, pope_yes


def lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def said(question_id, text, **more):
    return {"question_id": question_id, "text": text, **more}


def truth(question_id, label, **more):
    return {"question_id": question_id, "label": label, **more}


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("No", False),
        ("There is not, I think", False),
        ("Yes. No doubt", True),  # only the first sentence counts
        ("no, it is not", False),
        ("Nothing there", True),  # `Nothing` is not the word `No`
        ("NO", True),  # as published: only No, not and no are looked for
        ("", True),
    ],
)
def test_pope_reads_the_first_sentence_for_no(text, yes):
    assert pope_yes(text) is yes


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("Yes", True),
        ("no", False),
        ("Yes, it is", True),
        ("No.", False),
        ("  no", False),
        ("Maybe no", None),
        ("", None),
    ],
)
def test_mme_reads_four_characters(text, yes):
    assert mme_yes(text) is yes


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        ("(C)", "C"),
        ("D.", "D"),
        ("A. a red dog", "A"),
        ("The answer is B.", "B"),
        ("two cats", "C"),
        ("A dog runs", None),
        ("I see two", None),
        ("Both", None),
        ("E", "E"),
        ("", None),
    ],
)
def test_a_letter_is_read_and_never_guessed(text, letter):
    options = {"A": "a red dog", "B": "a dog", "C": "two cats", "D": "none", "E": "five"}
    assert option_letter(text, options) == letter


def test_pope_finds_labels_by_id_not_by_order(tmp_path):
    labels = lines(tmp_path / "l", truth(1, "yes"), truth(2, "no"), truth(3, "no"), truth(4, "yes"))
    answers = lines(tmp_path / "a", said(4, "Yes"), said(3, "Yes"), said(1, "No"), said(9, "Yes"))
    result = score("pope", labels=[labels], answers=[answers])
    assert (result.n, result.missing, result.unknown, result.duplicates) == (3, 1, 1, 0)
    assert {name: result.metrics[name] for name in ("tp", "fp", "tn", "fn")} == {"tp": 1, "fp": 1, "tn": 0, "fn": 1}
    assert result.metrics["f1"] == pytest.approx(50.0)
    assert result.metrics["yes_ratio"] == pytest.approx(200 / 3)


def test_equal_doubles_are_scored_once_and_others_not_at_all(tmp_path):
    labels = lines(tmp_path / "l", truth(1, "yes"), truth(2, "no"))
    answers = lines(tmp_path / "a", said(1, "Yes"), said(1, "Yes"), said(2, "No"), said(2, "Yes"), said(2, "No"))
    result = score("pope", labels=[labels], answers=[answers])
    assert (result.n, result.missing, result.duplicates, result.metrics["tn"]) == (1, 0, 3, 0)


def test_pope_reports_the_unweighted_mean_of_its_files(tmp_path):
    good = lines(tmp_path / "l1", truth(1, "yes"), truth(2, "no"))
    rest = lines(tmp_path / "l2", *(truth(i, "yes") for i in range(4)))
    first = lines(tmp_path / "a1", said(1, "Yes"), said(2, "No"))
    second = lines(tmp_path / "a2", said(0, "Yes"), *(said(i, "No") for i in range(1, 4)))
    result = score("pope", labels=[good, rest], answers=[first, second])
    assert result.metrics["f1_mean"] == pytest.approx((100 + 40) / 2)
    assert result.metrics["f1"] == pytest.approx(100 * 2 * 2 / (2 * 2 + 3))


def test_pope_splits_one_answer_file_by_category(tmp_path):
    def ask(question_id, category, image):
        text = "Is there a cat in the image?\nAnswer the question using a single word or phrase."
        return {"question_id": question_id, "category": category, "image": image, "text": text}

    def label(image, value):
        return {"question_id": 1, "image": image, "text": "Is there a cat in the image?", "label": value}

    questions = lines(tmp_path / "q", ask(10, "random", "a.jpg"), ask(11, "popular", "b.jpg"))
    labels = [lines(tmp_path / "p", label("b.jpg", "no")), lines(tmp_path / "r", label("a.jpg", "yes"))]
    answers = lines(tmp_path / "a", said(10, "Yes"), said(11, "No"))
    result = score("pope", questions=[questions], labels=labels, answers=[answers])
    assert (result.n, result.missing, result.unknown) == (2, 0, 0)
    assert (result.metrics["f1_1"], result.metrics["f1_2"]) == (0, 100)


def mme_row(name, question, label):
    return {"category": "OCR", "image": name, "question": question + " Please answer yes or no.", "label": label}


def mme_said(name, question, text):
    prompt = question + "\nAnswer the question using a single word or phrase."
    return {"question_id": f"OCR/{name}", "prompt": prompt, "text": text}


def test_mme_ids_come_twice_and_labels_end_in_blanks(tmp_path):
    labels = lines(
        tmp_path / "l",
        mme_row("1.png", "Is it a cat? ", "Yes"),
        mme_row("1.png", "Is it a dog?", "No "),
        mme_row("2.png", "Is it red?", "Yes"),
        mme_row("2.png", "Is it blue?", "No"),
    )
    answers = lines(
        tmp_path / "a",
        mme_said("1.png", "Is it a cat?", "Yes"),
        mme_said("1.png", "Is it a dog?", "No"),
        mme_said("2.png", "Is it red?", "Yes"),
        mme_said("2.png", "Is it blue?", "Red"),
    )
    result = score("mme", labels=[labels], answers=[answers])
    assert result.metrics == {"perception": 75 + 50, "cognition": 0, "OCR": 75 + 50}
    assert (result.n, result.missing, result.duplicates) == (4, 0, 0)


def test_mme_answers_without_prompts_need_the_questions(tmp_path):
    labels = lines(tmp_path / "l", mme_row("1.png", "Is it a cat?", "Yes"))
    answers = lines(tmp_path / "a", {"question_id": "OCR/1.png", "text": "Yes"})
    with pytest.raises(BadEvaluation, match="same order"):
        score("mme", labels=[labels], answers=[answers])
    questions = lines(tmp_path / "q", {"question_id": "OCR/1.png", "text": "Is it a cat?"})
    assert score("mme", questions=[questions], labels=[labels], answers=[answers]).metrics["OCR"] == 100


def test_gqa_forgives_case_and_a_full_stop_only(tmp_path):
    labels = tmp_path / "l.json"
    labels.write_text(json.dumps({"1": {"answer": "dog"}, "2": {"answer": "dog"}, "3": {"answer": "yes"}}))
    answers = tmp_path / "a.json"
    answers.write_text(
        json.dumps([{"questionId": "1", "prediction": "Dog."}, {"questionId": "2", "prediction": "a dog"}])
    )
    result = score("gqa", labels=[labels], answers=[answers])
    assert (result.metrics["accuracy"], result.n, result.missing) == (50, 2, 1)


def test_seed_leaves_videos_out(tmp_path):
    labels = lines(
        tmp_path / "l",
        {"question_id": "1_0", "gt_answer": "A", "question_type_id": 1},
        {"question_id": "2_0", "gt_answer": "B", "question_type_id": 2},
        {"question_id": "v3_0", "gt_answer": "C", "question_type_id": 10},
    )
    answers = lines(
        tmp_path / "a",
        {"question_id": "1_0", "prediction": "A"},
        {"question_id": "2_0", "prediction": "A"},
        {"question_id": "v3_0", "prediction": "C"},
    )
    result = score("seed", labels=[labels], answers=[answers])
    assert result.metrics == {"accuracy": 50, "type_1": 100, "type_2": 0}
    assert (result.n, result.unknown, result.missing) == (2, 1, 0)


def xlsx(path, rows):
    """The smallest workbook that holds `rows` of texts."""

    def cell(value):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    pack = "http://schemas.openxmlformats.org/package/2006"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{pack}/content-types"><Override PartName="/xl/workbook.xml" '
            f'ContentType="{types}.sheet.main+xml"/></Types>',
        )
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{pack}/relationships"><Relationship Id="a" Type="{rel}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="s" sheetId="1" r:id="b"/></sheets></workbook>',
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{pack}/relationships"><Relationship Id="b" Type="{rel}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        file.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
        )
    return path


def test_mmbench_asks_every_rotation(tmp_path):
    sheet = [
        ("index", "question", "A", "B", "C", "D", "answer", "prediction"),
        ("7", "q", "cat", "dog", "", "", "A", "A"),
        ("1000007", "q", "dog", "cat", "", "", "B", "cat"),  # by the option's words
        ("8", "q", "cat", "dog", "", "", "A", "A"),
        ("1000008", "q", "dog", "cat", "", "", "B", "A"),
        ("9", "q", "cat", "dog", "", "", "B", "I cannot tell"),
    ]
    result = score("mmbench", answers=[xlsx(tmp_path / "a.xlsx", sheet)])
    assert result.metrics == {"circular": pytest.approx(100 / 3), "vanilla": pytest.approx(200 / 3)}
    assert result.n == 5


def test_mmvet_averages_runs_and_counts_failed_grades(tmp_path):
    grades = tmp_path / "g.json"
    grades.write_text(
        json.dumps(
            {"v1_0": {"score": [1.0, 0.5]}, "v1_1": {"score": 0.0}, "v1_2": {"score": [-1]}, "v1_3": {"score": []}}
        )
    )
    labels = tmp_path / "l.json"
    labels.write_text(json.dumps({f"v1_{i}": {"capability": ["ocr", "math"] if i == 0 else ["ocr"]} for i in range(4)}))
    result = score("mmvet", labels=[labels], answers=[grades])
    assert result.metrics == {"total": 37.5, "ocr": 37.5, "math": 75}
    assert (result.n, result.missing) == (2, 2)


def test_llava_bench_does_not_take_a_failed_review_for_a_perfect_one(tmp_path):
    reviews = lines(
        tmp_path / "r",
        {"question_id": 0, "tuple": [8, 6], "category": "llava_bench_conv"},
        {"question_id": 1, "tuple": [10, 3], "category": "llava_bench_detail"},
        {"question_id": 2, "tuple": [-1, -1], "category": "llava_bench_conv"},
    )
    result = score("llava-bench", answers=[reviews])
    assert result.metrics == {"score": 50, "conv": 75, "detail": 30}
    assert (result.n, result.missing) == (2, 1)


def test_a_listing_is_scored_by_mark(tmp_path):
    labels = lines(
        tmp_path / "l",
        {"image": "a.jpg", "items": ["person", "cat", "dog"]},
        {"image": "b.jpg", "items": ["person", "kite"]},
        {"image": "c.jpg", "items": ["cup"]},
    )
    answers = lines(
        tmp_path / "a",
        {"image": "a.jpg", "text": "1. Person, 2. a cat, 3. dog."},
        {"image": "b.jpg", "text": "1. person\n4. bird"},
    )
    result = score("listing", labels=[labels], answers=[answers])
    assert result.metrics == {
        "item_accuracy": 80,
        "list_accuracy": 75,
        "image_accuracy": 50,
        "invented": 1,
        "missed": 1,
    }
    assert (result.n, result.missing) == (2, 1)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_broken_file_is_named_with_its_line(tmp_path, name):
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"question_id": 1}\n{"question_id"\n')
    with pytest.raises(BadEvaluation, match=r"broken\.jsonl, line 2"):
        score(name, answers=[broken])


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_row_without_its_fields_says_which_it_needs(tmp_path, name):
    with pytest.raises(BadEvaluation, match=r"has no `|without a `prompt`"):
        score(name, answers=[lines(tmp_path / "a", {"nothing": 1}, {"nothing": 2})])


def test_what_says_nothing_is_forgiven(tmp_path):
    """A byte order mark, blank lines, commas behind lines, ids as numbers and as texts, a rare line separator in a text."""
    labels = tmp_path / "labels.json"
    labels.write_text(
        '{"question_id": "1", "gt_answer": "A"},\n\n{"question_id": "2", "gt_answer": "B"},\n', "utf-8-sig"
    )
    answers = tmp_path / "answers.jsonl"
    answers.write_text(
        '{"question_id": 1, "prediction": "A"}\r\n{"question_id": 2, "prediction": "B. so\u2028it is"}\n\n'
    )
    result = score("seed", labels=[labels], answers=[answers])
    assert (result.metrics["accuracy"], result.n, result.unknown, result.missing) == (100, 2, 0, 0)


@pytest.mark.parametrize(("one", "other"), [(7, "7"), (7.0, "7"), ("7.0", 7), ("07", "07"), ("v7", " v7 ")])
def test_an_id_is_one_however_it_is_written(tmp_path, one, other):
    labels = lines(tmp_path / "l", {"question_id": one, "answer": "dog"})
    answers = lines(tmp_path / "a", {"question_id": other, "text": "Dog."})
    assert score("gqa", labels=[labels], answers=[answers]).metrics["accuracy"] == 100


def test_an_empty_label_file_is_not_replaced_by_the_answers(tmp_path):
    labels, answers = lines(tmp_path / "l"), lines(tmp_path / "a", said(1, "Yes", label="yes"))
    assert (score("pope", labels=[labels], answers=[answers]).n, score("pope", answers=[answers]).n) == (0, 1)


def test_labels_may_stand_in_the_questions(tmp_path):
    questions, answers = lines(tmp_path / "q", truth(1, "no")), lines(tmp_path / "a", said(1, "No"))
    assert score("pope", questions=[questions], answers=[answers]).metrics["tn"] == 1


def test_a_file_that_is_no_text_is_a_sentence(tmp_path):
    strange = tmp_path / "a.tsv"
    strange.write_bytes("index\tanswer\n".encode("utf-16"))
    with pytest.raises(BadEvaluation, match="UTF-8"):
        score("mmbench", answers=[strange])


def test_pope_knows_the_ids_that_llava_gave_the_other_files(tmp_path):
    labels = lines(tmp_path / "l", truth(1, "yes"), truth(2, "no"))
    answers = lines(tmp_path / "a", said(10000001, "Yes"), said(10000002, "No"))
    assert score("pope", labels=[labels], answers=[answers]).n == 2


def test_pope_does_not_score_an_answer_to_another_version_of_the_file(tmp_path):
    def ask(thing):
        return f"Is there a {thing} in the image?"

    labels = lines(tmp_path / "l", truth(1, "yes", text=ask("cat")), truth(2, "no", text=ask("dog")))
    answers = lines(tmp_path / "a", said(1, "Yes", prompt=ask("cat")), said(2, "No", prompt=ask("cow")))
    result = score("pope", labels=[labels], answers=[answers])
    assert (result.n, result.missing, result.unknown) == (1, 1, 1)


def test_pope_files_in_another_order_are_told(tmp_path):
    first, second = lines(tmp_path / "l1", truth(1, "yes")), lines(tmp_path / "l2", truth(2, "no"))
    answers = [lines(tmp_path / "a1", said(2, "No")), lines(tmp_path / "a2", said(1, "Yes"))]
    with pytest.raises(BadEvaluation, match="same order"):
        score("pope", labels=[first, second], answers=answers)


def test_an_option_that_reads_like_a_letter_does_not_take_its_place():
    assert option_letter("B", {"A": "B", "B": "A"}) == "B"


def test_mmvet_ids_may_be_bare_numbers(tmp_path):
    labels = lines(tmp_path / "l", {"question_id": 0, "capability": ["ocr"]}, {"question_id": 1, "capability": ["rec"]})
    grades = tmp_path / "g.json"
    grades.write_text('{"v1_0": {"score": [1.0]}, "v1_1": {"score": [0.5]}}')
    assert score("mmvet", labels=[labels], answers=[grades]).metrics == {"total": 75, "ocr": 100, "rec": 50}


def test_llava_bench_averages_several_judgements(tmp_path):
    first = lines(tmp_path / "r1", {"question_id": 0, "tuple": [10, 5]}, {"question_id": 1, "tuple": [10, 5]})
    second = lines(tmp_path / "r2", {"question_id": 0, "content": "10 8.5\nboth"}, {"question_id": 1, "tuple": [5, 5]})
    result = score("llava-bench", answers=[first, second])
    assert (result.n, result.duplicates) == (4, 0)
    assert (result.metrics["score_1"], result.metrics["score_2"]) == (50, 90)
    assert result.metrics["score_mean"] == 70


def test_an_unknown_benchmark_names_the_known():
    with pytest.raises(BadEvaluation, match="pope, mme"):
        score("popo", answers=[])
