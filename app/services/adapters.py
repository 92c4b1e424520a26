"""Model versions that are LoRA adapters of the model which the server serves: put in place, loaded, and asked there.

A version trained with LoRA is stored twice: as a whole checkpoint for a worker, and as an adapter for a vLLM that serves its base.
Called by the deployment, by the direct path and by the workers' shelf.
"""

from pathlib import Path
from tempfile import mkdtemp

from app.catalog.tables import ModelVersionRow
from app.services.remote import RemoteModel
from app.settings import Settings
from app.storage.blobs import BlobStore, adapter_key
from models.vlm.openai import OpenAiBackend

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


def fits(version: ModelVersionRow, remote_name: str | None) -> bool:
    """Whether the server's model is what this version was trained on, as an adapter."""
    recipe = version.recipe
    return remote_name is not None and bool(recipe.get("lora")) and recipe.get("base") == remote_name


def adapted(settings: Settings, blobs: BlobStore, remote: RemoteModel, version: ModelVersionRow) -> OpenAiBackend:
    """Return the version on the server, loaded if it was not; raises BackendDown, BackendUnfit, BlobError."""
    folder = _in_place(settings.adapters_folder, blobs, version)
    # By its id: names of versions are unique per tenant only, and a server serves all of them.
    return remote.adapter(str(version.id), f"{version.name}@{version.version}", folder)


def _in_place(adapters: Path, blobs: BlobStore, version: ModelVersionRow) -> Path:
    folder = adapters / str(version.id)
    if folder.is_dir():
        return folder
    adapters.mkdir(parents=True, exist_ok=True)
    partial = Path(mkdtemp(dir=adapters, prefix="partial-"))
    partial.chmod(0o755)  # the server may run as another account
    for name in ADAPTER_FILES:
        (partial / name).write_bytes(blobs.get(adapter_key(str(version.tenant_id), str(version.id), name)))
    if folder.is_dir():
        return folder
    return partial.rename(folder)
