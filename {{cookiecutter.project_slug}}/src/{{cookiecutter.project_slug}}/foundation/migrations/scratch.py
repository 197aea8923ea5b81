"""Empty schemas to build tables in; all that is in them is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..database import Database
from .errors import MigrationError
from .execution import execute

SCHEMA = "difference_scratch"

# Schemas get other names, which locks no table, and the first of the search path is created anew, with its extensions.
# Types in the others are still found by the search path. A schema with an extension keeps its name.
EMPTY = """
DO $$
DECLARE
    here name := coalesce(current_schema(), 'public');
    path oid[] := ARRAY(SELECT CAST(quote_ident(s) AS regnamespace) FROM unnest(current_schemas(false)) s);
    found record;
BEGIN
    FOR found IN
        SELECT n.oid, nspname FROM pg_namespace n
        WHERE nspname !~ '^(pg_|information_schema$)' AND (nspname = here OR pg_has_role(nspowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extnamespace = n.oid))
    LOOP
        EXECUTE format('ALTER SCHEMA %I RENAME TO %I', found.nspname, 'difference_' || found.oid);
    END LOOP;
    EXECUTE format('CREATE SCHEMA %I', here);
    FOR found IN
        SELECT extname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
        WHERE nspname ~ '^difference_' AND extrelocatable AND pg_has_role(extowner, 'USAGE')
    LOOP
        EXECUTE format('ALTER EXTENSION %I SET SCHEMA %I', found.extname, here);
    END LOOP;
    PERFORM set_config(
        'search_path', array_to_string(quote_ident(here) || CAST(CAST(path AS regnamespace[]) AS text[]), ', '), true
    );
END $$;
"""


# Renaming a schema requires its owner, and CREATE on the database.
MISSING_ROLE = """
SELECT current_user, nspname, CAST(CAST(nspowner AS regrole) AS text) FROM pg_namespace
WHERE nspname = coalesce(current_schema(), 'public')
    AND NOT (pg_has_role(nspowner, 'USAGE') AND has_database_privilege(current_database(), 'CREATE'))
"""


@contextmanager
def empty_database(database: Database) -> Iterator[None]:
    """Work inside the block as in an empty database, and roll back. Raises MigrationError."""
    with database.allow_sync(), database.atomic() as transaction:
        try:
            if missing := database.execute_sql(MISSING_ROLE).fetchone():
                role, schema, owner = missing
                raise MigrationError(
                    f"the role {role} can't build the tables to compare: use the owner of the schema {schema}, "
                    f"{owner}, with CREATE on the database"
                )
            execute(database, "the database", EMPTY)
            yield
        finally:
            transaction.rollback()


@contextmanager
def empty_schema(database: Database) -> Iterator[None]:
    """Work inside the block in an empty schema, the first of the search path, and roll back to a savepoint.

    Unlike dropping the schema, that gives back its locks, of which a transaction can have some thousands.
    """
    with database.atomic() as savepoint:
        path = database.execute_sql("SELECT current_setting('search_path')").fetchone()[0]
        database.execute_sql(f"CREATE SCHEMA {SCHEMA}")
        database.execute_sql(f"SET LOCAL search_path TO {SCHEMA}, {path}")
        yield
        savepoint.rollback()
