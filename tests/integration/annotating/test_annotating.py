"""Orders of texts, worked off by a runner in this process against a teacher that misbehaves."""

from models.writers.types import CHECKS_FAILED
from workers.runner import Outcome

LISTING = "1. cat\n2. dog\n3. cat\n4. ball"


def test_rules_list_the_names_in_mark_order(desk, runner) -> None:
    marked = desk.images(40)
    job_id = desk.order(marked)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    texts = desk.texts(job_id)
    assert [text.conversations[1]["value"] for text in texts] == [LISTING] * 40
    assert {(text.image_id, text.mark_set_id) for text in texts} == set(marked)
    job = desk.job(job_id)
    assert (job.progress_done, job.progress_total, job.progress_failed, job.usage) == (40, 40, 0, {})
    assert job.result == {"texts": 40}


def test_a_teacher_lists_and_every_text_says_how_it_came_to_be(desk, runner, teacher) -> None:
    teacher[1].keep_bodies = 1
    job_id = desk.order(desk.images(12), writer="vlm", mode="improved-system", prices={"prompt": 2, "completion": 10})
    assert runner.run(job_id) is Outcome.SUCCEEDED
    texts = desk.texts(job_id)
    assert len(texts) == 12
    said = texts[0].provenance
    assert said["model"]["name"] == "fake-teacher"
    assert (said["mode"], said["tries"], said["prompt_tokens"]) == ("improved-system", 1, 1000)
    assert {"writer", "prompt_version", "instruction", "seed", "latency_s"} <= said.keys()
    assert desk.job(job_id).usage == {
        "calls": 12, "prompt_tokens": 12_000, "completion_tokens": 600, "items": 12, "cost": 0.03,
    }  # fmt: skip
    body = teacher[1].bodies[0]
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    report = desk.report(job_id)["texts"]
    assert [(row["texts"], row["first_try_rate"]) for row in report] == [(12, 1.0)]


def test_a_teacher_that_never_gets_it_right_is_kept_for_review(desk, runner, script) -> None:
    script.shares = {"invented": 1.0}
    job_id = desk.order(desk.images(2), writer="vlm", tries=2)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    for text in desk.texts(job_id):
        assert text.provenance[CHECKS_FAILED] == ["These marks are not on the picture: 99."]
        assert (text.review, text.provenance["tries"]) == ("unreviewed", 2)
