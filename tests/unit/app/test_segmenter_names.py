"""The names that the API accepts are those that the model library knows, and a few that answer "not yet"."""

from typing import get_args

from app.http.schemas.marksets import SegmenterName
from app.settings import Settings
from models import registry
from models.segmenters.installed import Installed


def test_every_segmenter_can_be_asked_for_and_no_other():
    accepted = set(get_args(SegmenterName))
    later = {name for name in accepted if registry.not_yet(name)}
    assert later == {"seem", "maskdino"}
    assert accepted - later == set(registry.offered_names())
    assert {"fake"} == {registry.AUTO, *registry.segmenter_names()} - set(registry.offered_names())


def test_every_segmenter_with_weights_has_its_setting():
    fields = {f"MARKWISE_{name.upper()}" for name in Settings.model_fields}
    assert {Installed.setting(name) for name in registry.weighted_names()} <= fields
    given = Settings(**{f"{name.replace('-', '_')}_weights": f"/{name}" for name in registry.weighted_names()})
    assert given.segmenter_weights == {name: f"/{name}" for name in registry.weighted_names()}
