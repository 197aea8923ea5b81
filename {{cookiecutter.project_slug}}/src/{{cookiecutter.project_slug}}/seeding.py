"""The tables and their first rows."""

from . import models
from .database import Database
from .models import {{ cookiecutter.model_name }}

# Any number, the same in every replica: pg_advisory_xact_lock lets them in one at a time.
LOCK = 20140501


def migrate(database: Database) -> None:
    """Create the tables that aren't there. Safe in several replicas at once."""
    with database.allow_sync(), database.atomic():
        # Two `CREATE TABLE IF NOT EXISTS` at the same time would fail in one of the two.
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        database.create_tables(models.MODELS)


def seed(database: Database) -> None:
    """Create the first rows where they aren't there. Safe in several replicas at once."""
    rows = [{"id": id_, "name": f"{{ cookiecutter.model_name }} id={id_}"} for id_ in (1, 2, 3)]
    with database.allow_sync():
        {{ cookiecutter.model_name }}.insert_many(rows).on_conflict_ignore().execute()
