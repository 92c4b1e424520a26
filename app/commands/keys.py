"""`markwise keys`: make, list, limit and revoke API keys, straight in the catalog."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.catalog.audit import record
from app.catalog.keys import LOCAL_TENANT, KeyRepository
from app.catalog.session import app_engine, transaction
from app.catalog.storage_use import StorageUse, StorageUses
from app.cli import Failure
from app.commands.serve import settings_or_fail
from app.errors import NotFound
from app.services.keys import ALL_SCOPES, issue, limit
from app.stack.embedded import available

_ACTOR = "command line"


@contextmanager
def _tenant(name: str, *, make: bool = False) -> Iterator[Session]:
    with available(settings_or_fail()) as settings:
        engine = app_engine(settings, name="markwise-cli", pool_size=1)
        try:
            with transaction(engine, None) as session:
                if make:
                    KeyRepository(session).add_tenant(name)
                tenant_id = KeyRepository(session).tenant_id(name)
            with transaction(engine, tenant_id) as session:
                yield session
        except NotFound as exc:
            raise Failure(exc.detail) from None
        finally:
            engine.dispose()


tenant_option = click.option("--tenant", default=LOCAL_TENANT, show_default=True, help="Whose keys.")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


max_images_option = click.option("--max-images", help="How many images may be stored: 5000, 1M, none.")
max_bytes_option = click.option("--max-bytes", help="How much their copies may take: 500M, 20G, none.")


def _amount(typed: str) -> int | None:
    """Read a number, with K, M, G or T for thousands and so on; `none` is no limit."""
    if typed.lower() == "none":
        return None
    text = typed.upper().removesuffix("B")
    unit = text[-1:] if text[-1:] in _UNITS else ""
    if not text.removesuffix(unit).isdecimal():
        raise click.BadParameter(f"{typed} is no amount; give 5000, 20G or none.")
    return int(text.removesuffix(unit)) * _UNITS[unit]


def _limits(**typed: str | None) -> dict[str, int | None]:
    """Those of the limits that were typed."""
    return {name: _amount(text) for name, text in typed.items() if text is not None}


def _said(use: StorageUse) -> str:
    images = f"{use.images}/{'-' if use.max_images is None else use.max_images} images"
    return f"{images}, {use.bytes / 1e6:.1f}/{'-' if use.max_bytes is None else f'{use.max_bytes / 1e6:.1f}'} MB"


@click.group()
def keys() -> None:
    """Make, list, limit and revoke API keys."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(ALL_SCOPES),
    default=("mark", "ground", "jobs"),
    show_default=True,
)
@max_images_option
@max_bytes_option
@tenant_option
@click.option("--new-tenant", is_flag=True, help="Make the tenant where there is none of this name.")
def create(
    name: str, scopes: tuple[str, ...], max_images: str | None, max_bytes: str | None, tenant: str, new_tenant: bool
) -> None:
    r"""Make a key called NAME and print it, this once.

    \b
    markwise keys create shop --scope mark --scope ground
    """
    limits = _limits(max_images=max_images, max_bytes=max_bytes)
    with _tenant(tenant, make=new_tenant) as session:
        row, key = issue(session, name, list(scopes))
        limit(session, row.id, limits)
        detail = {"name": name, "scopes": list(scopes), **limits}
        record(session, "key.created", row.id, actor=_ACTOR, detail=detail)
    click.echo(key)


@keys.command("list")
@tenant_option
def list_(tenant: str) -> None:
    r"""List keys without their secrets, with what is stored through each; the last line is the tenant's sum.

    \b
    markwise keys list
    """
    with _tenant(tenant) as session:
        rows, uses = KeyRepository(session).list_after(limit=500, after=None).rows, StorageUses(session)
        use = uses.of_keys([row.id for row in rows])
        for row in rows:
            state = "revoked" if row.revoked_at else "live"
            click.echo(
                f"{row.id}  {row.prefix}…  {state:8}  {','.join(row.scopes):24}  {row.name}  ({_said(use[row.id])})"
            )
        click.echo(f"in all {_said(uses.of_tenant())}")


@keys.command("limit")
@click.argument("key_id", type=click.UUID, required=False)
@max_images_option
@max_bytes_option
@tenant_option
def limit_(key_id: UUID | None, max_images: str | None, max_bytes: str | None, tenant: str) -> None:
    r"""Say how much may be stored through the key KEY_ID, or without one by the whole tenant.

    What is stored already stays; over the limit nothing more is let in, until images are deleted.

    \b
    markwise keys limit --max-bytes 20G
    markwise keys limit 01a1fe9f-f8f6-7d14-8b82-94f7fb600000 --max-images 5000
    """
    limits = _limits(max_images=max_images, max_bytes=max_bytes)
    if not limits:
        raise click.UsageError("Give --max-images or --max-bytes.")
    with _tenant(tenant) as session:
        subject = tenant if key_id is None else KeyRepository(session).get(key_id).id
        use = limit(session, key_id, limits)
        record(session, "key.limited" if key_id else "tenant.limited", subject, actor=_ACTOR, detail=limits)
    click.echo(_said(use))


@keys.command()
@click.argument("key_id", type=click.UUID)
@tenant_option
def revoke(key_id: UUID, tenant: str) -> None:
    r"""Switch the key KEY_ID off for good.

    \b
    markwise keys revoke 01a1fe9f-f8f6-7d14-8b82-94f7fb600000
    """
    with _tenant(tenant) as session:
        row = KeyRepository(session).revoke(key_id)
        record(session, "key.revoked", key_id, actor=_ACTOR, detail={"name": row.name})
    click.echo("revoked")
