"""The numbers of the papers, one by one."""

from dataclasses import replace

from app.formats.recipes import shipped, shipped_recipe
from models.mixtures.concepts import CONCEPTS
from models.mixtures.coreset import CORE_SIZE, KEPT_SHARE, PER_KIND
from models.mixtures.draws import HELD_OUT_SHARE
from models.mixtures.noun_phrases import CAP, SKIP_BELOW
from models.mixtures.plan import TEXT_ONLY_SHARE
from models.mixtures.yes_no import YES_PER_NO


def test_svit_speaks_of_120_key_words_in_five_concepts() -> None:
    counts = {name: len(set(words)) for name, words in CONCEPTS.items()}
    assert counts == {"color": 17, "material": 33, "quantity": 14, "spatial relation": 28, "size": 28}
    assert sum(counts.values()) == 120


def test_svit_drops_half_and_draws_20000_of_four_kinds() -> None:
    assert (KEPT_SHARE, PER_KIND, 4 * PER_KIND) == (0.5, 20_000, 80_000)


def test_svit_balances_8_to_1_and_holds_a_tenth_of_the_pictures_out() -> None:
    assert (YES_PER_NO, HELD_OUT_SHARE) == (8, 0.1)


def test_image_captions_are_capped_at_50_and_rare_phrases_below_20_passed_over() -> None:
    assert (SKIP_BELOW, CAP) == (20, 50)


def test_text_alone_is_a_sixteenth_of_665k() -> None:
    assert round(TEXT_ONLY_SHARE, 4) == 0.0612


def test_six_recipes_ship_each_with_a_purpose_of_one_line() -> None:
    assert shipped() == [
        "markwise-listing-qa",
        "mmgic-sft",
        "mmgic-then-ic",
        "som-llava-695k",
        "svit-core",
        "svit-mix-665k",
    ]
    assert all("\n" not in shipped_recipe(name).purpose for name in shipped())


def test_som_llava_695k_is_665k_and_10k_listings_and_20k_conversations() -> None:
    mix, listing, talk = shipped_recipe("som-llava-695k").value().parts
    assert (mix.file.path if mix.file else None, mix.take) == ("llava_v1_5_mix665k.json", None)
    assert (listing.take, talk.take) == (10_000, 20_000)
    assert listing.texts is not None
    assert talk.texts is not None
    assert (listing.texts.kinds, talk.texts.kinds) == (("listing",), ("conversation",))
    assert (listing.texts.tagged, talk.texts.tagged) == (True, True)


def test_svit_core_is_157712_of_four_kinds() -> None:
    recipe = shipped_recipe("svit-core").value()
    (part,) = recipe.parts
    assert part.texts is not None
    assert part.coreset is not None
    assert (part.take, CORE_SIZE) == (157_712, 157_712)
    assert (part.coreset.per_kind or 0) * len(part.texts.kinds) == 157_712
    assert (part.coreset.keep, part.yes_per_no) == (0.5, 8)
    assert recipe.hold_out is not None
    assert (recipe.hold_out.share, recipe.hold_out.split) == (0.1, "train")


def test_svit_mix_665k_is_llavas_with_its_instructions_replaced_by_the_core() -> None:
    recipe = shipped_recipe("svit-mix-665k").value()
    llava, svit = recipe.parts
    assert llava.file is not None
    assert (llava.file.path, llava.file.without) == ("llava_v1_5_mix665k.json", "llava_instruct_150k.json")
    assert (llava.take, llava.hold_out) == (None, False), "all the rest, test pictures or not"
    core = shipped_recipe("svit-core").value()
    assert replace(svit, name="svit") == core.parts[0]
    assert recipe.hold_out == core.hold_out


def test_mmgic_tunes_on_three_million_and_a_fifth_with_a_replay_of_documents() -> None:
    takes = {part.name: part.take or 0 for part in shipped_recipe("mmgic-sft").value().parts}
    assert takes == {"instructions": 1_210_000, "captions": 1_000_000, "documents": 1_000_000}
    assert sum(takes.values()) == 3_210_000


def test_mmgic_trains_both_and_then_documents_and_repeats_two_sources_thrice() -> None:
    recipe = shipped_recipe("mmgic-then-ic").value()
    documents = tuple(part.name for part in recipe.parts if part.texts is not None)
    assert [stage.parts for stage in recipe.order()] == [(*documents, "captions"), documents]
    assert {part.name: part.repeat for part in recipe.parts if part.repeat > 1} == {
        "mmgic-visual-genome": 3,
        "mmgic-v3det": 3,
    }
    captions = recipe.parts[-1].noun_phrases
    assert captions is not None
    assert (captions.skip_below, captions.cap) == (20, 50)
