"""Who may call: keys are issued once, kept as hashes, checked on every request.

A key is `mw_live_` + 30 characters + a checksum, so that a mistyped one is refused without asking the database.
"""

import hashlib
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.catalog.keys import LOCAL_TENANT, KeyRepository, find_live
from app.catalog.session import transaction
from app.catalog.storage_use import StorageUse, StorageUses
from app.catalog.tables import KeyRow
from app.errors import Unauthorised

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "mw_live_"
SECRET_LENGTH = 30
CHECK_LENGTH = 6
LIMITS = {"max_images", "max_bytes"}
"""What may be stored: the fields of `StorageUse` that people set."""
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


def limit(session: Session, key_id: UUID | None, changes: Mapping[str, int | None]) -> StorageUse:
    """Set some of `LIMITS` of a key, or without one of the session's tenant; returns what is stored, and all limits."""
    uses = StorageUses(session)
    before = uses.of_tenant() if key_id is None else uses.of_keys([key_id])[key_id]
    after = replace(
        before,
        max_images=changes.get("max_images", before.max_images),
        max_bytes=changes.get("max_bytes", before.max_bytes),
    )
    if after != before:
        uses.limit(key_id, max_images=after.max_images, max_bytes=after.max_bytes)
    return after


class Callers:
    """Finds out who calls; one per process."""

    def __init__(self, engine: Engine, *, key_required: bool) -> None:
        """Asks nothing yet."""
        self._engine, self._key_required = engine, key_required
        self._local: Caller | None = None

    def fingerprint(self, authorization: str | None, *, made_up_allowed: bool = False) -> bytes | None:
        """Return the hash of the key that was shown, None where none is needed; asks nobody. Raises Unauthorised."""
        key = self._key(authorization, made_up_allowed)
        return None if key is None else key_hash(key)

    def at_hand(self, authorization: str | None, *, made_up_allowed: bool = False) -> Caller | None:
        """Return the caller if that takes no question to the catalog; raises Unauthorised."""
        return self._local if self._key(authorization, made_up_allowed) is None else None

    def find(self, authorization: str | None, *, made_up_allowed: bool = False) -> Caller:
        """Return the caller of a request; raises Unauthorised.

        Without a key the embedded stack's local tenant answers, unless keys are required. A key that is given must be good.
        With `made_up_allowed` a made-up key that does not even look like one of ours counts as none.
        """
        key = self._key(authorization, made_up_allowed)
        if key is None:
            # The id never changes in a database, and every request of the embedded stack asks for it.
            self._local = self._local or local_caller(self._engine)
            return self._local
        found = find_live(self._engine, key_hash(key))
        if found is None:
            raise Unauthorised("The key is unknown, revoked or expired.")
        return Caller(tenant_id=found.tenant_id, key_id=found.id, scopes=found.scopes)

    def _key(self, authorization: str | None, made_up_allowed: bool) -> str | None:
        """Return the key that was shown, well formed; None where none is needed."""
        if made_up_allowed and not self._key_required and f" {PREFIX}" not in (authorization or ""):
            authorization = None
        if authorization is None:
            if self._key_required:
                raise Unauthorised("Send `Authorization: Bearer <key>`.")
            return None
        scheme, _, key = authorization.partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not well_formed(key):
            raise Unauthorised("The key is not one of ours.")
        return key


def local_caller(engine: Engine) -> Caller:
    """The one tenant of the embedded stack, with every scope."""
    with transaction(engine, None) as session:
        tenant_id = KeyRepository(session).tenant_id(LOCAL_TENANT)
    return Caller(tenant_id=tenant_id, key_id=None, scopes=frozenset(ALL_SCOPES))
