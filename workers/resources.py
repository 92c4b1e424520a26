"""What a worker process keeps between jobs: engines, and whatever the handlers load. Built lazily, after the fork.

Nothing here runs before the first use, so a forked child never shares a connection or a CUDA context with its parent.
"""

import logging
from functools import cached_property

import numpy as np
from sqlalchemy import Engine

from app.catalog.session import app_engine, queue_engine
from app.imaging.decode import ImageDecoder
from app.imaging.limits import PoolLimits
from app.queue.tasks import Queue
from app.services.images import ImageDoor, fetch_policy
from app.services.marking import installed
from app.settings import Settings
from app.storage.blobs import BlobStore, open_blobs
from models.errors import ModelError
from models.protocols import SegmentRequest
from models.registry import install, segmenter
from workers.shelf import ModelShelf

_log = logging.getLogger(__name__)


def install_segmenters(settings: Settings) -> None:
    """Tell the model library what the operator installed: weights, and segmenters of his own."""
    install(installed(settings))


class Resources:
    """The long-lived parts of one worker process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.decoder_limits = PoolLimits()
        install_segmenters(settings)

    @cached_property
    def engine(self) -> Engine:
        """Engine of the restricted role, for the tenant's rows."""
        return app_engine(self.settings, name="markwise-worker", pool_size=2)

    @cached_property
    def queue_engine(self) -> Engine:
        """Engine of the queue's role, for claims and heartbeats."""
        return queue_engine(self.settings, name="markwise-worker-queue", pool_size=2)

    @cached_property
    def blobs(self) -> BlobStore:
        """Where pictures, overlays and checkpoints lie."""
        return open_blobs(self.settings.blobs_place)

    @cached_property
    def decoder(self) -> ImageDecoder:
        """Opens untrusted pictures in children of this process."""
        return ImageDecoder(pool_limits=self.decoder_limits)

    @cached_property
    def door(self) -> ImageDoor:
        """Lets images in, as the API does."""
        return ImageDoor(
            engine=self.engine, blobs=self.blobs, decoder=self.decoder, fetch_policy=fetch_policy(self.settings)
        )

    @cached_property
    def models(self) -> ModelShelf:
        """Loaded vision-language models."""
        return ModelShelf(self.settings, self.blobs)

    def warm(self, queues: tuple[str, ...]) -> None:
        """Load what the first job of these queues would wait for; called once per process, before it takes jobs.

        Without it the first marking of a screenshot took 9 s instead of 2, and the first answer 3 s more.
        """
        if Queue.INTERACTIVE not in queues:
            return
        try:
            segmenter("gui").segment(np.zeros((64, 64, 3), np.uint8), SegmentRequest())
            if self.settings.vlm_url is None:
                self.models.built_in()
        except ModelError:
            _log.exception("could not load ahead; jobs that need it will say so")

    def close(self) -> None:
        """Close what is open."""
        if "decoder" in self.__dict__:
            self.decoder.close()
        if "models" in self.__dict__:
            self.models.close()
        for name in ("engine", "queue_engine"):
            engine = self.__dict__.get(name)
            if isinstance(engine, Engine):
                engine.dispose()
