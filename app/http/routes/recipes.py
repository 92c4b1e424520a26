"""/v1/recipes: the mixtures and trainings that are known by name."""

from typing import Any, Literal

from fastapi import APIRouter
from typing_extensions import TypedDict

from app.formats.recipes import shipped, shipped_recipe
from app.http.deps import AnyCaller
from app.services import learning
from models.finder import RECIPE as FINDER
from models.training.recipes import RECIPES

router = APIRouter(tags=["learning"])

_DRAWN = {
    "tiny-scratch": "the small model from random weights, on pictures that it draws: about two hours of one core",
    "tiny-v2": "the same, then two layers more and longer answers",
    FINDER: "what /v1/findings searches images for painted marks with, on pictures that it draws: minutes of one core",
}


class RecipeBody(TypedDict):
    """A recipe by name, for `POST /v1/datasets` or `POST /v1/trainings`; `recipe` is a mixture, to be changed and posted.

    `needs` is what has to be there: `files` in the folder of imports, a `dataset`, or nothing.
    """

    name: str
    object: Literal["dataset_recipe", "training_recipe"]
    purpose: str
    needs: Literal["files", "dataset"] | None
    recipe: dict[str, Any] | None


@router.get("/v1/recipes")
def list_recipes(_: AnyCaller) -> dict[str, list[RecipeBody]]:
    """List the recipes of mixtures and of trainings."""
    return {"data": [*map(_mixture, shipped()), *map(_training, learning.RECIPES)]}


def _mixture(name: str) -> RecipeBody:
    recipe = shipped_recipe(name)
    return {
        "name": name,
        "object": "dataset_recipe",
        "purpose": recipe.purpose,
        "needs": "files" if any(part.file for part in recipe.parts) else None,
        "recipe": recipe.model_dump(mode="json"),
    }


def _training(name: str) -> RecipeBody:
    return {
        "name": name,
        "object": "training_recipe",
        "purpose": RECIPES[name].purpose if name in RECIPES else _DRAWN.get(name, "draws its own pictures"),
        "needs": None if name in learning.SELF_SUPPLIED_RECIPES else "dataset",
        "recipe": None,
    }
