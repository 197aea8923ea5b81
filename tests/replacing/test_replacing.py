"""The example is replaced, as the README says, and `make check` and `make test` still pass.

The folders beside this file are services of one's own: `library` has two models, a foreign key and a UUID key; `bare`
has no model and no rows.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.baked import Bake, Project
from harness.choices import CHOICES
from harness.figures import Figures
from harness.pythons import PythonFor

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


@pytest.mark.parametrize("driver", CHOICES["driver"])
@pytest.mark.parametrize("replace", [replace_by_library, replace_by_bare, rename_by_hand])
def test_checks_and_tests_still_pass(
    bake: Bake,
    python_for: PythonFor,
    postgres: str,
    figures: Figures,
    driver: str,
    replace: Callable[[Project, str], None],
) -> None:
    project = bake(driver=driver)
    replace(project, postgres)
    python = str(python_for(driver))
    project.run("make", "check", UV_PYTHON=python)
    passed = re.search(
        r"= (\d+ passed in .*?) =", project.run("make", "test", UV_PYTHON=python, TEST_DATABASE_URL=postgres)
    )
    assert passed is not None
    figures.append(f"{driver}, {replace.__name__}: {passed[1]}")
