"""Statements that travel together: one round trip on libpq's pipeline, one transaction of Postgres, each statement parsed once.

Called by `session.at_once` only. psycopg's own pipeline and cursors take three to four times the CPU time for the same bytes; how it
writes and reads values, and its errors, are used as they are. Knows no table.
"""

import hashlib
import select
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import InvalidSqlStatementName, OperationalError, error_from_result

from app.turns import waiting

Sent = tuple[str, Sequence[Any]]
"""A statement with `$1`, `$2` ... and its values."""
_Connection = psycopg.Connection[Any]
_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED)


def one_trip(connection: _Connection, prepared: set[str], sent: Sequence[Sent]) -> list[list[tuple[Any, ...]]]:
    """Run `sent` in one transaction and return the rows of each; it is committed, or nothing of it happened.

    `prepared` belongs to the connection: the statements that it knows by name. Raises psycopg's errors.
    """
    try:
        return _tried(connection, prepared, sent)
    except InvalidSqlStatementName:
        # After a rollback of its own psycopg has every statement forgotten, ours as well. Nothing of the first try happened.
        prepared.clear()
        return _tried(connection, prepared, sent)


def _tried(connection: _Connection, prepared: set[str], sent: Sequence[Sent]) -> list[list[tuple[Any, ...]]]:
    transformer = Transformer(connection)
    written = [(text, transformer.dump_sequence(given, [PyFormat.TEXT] * len(given))) for text, given in sent]
    pgconn, made = connection.pgconn, list[str | None]()
    pgconn.enter_pipeline_mode()
    try:
        for text, values in written:
            name = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().encode()
            if text not in prepared and text not in made:
                pgconn.send_prepare(name, text.encode())
                made.append(text)
            pgconn.send_query_prepared(name, values)
            made.append(None)
        pgconn.pipeline_sync()
        results = list(_answered(pgconn))
        pgconn.exit_pipeline_mode()
    except BaseException:
        pgconn.finish()  # an answer that is still under way would be taken for the next statement's
        raise
    rows: list[list[tuple[Any, ...]]] = []
    for new, result in zip(made, results, strict=True):
        if result.status in _FAILED:
            raise error_from_result(result)
        if new is not None:
            prepared.add(new)
            continue
        transformer.set_pgresult(result)
        rows.append(transformer.load_rows(0, result.ntuples, tuple))
    return rows


def _answered(pgconn: pq.abc.PGconn) -> Iterator[pq.abc.PGresult]:
    """Yield the result of everything that was sent; raises OperationalError when the connection ends before."""
    ready = select.poll()
    ready.register(pgconn.socket, select.POLLIN)
    # More than the socket holds: Postgres may have to be read before it reads on.
    while pgconn.flush():
        ready.modify(pgconn.socket, select.POLLIN | select.POLLOUT)
        if any(event & select.POLLIN for _, event in ready.poll()):
            pgconn.consume_input()
    ready.modify(pgconn.socket, select.POLLIN)
    while True:
        while pgconn.is_busy():
            with waiting():
                ready.poll()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:  # the end of one statement
            if pgconn.status == pq.ConnStatus.BAD:
                raise OperationalError("the connection to Postgres was closed")
        elif result.status == pq.ExecStatus.PIPELINE_SYNC:
            return
        else:
            yield result
