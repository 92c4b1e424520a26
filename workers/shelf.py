"""Which model answers, and keeping it loaded: a name, or what is deployed -> a backend.

The built-in checkpoint lies in the package. A registered version lies in the blob store and is unpacked once into a
folder of this machine. A remote model is a client. Two local checkpoints stay loaded, the least recently used one goes;
and of finders the last.
"""

from collections import OrderedDict
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.model_versions import ModelVersionRepository
from app.catalog.tables import ModelVersionRow
from app.errors import NotFound
from app.services import adapters
from app.services.models import BUILT_IN
from app.services.remote import open_remote
from app.settings import Settings
from app.storage.blobs import BlobStore
from app.telemetry.traces import for_model_server
from models.vlm.openai import OpenAiBackend
from models.vlm.transport import Transport
from models.vlm.types import VlmBackend
from models.writers.types import Similarity

if TYPE_CHECKING:
    from models.finder.net import Finder
    from models.vlm.local import LocalBackend

BUILT_IN_FOLDER = Path(__file__).parents[1] / "models" / "weights" / BUILT_IN
KEPT_LOADED = 2


class ModelShelf:
    """The models of one worker process."""

    def __init__(self, settings: Settings, blobs: BlobStore) -> None:
        self._settings = settings
        self._blobs = blobs
        self._loaded: OrderedDict[Path, LocalBackend] = OrderedDict()
        self._remote = open_remote(settings)
        self._teachers: dict[str, tuple[Transport, OpenAiBackend]] = {}
        self._similarity: Similarity | None = None
        self._finder: tuple[UUID, Finder] | None = None

    def close(self) -> None:
        """Close the connections to model servers."""
        if self._remote is not None:
            self._remote.close()
        for transport, _ in self._teachers.values():
            transport.close()

    def teacher(self, session: Session, name: str | None) -> tuple[VlmBackend, ModelVersionRow | None]:
        """Return what writes under this name: one of MARKWISE_TEACHERS, else what `backend` returns. Raises like it."""
        if name is None or name not in self._settings.teachers:
            return self.backend(session, name)
        if name not in self._teachers:
            at = self._settings.teachers[name]
            transport = Transport(
                at.url,
                api_key=None if at.api_key is None else at.api_key.get_secret_value(),
                timeout_s=at.timeout_s,
                max_connections=self._settings.vlm_concurrency,
                headers=for_model_server,
            )
            self._teachers[name] = transport, OpenAiBackend(transport, at.model, name=name, input_px=at.input_px)
        return self._teachers[name][1], None

    def backend(self, session: Session, name: str | None) -> tuple[VlmBackend, ModelVersionRow | None]:
        """Return the backend that a request means, and its model version if it is a registered one.

        Without a name: what is deployed, else the configured server, else the built-in model. Raises NotFound,
        WeightsMissing.
        """
        versions, remote = ModelVersionRepository(session), self._remote
        if remote is not None:
            remote.look()
        if name is None:
            version = versions.deployed()
            if version is None:
                return (self.built_in() if remote is None else remote.backend()), None
        elif remote is not None and name == remote.name():
            return remote.backend(), None
        elif name == BUILT_IN:
            return self.built_in(), None
        else:
            version = versions.find_by_name(name)
            if version is None:
                raise NotFound("There is no model with this name.")
        if remote is not None and adapters.fits(version, remote.name()):
            return adapters.adapted(self._settings, self._blobs, remote, version), version
        return self.local(version), version

    def built_in(self) -> VlmBackend:
        """The model that ships with Markwise, or the checkpoint that MARKWISE_LOCAL_MODEL puts in its place; raises WeightsMissing."""
        return self._load(self._settings.local_model or BUILT_IN_FOLDER, BUILT_IN)

    def local(self, version: ModelVersionRow) -> VlmBackend:
        """A registered version."""
        return self._load(self.folder_of(version), f"{version.name}@{version.version}")

    def folder_of(self, version: ModelVersionRow) -> Path:
        """Return a folder with the files of a registered version, fetched from the blob store the first time."""
        folder = self._settings.data_folder / "cache" / "models" / str(version.id)
        if version.blob_prefix is None:
            return BUILT_IN_FOLDER
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(mkdtemp(dir=folder.parent, prefix="partial-"))
        for blob in self._blobs.list(version.blob_prefix):
            (partial / blob.key.rpartition("/")[2]).write_bytes(self._blobs.get(blob.key))
        if folder.is_dir():
            return folder
        return partial.rename(folder)

    def base_folder(self, session: Session, name: str) -> tuple[Path, UUID | None]:
        """Return the checkpoint that a training starts from, and its version if it is a registered one."""
        if name == BUILT_IN:
            return self._settings.local_model or BUILT_IN_FOLDER, None
        version = ModelVersionRepository(session).find_by_name(name)
        if version is None:
            raise NotFound("There is no model with this name.")
        return self.folder_of(version), version.id

    def finder(self, session: Session, version_id: UUID) -> "Finder":
        """Return what a training of the recipe `finder` made, loaded once; raises NotFound, WeightsMissing."""
        if self._finder is None or self._finder[0] != version_id:
            from models.finder.net import load

            self._finder = version_id, load(self.folder_of(ModelVersionRepository(session).get(version_id)))
        return self._finder[1]

    def similarity(self) -> Similarity | None:
        """What chooses captions: the CLIP of MARKWISE_CAPTION_SCORER, None without one; raises WeightsMissing."""
        folder = self._settings.caption_scorer
        if self._similarity is None and folder is not None:
            from models.writers.mmgic.similarity import ClipSimilarity

            self._similarity = ClipSimilarity(folder.expanduser())
        return self._similarity

    def _load(self, folder: Path, name: str) -> VlmBackend:
        from models.vlm.local import LocalBackend

        found = self._loaded.pop(folder, None)
        if found is None:
            found = LocalBackend(folder, name=name)
            while len(self._loaded) >= KEPT_LOADED:
                self._loaded.popitem(last=False)
        self._loaded[folder] = found
        return found
