"""The example is replaced, as the README says, and `make check` and `make test` still pass.

The folders beside this file are services of one's own: `library` has two models, a foreign key and a UUID key; `bare`
has no model and no rows.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.baked import Bake, Project
from harness.choices import NAMES
from harness.figures import Figures
from harness.postgres import PostgresOf
from harness.pythons import PythonFor
from harness.suites import passed_on, run_suite

pytestmark = [pytest.mark.early, pytest.mark.slow]

PACKAGE = "src/name_service"
OF_ANY_SERVICE = {"__init__.py", "conftest.py", "test_service.py"}


def replace_by_library(project: Project, postgres: str) -> None:
    replace_by("library", project)
    setting = "# When the library is open.\nOPENING_HOURS=9 to 5\n"
    (project.path / ".env.example").write_text(project.read(".env.example") + setting)
    project.run("uv", "run", "python", "-m", "name_service", "migrate", "--new", "first", DATABASE_URL=postgres)


def replace_by_bare(project: Project, postgres: str) -> None:
    replace_by("bare", project)
    (project.path / PACKAGE / "seeding.py").unlink()
    (project.path / PACKAGE / "migrations").rmdir()  # as in a clone: git keeps no empty folder


def replace_by(name: str, project: Project) -> None:
    """Put this service in the place of the example, and its tests in the place of the example's."""
    for migration in (project.path / PACKAGE / "migrations").iterdir():
        migration.unlink()
    for test in (project.path / "tests").glob("*.py"):
        if test.name not in OF_ANY_SERVICE:
            test.unlink()
    mine = Path(__file__).parent / name
    shutil.copytree(mine / "src", project.path / PACKAGE, dirs_exist_ok=True)
    shutil.copytree(mine / "tests", project.path / "tests", dirs_exist_ok=True)


def rename_by_hand(project: Project, postgres: str) -> None:
    files = [*(project.path / PACKAGE).glob("*.py"), *(project.path / "tests").glob("*.py")]
    migration = project.path / PACKAGE / "migrations" / "0001_create_testnamemodel.sql"
    for file in (*files, migration):
        text = file.read_text("utf-8")
        file.write_text(text.replace("TestNameModel", "Person").replace("testnamemodel", "person"), "utf-8")
    migration.rename(migration.with_name("0001_create_person.sql"))
    project.run("make", "fix")


ALL = ""
OWN = "--ignore=tests/foundation"  # the foundation's run after `replace_by_bare` and after the tutorial


@pytest.mark.parametrize(
    ("replace", "driver", "version", "server", "names", "tests"),
    [
        (replace_by_library, "psycopg", "3.12", "15", "other names", OWN),
        (replace_by_bare, "aiopg", "3.13", "16", "longest names", ALL),
        (rename_by_hand, "psycopg", "3.14", "17", "longest names", OWN),
    ],
)
def test_checks_and_tests_still_pass(
    bake: Bake,
    python_for: PythonFor,
    postgres_of: PostgresOf,
    figures: Figures,
    replace: Callable[[Project, str], None],
    driver: str,
    version: str,
    server: str,
    names: str,
    tests: str,
) -> None:
    """Check and test the replaced project, and run before that the example's own tests, under other names."""
    python, postgres = python_for(driver, version), postgres_of(server)
    example = bake(driver=driver, **NAMES[names])
    its_own = sorted(str(test) for test in (example.path / "tests").glob("test_*.py"))
    figures.append(f"{driver}, the example, {names}: {run_suite(example, python, postgres, *its_own)}")
    project = bake(driver=driver)
    replace(project, postgres)
    project.run("make", "check", UV_PYTHON=str(python))
    printed = project.run("make", "test", UV_PYTHON=str(python), TEST_DATABASE_URL=postgres, PYTEST_ADDOPTS=tests)
    figures.append(f"{driver}, {replace.__name__}: {passed_on(printed, python, postgres)}")
