"""Who may call: keys are issued once, kept as hashes, checked on every request.

A key is `mw_live_` + 30 characters + a checksum, so that a mistyped one is refused without asking the database.
"""

import hashlib
import secrets
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.catalog.keys import LOCAL_TENANT, KeyRepository
from app.catalog.session import transaction
from app.catalog.tables import KeyRow
from app.errors import Unauthorised

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "mw_live_"
SECRET_LENGTH = 30
CHECK_LENGTH = 6
ALL_SCOPES = ("mark", "ground", "jobs", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose request this is and what it may do."""

    tenant_id: UUID
    key_id: UUID | None
    scopes: frozenset[str]


def new_key() -> str:
    """Return a fresh key (178 bits of chance)."""
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return PREFIX + secret + checksum(secret)


def checksum(secret: str) -> str:
    """The last characters of a key: CRC-32 of the secret in base 62."""
    value, digits = zlib.crc32(secret.encode()), ""
    for _ in range(CHECK_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def well_formed(key: str) -> bool:
    """Whether a key could be one of ours, judged by its checksum alone."""
    secret = key[len(PREFIX) : -CHECK_LENGTH]
    return (
        key.startswith(PREFIX)
        and len(key) == len(PREFIX) + SECRET_LENGTH + CHECK_LENGTH
        and key.isascii()
        and secrets.compare_digest(key[-CHECK_LENGTH:], checksum(secret))
    )


def key_hash(key: str) -> bytes:
    """What the catalog keeps of a key."""
    return hashlib.sha256(key.encode()).digest()


def issue(session: Session, name: str, scopes: list[str], expires_in_s: int | None = None) -> tuple[KeyRow, str]:
    """Make a key of the session's tenant; the secret is returned this once."""
    key = new_key()
    expires_at = None if expires_in_s is None else datetime.now(UTC) + timedelta(seconds=expires_in_s)
    row = KeyRow(
        name=name, prefix=key[: len(PREFIX) + 4], key_sha256=key_hash(key), scopes=scopes, expires_at=expires_at
    )
    return KeyRepository(session).add(row), key


def authenticate(
    engine: Engine, authorization: str | None, *, key_required: bool, placeholder_allowed: bool = False
) -> Caller:
    """Return the caller of a request; raises Unauthorised.

    Without a key the embedded stack's local tenant answers, unless keys are required. A key that is given must be good.
    With `placeholder_allowed` a made-up key that does not even look like one of ours counts as none.
    """
    if placeholder_allowed and not key_required and f" {PREFIX}" not in (authorization or ""):
        authorization = None
    if authorization is None:
        if key_required:
            raise Unauthorised("Send `Authorization: Bearer <key>`.")
        return local_caller(engine)
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not well_formed(key):
        raise Unauthorised("The key is not one of ours.")
    with transaction(engine, None) as session:
        row = KeyRepository(session).find_live(key_hash(key))
    if row is None:
        raise Unauthorised("The key is unknown, revoked or expired.")
    return Caller(tenant_id=row.tenant_id, key_id=row.id, scopes=frozenset(row.scopes))


def local_caller(engine: Engine) -> Caller:
    """The one tenant of the embedded stack, with every scope."""
    return Caller(tenant_id=_local_tenant(engine), key_id=None, scopes=frozenset(ALL_SCOPES))


@lru_cache(maxsize=8)
def _local_tenant(engine: Engine) -> UUID:
    """The id never changes in a database, and every request of the embedded stack asks for it."""
    with transaction(engine, None) as session:
        return KeyRepository(session).tenant_id(LOCAL_TENANT)
