"""A recipe that is wrong says where, and what would be right."""

import pytest

from app.formats.recipes import RecipeError, RecipeIn, read_recipe, shipped, shipped_recipe

GOOD = """\
name: mine
purpose: Mine.
parts:
  - name: a
    texts: {kinds: [listing]}
    take: 3
  - name: b
    file: mix.json
    yes_per_no: 8
stages:
  - {name: both, parts: [a, b]}
"""


def refusal(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        read_recipe(text, "mine.yaml")
    return caught.value.detail


def test_a_good_one_is_read() -> None:
    recipe = read_recipe(GOOD, "mine.yaml").value()
    assert [part.name for part in recipe.parts] == ["a", "b"]
    assert recipe.parts[0].take == 3
    assert recipe.parts[1].yes_per_no == 8
    assert recipe.order()[0].parts == ("a", "b")


@pytest.mark.parametrize("name", shipped())
def test_what_is_stored_can_be_posted_again(name: str) -> None:
    recipe = shipped_recipe(name)
    assert RecipeIn.model_validate(recipe.model_dump(mode="json")) == recipe
    assert recipe.value().name == name


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("take: 3", "tke: 3", "mine.yaml, line 6: `parts[0].tke` is no key here; known are name, texts, file,"),
        ("take: 3", "take: 0", "mine.yaml, line 6: `parts[0].take`: input should be greater than or equal to 1."),
        ("take: 3", "take: '3'", "line 6: `parts[0].take`: input should be a valid integer."),
        ("[listing]", "[listng]", "line 5: `parts[0].texts.kinds[0]` must be one of 'listing', 'conversation',"),
        ("name: a", "name: b", "two parts are called 'b'"),
        ("parts: [a, b]", "parts: [a, c]", "a stage names the part 'c'; parts are a, b"),
        ("parts: [a, b]", "parts: [a]", "the part 'b' stands in no stage"),
        ("    file: mix.json\n", "", "line 7: `parts[1]`: a part has either `texts` or `file`."),
        ("purpose: Mine.\n", "", "`purpose` is missing"),
        ("take: 3", "take: 3\n    take: 4", "line 7: the key `take` stands twice"),
        ("take: 3", "take: [", "this is not YAML"),
        ("take: 3", "take: 3\n    images: x", "`images`, `kind` and `without` go with `file`"),
    ],
)
def test_a_wrong_one_says_where_and_what_is_allowed(old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert said in refusal(GOOD.replace(old, new, 1))


def test_what_is_no_mapping_and_unknown_names() -> None:
    assert "a recipe is a mapping" in refusal("- a\n- b\n")
    assert "this is not YAML" in refusal("\x00")
    with pytest.raises(RecipeError, match="known are markwise-listing-qa, mmgic-sft, mmgic-then-ic"):
        shipped_recipe("../secrets")


def test_yaml_that_would_build_objects_is_refused() -> None:
    assert "not YAML" in refusal("!!python/object/apply:os.system ['true']")
