"""What tests of jobs share: this process as a worker that knows all handlers. Where the settings are other ones, `resources` is, too."""

from collections.abc import Iterator

import pytest

from app.settings import Settings
from workers.handlers import HANDLERS
from workers.resources import Resources
from workers.runner import Runner


@pytest.fixture
def resources(settings: Settings) -> Iterator[Resources]:
    """What handlers need, by the `settings` of the folder."""
    made = Resources(settings)
    yield made
    made.close()


@pytest.fixture
def runner(resources: Resources) -> Runner:
    """Runs a job to its end: `runner.run(job_id)`."""
    return Runner(resources, HANDLERS, worker="test")
