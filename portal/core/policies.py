"""The wall in PostgreSQL: roles, row-level security and composite keys, as operations for migrations."""

from __future__ import annotations

from django.db.migrations.operations import RunSQL

APP = "portal_app"
OWNER = "portal_owner"
PLATFORM = "portal_platform"

# The missing setting reads as NULL or, after a transaction that had set it, as the empty string: both match no row.
_SCOPE = "organisation_id = nullif(current_setting('portal.organisation', true), '')::bigint"


def ground() -> RunSQL:
    """Give `portal_app` rows but never structure, on every table that this owner will create.

    TRUNCATE is left out: it ignores row-level security.
    """
    return RunSQL(
        sql=[
            f"GRANT USAGE ON SCHEMA public TO {APP}, {PLATFORM}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {APP}",
            f"GRANT SELECT ON django_migrations TO {APP}",
        ],
        reverse_sql=[
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {APP}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM {APP}",
        ],
    )


def tenant_table(table: str, *, platform: str = "") -> RunSQL:
    """Put a partner's table behind the wall.

    `platform` is what the programme may read of it: "*" or a list of columns; by default nothing.
    """
    columns = "" if platform == "*" else f" ({platform})"
    grant = [f"GRANT SELECT{columns} ON {table} TO {PLATFORM}"] if platform else []
    return RunSQL(
        sql=[
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {table} FOR ALL TO {APP} USING ({_SCOPE})",
            f"CREATE POLICY migrator ON {table} FOR ALL TO {OWNER} USING (true) WITH CHECK (true)",
            f"CREATE POLICY platform ON {table} FOR SELECT TO {PLATFORM} USING (true)",
            *grant,
        ],
        reverse_sql=[
            f"DROP POLICY platform ON {table}",
            f"DROP POLICY migrator ON {table}",
            f"DROP POLICY tenant ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ],
    )


def platform_reads(table: str) -> RunSQL:
    """Let the programme's role read a table that belongs to no single organisation."""
    return RunSQL(
        sql=f"GRANT SELECT ON {table} TO {PLATFORM}",
        reverse_sql=f"REVOKE SELECT ON {table} FROM {PLATFORM}",  # noqa: S608  Not a query: a grant.
    )


def platform_reads_columns(table: str, columns: str) -> RunSQL:
    """Let the programme's role read more columns of a partner's table."""
    return RunSQL(
        sql=f"GRANT SELECT ({columns}) ON {table} TO {PLATFORM}",
        reverse_sql=f"REVOKE SELECT ({columns}) ON {table} FROM {PLATFORM}",  # noqa: S608  Not a query: a grant.
    )


def append_only(table: str) -> RunSQL:
    """Take from the application the right to change what was recorded."""
    return RunSQL(
        sql=f"REVOKE UPDATE, DELETE ON {table} FROM {APP}",
        reverse_sql=f"GRANT UPDATE, DELETE ON {table} TO {APP}",
    )


def composite_key(table: str) -> RunSQL:
    """Make (organisation, id) a key that other tenant tables can point at."""
    name = f"{table}_scoped"
    return RunSQL(
        sql=f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE (organisation_id, id)",
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def composite_foreign_key(table: str, column: str, target: str, *, on_delete: str = "NO ACTION") -> RunSQL:
    """Tie a row to a row of the same organisation.

    Row-level security does not check foreign keys: with a plain one, a row could point at another organisation's.
    """
    name = f"{table}_{column}_scoped"
    return RunSQL(
        sql=(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (organisation_id, {column})"
            f" REFERENCES {target} (organisation_id, id) ON DELETE {on_delete}"
        ),
        reverse_sql=f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )
