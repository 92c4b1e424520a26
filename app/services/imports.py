"""Order an import: what it reads is checked as far as that costs nothing, the reading is a worker's."""

import hashlib
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.tables import JobRow
from app.errors import Forbidden, Unprocessable
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services.import_folder import ImportFolder
from app.services.keys import Caller
from app.settings import Settings
from app.storage.blobs import BlobStore, import_key


def store_upload(blobs: BlobStore, tenant_id: UUID, data: bytes) -> dict[str, str]:
    """Keep an uploaded annotation file for the worker; returns how a payload names it. Before any transaction."""
    sha256 = hashlib.sha256(data).hexdigest()
    key = import_key(str(tenant_id), sha256)
    blobs.put_if_absent(key, data)
    # Readers tell files apart by what they hold; the name is only for messages.
    return {"blob": key, "name": f"uploaded-{sha256[:8]}"}


def order(
    session: Session,
    body: dict[str, Any],
    *,
    caller: Caller,
    settings: Settings,
    uploaded: dict[str, str] | None,
    idempotency_key: str | None,
) -> JobRow:
    """Queue an import; raises Unprocessable (OutsideImports) or Forbidden.

    Whoever may read the folder of imports may read what others put there, so it takes the scope `admin`.
    """
    named = [*body["files"], *([body["images"]] if body["images"] is not None else [])]
    if named and "admin" not in caller.scopes:
        raise Forbidden("Reading files of the server needs the scope `admin`; upload the annotation file instead.")
    if not body["files"] and uploaded is None:
        raise Unprocessable("Give the annotation files: `files` in the server's folder of imports, or the part `file`.")
    folder = ImportFolder(settings)
    for name in named:
        folder.find(name)
    source = body["source"] or body["format"]
    files: list[dict[str, str]] = [{"path": name} for name in body["files"]]
    payload = {
        "format": body["format"],
        "files": files if uploaded is None else [*files, uploaded],
        "images": body["images"],
        "source": source,
        "cleaning": body["cleaning"],
        "labels": list(dict.fromkeys([source, *body["labels"]])),
    }
    return enqueue(session, kind="import.create", queue=Queue.BATCH, payload=payload, idempotency_key=idempotency_key)
