"""The first rows."""

from .foundation.database import Database
from .models import {{ cookiecutter.model_name }}


def seed(database: Database) -> None:
    """Create the first rows where they are missing. Safe in several replicas at once."""
    rows = [{"id": id_, "name": f"{{ cookiecutter.model_name }} id={id_}"} for id_ in (1, 2, 3)]
    with database.allow_sync():
        {{ cookiecutter.model_name }}.insert_many(rows).on_conflict_ignore().execute()
