"""Find images by words of their texts, answers and marks, with indexes that row-level security leaves usable. Revision 0013.

An index on `@@` or `@>` is not used below a policy: Postgres asks for a leakproof operator there. So a role of its own, which
nobody can log in with and the API takes on for one statement (`app.catalog.gallery`), sees what is searched, of every tenant;
the pictures it finds are then read as ever, as one tenant. The previous release knows nothing of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

APP = "markwise_app"
SEARCH = "markwise_search"
# A longer text is found by none of its words: beyond 1 MB of lexemes Postgres would refuse to store the row.
LONGEST_BYTES = 250_000
FUNCTIONS = {
    "words_of_text(conversations jsonb)": (
        "jsonb_path_query_array(conversations, '$[*].value')",
        "octet_length(conversations::text)",
    ),
    "words_of_answer(query text, body jsonb)": (
        "query || ' ' || coalesce(body ->> 'text', '')",
        "octet_length(query) + octet_length(coalesce(body ->> 'text', ''))",
    ),
    "words_of_mark(shown text)": ("shown", "octet_length(shown)"),
}
COLUMNS = {
    "images": "id, tenant_id, created_at, labels",
    "texts": "tenant_id, image_id, conversations",
    "answers": "tenant_id, image_id, query, body",
    "mark_sets": "id, tenant_id, image_id",
    "marks": "tenant_id, mark_set_id, text",
}


def upgrade() -> None:
    op.execute(
        f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{SEARCH}') THEN
                CREATE ROLE {SEARCH} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- made at this very moment by another database
        END $$
        """
    )
    op.execute(
        f"""
        DO $$ BEGIN
            GRANT {SEARCH} TO {APP} WITH INHERIT FALSE, SET TRUE;
        EXCEPTION WHEN unique_violation OR internal_error THEN NULL; -- likewise
        END $$
        """
    )
    op.execute(f"GRANT USAGE ON SCHEMA public TO {SEARCH}")
    for table, columns in COLUMNS.items():
        op.execute(f"GRANT SELECT ({columns}) ON {table} TO {SEARCH}")
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO {SEARCH} USING (true)")
    for function, (words, size) in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {function} RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN"
            f" CASE WHEN {size} <= {LONGEST_BYTES} THEN to_tsvector('pg_catalog.simple'::regconfig, {words}) END"
        )
    op.create_index("ix_texts_words", "texts", [sa.text("words_of_text(conversations)")], postgresql_using="gin")
    op.create_index("ix_answers_words", "answers", [sa.text("words_of_answer(query, body)")], postgresql_using="gin")
    op.create_index(
        "ix_marks_words",
        "marks",
        [sa.text("words_of_mark(text)")],
        postgresql_using="gin",
        postgresql_where=sa.text("text IS NOT NULL"),
    )


def downgrade() -> None:
    """Take it back. The role stays: other databases of the server may use it."""
    for table in ("texts", "answers", "marks"):
        op.drop_index(f"ix_{table}_words", table)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for table in COLUMNS:
        op.execute(f"DROP POLICY search ON {table}")
        op.execute(f"REVOKE ALL ON {table} FROM {SEARCH}")
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {SEARCH}")
