"""Counting what a teacher takes, and when a budget says stop."""

from app.queue.spending import Budget, Spent, granted_again, tokens_of

TEN = Spent(calls=12, prompt_tokens=9_000, completion_tokens=1_000, items=10)


def test_usage_adds_up_and_costs_what_the_prices_say() -> None:
    once = TEN.added_to({}, {"prompt": 2.5, "completion": 10.0})
    twice = TEN.added_to(once, {"prompt": 2.5, "completion": 10.0})
    assert (twice["calls"], twice["prompt_tokens"], twice["completion_tokens"]) == (24, 18_000, 2_000)
    assert twice["cost"] == 0.065
    assert "cost" not in TEN.added_to({}, None)


def test_nothing_known_lets_two_items_feel_the_way() -> None:
    assert Budget(tokens=1_000).room({}, 0) == 2
    assert Budget(tokens=1_000).room({}, 2) == 0
    assert Budget().room({}, 500) is None


def test_room_counts_what_is_in_work_at_the_mean_price() -> None:
    usage = TEN.added_to({}, None)
    assert Budget(tokens=15_500).room(usage, 0) == 5
    assert Budget(tokens=15_500).room(usage, 4) == 1
    assert Budget(tokens=15_500).room(usage, 9) == 0
    assert Budget(tokens=10_000).room(usage, 0) == 0


def test_the_tighter_of_two_limits_counts() -> None:
    usage = TEN.added_to({}, {"prompt": 1_000.0, "completion": 1_000.0})
    assert usage["cost"] == 10.0
    assert Budget(tokens=1_000_000, cost=13.0).room(usage, 0) == 3


def test_a_retry_grants_the_budget_again() -> None:
    usage = granted_again(TEN.added_to({}, None))
    assert Budget(tokens=10_000).room(usage, 0) == 10
    assert tokens_of(usage) == 10_000, "what was spent stays told"
    assert granted_again({}) == {}
