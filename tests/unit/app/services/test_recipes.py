"""Every recipe of the trainer can be ordered over HTTP, and what makes no sense is refused before it is queued."""

from uuid import uuid4

import pytest

from app.errors import Unprocessable
from app.http.schemas.learning import TrainingIn
from app.services.learning import RECIPES, train
from models.training import recipes


@pytest.mark.parametrize("name", [*recipes.RECIPES, "tiny-scratch", "tiny-v2"])
def test_every_recipe_can_be_named_in_an_order(name):
    assert TrainingIn(recipe=name).recipe in RECIPES


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "magic"}, "llava-1.5-lora"),
        ({"recipe": "svit-full", "lora": True, "dataset_id": uuid4()}, "says itself whether"),
        ({"recipe": "som-llava-7b"}, "needs a `dataset_id`"),
        ({"recipe": "tiny-scratch", "dataset_id": uuid4()}, "takes no dataset"),
        ({"recipe": "tiny-v2", "precision": "fp32"}, "leave out `precision`"),
        ({"recipe": "finder", "max_tokens": 512}, "leave out `max_tokens`"),
        ({"recipe": "svit-full", "lora_rank": 8, "dataset_id": uuid4()}, "`lora_rank` is for"),
    ],
)
def test_orders_that_cannot_work_are_refused(changes, message):
    body = TrainingIn(**changes).model_dump(mode="json")
    with pytest.raises(Unprocessable) as refused:
        train(None, body, idempotency_key=None)
    assert message in str(refused.value)
