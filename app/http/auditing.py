"""How a route leaves a trace: `log("key.revoked", key_id, name=...)`, in the transaction of the request.

`Log` knows the caller and the request; what was done and to what, the route says.
"""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from app.catalog.audit import record
from app.catalog.keys import KeyRepository
from app.http.deps import AnyCaller, Tx


def _log(request: Request, tx: Tx, caller: AnyCaller) -> Callable[..., None]:
    def log(action: str, subject: UUID | str, **detail: Any) -> None:
        # By name too: the entry outlives the key.
        actor = "local" if caller.key_id is None else KeyRepository(tx).get(caller.key_id).name
        request_id = request.state.request_id
        record(tx, action, subject, actor=actor, key_id=caller.key_id, request_id=request_id, detail=detail)

    return log


Log = Annotated[Callable[..., None], Depends(_log)]
