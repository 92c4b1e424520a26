"""Whether a worker of this machine reports to the catalog: `python -m workers.alive`, exit 0 or a sentence. For containers' health checks.

A worker that hangs stops reporting, one that lost the catalog cannot. Knows nothing of which work is done.
"""

import socket
import sys

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.session import app_engine, transaction
from app.catalog.tables import WorkerProcessRow
from app.catalog.worker_processes import WORKER_SILENT_S, reporting
from app.settings import Settings


def main() -> None:
    """Look once."""
    engine = app_engine(Settings(), name="markwise-alive", pool_size=1)
    ours = WorkerProcessRow.name.startswith(f"{socket.gethostname()}:", autoescape=True)
    try:
        with transaction(engine, None) as session:
            seen = session.scalar(select(func.count()).select_from(WorkerProcessRow).where(reporting(), ours))
    except SQLAlchemyError as error:
        sys.exit(f"the catalog does not answer: {type(error).__name__}")
    finally:
        engine.dispose()
    if not seen:
        sys.exit(f"no worker of {socket.gethostname()} has reported for {WORKER_SILENT_S} s")


if __name__ == "__main__":
    main()
