"""From samples to an ordered mixture: which rules apply in which order, and what the order depends on."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from models.mixtures.choose import Chosen, choose
from models.mixtures.draws import held_out
from models.mixtures.plan import Plan, arrange, counts, text_only_room
from models.mixtures.recipe import CoresetRule, HoldOut, Part, PhraseRule, Recipe, Stage, TextSelector
from models.mixtures.samples import Sample


def sample(key: str, *pairs: tuple[str, str], kind: str = "conversation", image: str | None = "a.png") -> Sample:
    turns: list[dict[str, str]] = []
    for question, answer in pairs or (("What?", "A dog."),):
        turns += [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return Sample(key=key, id=key, kind=kind, conversations=turns, image=image, picture=image and f"{key}.png")


def part(name: str = "p", **fields: Any) -> Part:
    return Part(name=name, texts=TextSelector(), **fields)


def recipe(*parts: Part, **fields: Any) -> Recipe:
    return Recipe(name="r", purpose="x", parts=parts, **fields)


def planned(given: Recipe, *streams: Iterable[Sample]) -> Plan:
    chosen = [
        choose(one, stream, seed=given.seed, hold_out=given.hold_out)
        for one, stream in zip(given.parts, streams, strict=True)
    ]
    return arrange(given, chosen)


def many(count: int, **fields: Any) -> list[Sample]:
    return [sample(str(number), **fields) for number in range(count)]


def test_nothing_asked_takes_everything_in_the_order_of_reading() -> None:
    plan = planned(recipe(part(), shuffle=False), many(5))
    assert [entry.index for entry in plan] == [0, 1, 2, 3, 4]


def test_the_shuffle_depends_on_the_seed_and_not_on_what_else_is_there() -> None:
    def order(count: int, seed: int) -> list[int]:
        return [entry.index for entry in planned(recipe(part(), seed=seed), many(count))]

    assert order(30, 1) == order(30, 1) != order(30, 2)
    assert sorted(order(30, 1)) == list(range(30))
    assert [index for index in order(40, 1) if index < 30] == order(30, 1)


def test_take_is_reported_with_what_was_wanted() -> None:
    chosen = choose(part(take=3), many(10), seed=0)
    assert len(chosen.indices) == 3
    assert chosen.report == {"read": 10, "taken": 3, "wanted": 3}
    assert choose(part(take=30), many(10), seed=0).report == {"read": 10, "taken": 10, "wanted": 30}


def test_a_coreset_halves_each_kind_and_draws_as_many_of_each() -> None:
    plain = [sample(f"c{n}", ("What?", "Thing.")) for n in range(10)]
    rich = [sample(f"r{n}", ("What color?", "A big red car on the left.")) for n in range(10)]
    long = [sample(f"d{n}", ("Tell.", "One small blue box."), kind="description") for n in range(6)]
    chosen = choose(part(coreset=CoresetRule(per_kind=2)), [*plain, *rich, *long], seed=0)
    assert chosen.report == {"read": 26, "after_coreset": 13, "after_per_kind": 4, "taken": 4}
    assert all(index >= 10 for index in chosen.indices)
    assert sum(index >= 20 for index in chosen.indices) == 2


def test_yes_answers_are_thinned_by_round_and_empty_samples_vanish() -> None:
    mixed = [sample(f"m{n}", ("Is it red?", "Yes."), ("What is it?", "A car.")) for n in range(20)]
    only = [sample(f"o{n}", ("Is it big?", "Yes.")) for n in range(20)]
    no = [sample("n", ("Is it green?", "No."))]
    chosen = choose(part(yes_per_no=8.0), [*mixed, *only, *no], seed=0)
    assert chosen.report["yes"] == 40
    assert chosen.report["no"] == 1
    assert chosen.report["yes_dropped"] == 32
    left = 40 - sum(map(len, chosen.dropped.values())) - (41 - chosen.report["after_yes_per_no"])
    assert left == 8
    assert all(numbers == [0] for numbers in chosen.dropped.values())


def test_exactly_as_many_as_wanted_are_left_after_the_balance() -> None:
    samples = [sample(f"y{n}", ("Is it?", "Yes."), ("What?", "A car.")) for n in range(50)]
    samples += [sample(f"n{n}", ("Is it?", "No.")) for n in range(2)]
    chosen = choose(part(yes_per_no=8.0, take=40), samples, seed=0)
    assert len(chosen.indices) == 40


def test_held_out_pictures_are_in_one_split_only() -> None:
    samples = many(300)
    train = choose(part(), samples, seed=0, hold_out=HoldOut())
    test = choose(part(), samples, seed=5, hold_out=HoldOut(split="test"))
    assert set(train.indices) | set(test.indices) == set(range(300))
    assert not set(train.indices) & set(test.indices)
    assert all(held_out(f"{index}.png") for index in test.indices)


def test_captions_are_capped_by_their_answers() -> None:
    samples = [sample(str(n), ("Describe.", "A dog")) for n in range(80)]
    assert len(choose(part(noun_phrases=PhraseRule()), samples, seed=0).indices) == 50


def test_stages_follow_one_another_and_repeats_are_shuffled_apart() -> None:
    given = recipe(
        part("a", repeat=3),
        part("b"),
        stages=(Stage(name="both", parts=("a", "b")), Stage(name="last", parts=("b",))),
    )
    plan = planned(given, many(10), many(5))
    assert [entry.stage for entry in plan] == [0] * 35 + [1] * 5
    assert Counter((e.stage, e.part, e.index) for e in plan)[0, 0, 3] == 3
    assert counts(plan, given) == {"both": {"a": 30, "b": 5}, "last": {"b": 5}}
    first = [entry.index for entry in plan if entry.part == 0]
    assert first[:10] != first[10:20]


def test_text_alone_is_thinned_to_its_share() -> None:
    given = recipe(part("a"), part("b"), text_only_share=0.2)
    plan = planned(given, many(80), many(100, image=None))
    alone = sum(entry.part == 1 for entry in plan)
    assert (alone, len(plan), plan.thinned) == (20, 100, 80)
    assert planned(recipe(part("a"), text_only_share=0.2), many(80)).thinned == 0


def test_room_for_text_alone() -> None:
    assert text_only_room(624_610, 40_688 / 665_298) == 40_688
    assert text_only_room(80, 0.2) == 20
    assert text_only_room(80, 0) == 0
    assert text_only_room(80, 1) > 10**6


def test_a_part_without_samples_adds_nothing() -> None:
    chosen: Chosen = choose(part(), [], seed=0)
    assert list(arrange(recipe(part()), [chosen])) == []
