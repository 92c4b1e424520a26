"""Fills a Postgres with the catalog of a large installation, for `tests.bench.scale`. Knows the tables, measures nothing.

Eight tenants of very different sizes take turns in time, as in life: rows of one lie among rows of all. A mark is one row whose
geometry and RLE are JSON (`app.catalog.tables.pictures.MarkRow`), some 600 bytes. Rows are written by INSERT ... SELECT as the
owner, with foreign keys unchecked while they are written; `strangers` counts the rows that would break them.
"""

import hashlib
import random
import string

import psycopg

from app.services.keys import ALL_SCOPES, PREFIX, checksum, key_hash

TENANTS = {"large": 60, "medium": 25, "small": 10, "tiny-1": 1, "tiny-2": 1, "tiny-3": 1, "tiny-4": 1, "tiny-5": 1}
"""Shares of the images, in percent."""
MARKS = [3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 16, 18, 20, 23, 26, 32, 40, 54, 80]
"""Marks of a set, in turns: 20 in the mean."""
LABELS = {"common": 3, "seldom": 1_009, "rare": 50_021}
"""A label is on every so-manieth image."""
CHUNK = 25_000

# uuidv7 takes its time from now: shifted into the past, ids are in the order of the years that the rows pretend to.
_IMAGES = """
    INSERT INTO images (id, tenant_id, created_at, sha256, media_type, width, height, bytes, labels, source, blob_key)
    SELECT uuidv7(made - clock_timestamp()), t.id, made, sha, 'image/jpeg', 640 + mod(n, 1281), 480 + mod(n, 601),
           40000 + mod(n * 7919, 400000),
           (SELECT coalesce(array_agg(label), '{}') FROM unnest(%(labels)s::text[], %(every)s::int[]) AS l (label, every)
            WHERE mod(n, every) = 0),
           'upload', t.id || '/images/' || sha
    FROM (SELECT n, timestamptz '2025-01-01 00:00+00' + n * interval '31 seconds' AS made,
                 encode(sha256(convert_to('image ' || n, 'UTF8')), 'hex') AS sha,
                 (%(owners)s::text[])[1 + mod(n * 37, 100)] AS owner
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n) AS numbered
    JOIN tenants t ON t.name = owner ORDER BY n
    RETURNING created_at
"""
_MARK_SETS = """
    INSERT INTO mark_sets (id, tenant_id, created_at, image_id, segmenter_name, segmenter_version, style, settings,
                           settings_sha256, omitted_regions, overlay_blob_key)
    SELECT uuidv7(created_at + interval '2 seconds' - clock_timestamp()), tenant_id, created_at + interval '2 seconds', id,
           'gui', '2', '{"name": "markwise", "kind": "numbers", "fill_alpha": 0.2, "font_px": 14}',
           '{"segmenter": "auto", "granularity": null, "style": "markwise", "regions": null, "accessibility_tree": null,
             "device_pixel_ratio": 1.0, "previous_mark_set_id": null, "max_marks": null}',
           sha256, 0, tenant_id || '/overlays/' || id || '/markwise.png'
    FROM images WHERE created_at BETWEEN %(from)s AND %(to)s ORDER BY created_at
"""
# Marks are copied from 4,000 shapes: building the JSON of each anew took four times as long.
_SHAPES = """
    CREATE TEMP TABLE shapes AS
    SELECT n AS place, jsonb_build_array(x, y, x + w, y + 24) AS bbox, jsonb_build_array(x + w / 2, y + 12.5) AS point,
           jsonb_build_array(x + 1, y + 1) AS label, jsonb_build_array(x + 1, y + 1, x + 15.5, y + 13.5) AS label_bbox,
           (w * 24)::int AS area_px,
           CASE WHEN mod(n, 3) > 0 THEN (%(words)s::text[])[1 + mod(n, 997)] || ' ' || (%(words)s::text[])[1 + mod(n * 7, 997)] END AS text,
           CASE WHEN mod(n, 3) > 0 THEN 'button' END AS role,
           jsonb_build_object('size', '[800, 1280]'::jsonb, 'counts', substr(%(ink)s, n + 1, 40 + mod(n * 13, 560))) AS rle
    FROM (SELECT n, 40.5 + 11 * mod(n, 100) AS x, 20.25 + 29 * mod(n, 25) AS y, 30.5 + 7 * mod(n, 31) AS w
          FROM generate_series(0, 3999) AS n) AS drawn
"""
_MARKS = """
    INSERT INTO marks (mark_set_id, mark, tenant_id, position, region_id, bbox_xyxy_px, point_xy_px, occluded, label_xy_px,
                       label_bbox_xyxy_px, area_px, score, text, role, rle)
    SELECT id, p + 1, tenant_id, p, p, bbox, point, false, label, label_bbox, area_px, 0.87, text, role, rle
    FROM (SELECT id, tenant_id, p, mod(number * 131 + p * 37, 4000) AS at
          FROM (SELECT id, tenant_id, number, (%(marks)s::int[])[mod(number, 20) + 1] AS count
                FROM (SELECT id, tenant_id, row_number() OVER (ORDER BY created_at) AS number
                      FROM mark_sets WHERE created_at BETWEEN %(from)s AND %(to)s + interval '2 seconds') AS numbered) AS sets,
               generate_series(0, count - 1) AS p) AS placed
    JOIN shapes ON place = at
"""
_STRANGERS = """
    SELECT (SELECT count(*) FROM mark_sets s LEFT JOIN images i ON (i.tenant_id, i.id) = (s.tenant_id, s.image_id) WHERE i.id IS NULL)
         + (SELECT count(*) FROM (SELECT DISTINCT mark_set_id, tenant_id FROM marks TABLESAMPLE SYSTEM (1)) m
            LEFT JOIN mark_sets s ON (s.tenant_id, s.id) = (m.tenant_id, m.mark_set_id) WHERE s.id IS NULL)
"""


def tenant_key(name: str) -> str:
    """The API key of a tenant: the same at every run, so that a kept folder can be measured again."""
    secret = hashlib.sha256(f"scale {name}".encode()).hexdigest()[:30]
    return f"{PREFIX}{secret}{checksum(secret)}"


def add_tenants(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Make the tenants and a key for each, where they are not there."""
    for name in TENANTS:
        connection.execute("INSERT INTO tenants (name) VALUES (%s) ON CONFLICT DO NOTHING", (name,))
        connection.execute(
            "INSERT INTO keys (tenant_id, name, prefix, key_sha256, scopes)"
            " SELECT id, 'bench', 'mw_live_', %s, %s FROM tenants WHERE name = %s ON CONFLICT DO NOTHING",
            (key_hash(tenant_key(name)), list(ALL_SCOPES), name),
        )


def fill(connection: "psycopg.Connection[tuple[object, ...]]", first: int, count: int) -> None:
    """Add images number `first` and following, each with its mark set and marks, in one transaction."""
    owners = [name for name, share in TENANTS.items() for _ in range(share)]
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        numbers = {"first": first, "last": first + count - 1, "owners": owners}
        made = connection.execute(
            _IMAGES, numbers | {"labels": list(LABELS), "every": list(LABELS.values())}
        ).fetchall()
        span = {"from": made[0][0], "to": made[-1][0]}
        connection.execute(_MARK_SETS, span)
        connection.execute(_MARKS, span | {"marks": MARKS})


def unburden(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Take the indexes that nothing is found by while filling off the empty tables, and marks out of the write-ahead log."""
    connection.execute("CREATE TABLE IF NOT EXISTS bench_indexes (name text, definition text)")
    named = "tablename IN ('images', 'mark_sets', 'marks') AND indexname LIKE 'ix%' AND indexname NOT LIKE '%created%'"
    connection.execute(f"INSERT INTO bench_indexes SELECT indexname, indexdef FROM pg_indexes WHERE {named}")
    for (name,) in connection.execute("SELECT name FROM bench_indexes").fetchall():
        connection.execute(f"DROP INDEX IF EXISTS {name}")
    connection.execute("ALTER TABLE marks SET UNLOGGED")


def burden(connection: "psycopg.Connection[tuple[object, ...]]", name: str, definition: str) -> None:
    """Make one of these indexes again."""
    connection.execute(definition)  # type: ignore[call-overload]  # as Postgres wrote it
    connection.execute("DELETE FROM bench_indexes WHERE name = %s", (name,))


def recount(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Count what is stored anew: no trigger saw these rows come."""
    connection.execute("TRUNCATE storage_use")
    connection.execute(
        "INSERT INTO storage_use (tenant_id, owner, images, bytes)"
        " SELECT tenant_id, tenant_id, count(*), sum(bytes) FROM images GROUP BY tenant_id"
    )


def prepare(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Draw the shapes that marks are copied from; they last as long as the connection."""
    chance = random.Random(0)
    words = ["".join(chance.choices(string.ascii_lowercase, k=chance.randint(3, 9))) for _ in range(997)]
    ink = "".join(chance.choices(string.ascii_letters + string.digits, k=5_000))
    connection.execute(_SHAPES, {"words": words, "ink": ink})
    connection.execute("ANALYZE shapes")


def strangers(connection: "psycopg.Connection[tuple[object, ...]]") -> int:
    """How many mark sets, and marks of a sample, have no parent of their own tenant: none, or the data are not what they pretend."""
    row = connection.execute(_STRANGERS).fetchone()
    return int(str(row[0])) if row else -1
