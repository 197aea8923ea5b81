"""The projects work: their own tests pass on a real PostgreSQL, and their own checks find nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Bake

OTHER_ANSWERS = {
    "project_name": "Zoë's «Café»",
    "project_slug": "a_cafe_1",
    "description": 'Says "hello" \\ in `one` sentence.',
    "author_name": "Zoë O'Neil",
    "author_email": "",
    "model_name": "X",
    "database_name": "_a-DB",
    "database_port": "1",
    "port": "65535",
    "driver": "psycopg",
    "license": "Proprietary",
    "python_version": "3.11",
    "ci": "none",
    "deploy": "none",
}
LONGEST_NAMES = {
    "project_slug": "a" * 40,
    "model_name": "A" * 40,
    "database_name": "A" * 63,
    "port": "1",
    "python_version": "3.13",
}

ANSWERS = {
    "aiopg": {"driver": "aiopg"},
    "psycopg": {"driver": "psycopg"},
    "other answers": OTHER_ANSWERS,
    "longest names": LONGEST_NAMES,
}


@pytest.mark.parametrize("answers", ANSWERS.values(), ids=ANSWERS.keys())
def test_suite_and_checks(
    bake: Bake, python_for: Callable[[str], Path], postgres: str, answers: dict[str, str]
) -> None:
    project = bake(**answers)
    python = python_for(answers.get("driver", "aiopg"))
    project.run(python, "-m", "ruff", "format", "--check")
    project.run(python, "-m", "ruff", "check")
    project.run(python, "-m", "mypy")
    printed = project.run(python, "-m", "pytest", TEST_DATABASE_URL=postgres, PYTHONPATH=str(project.path / "src"))
    assert re.search(r"= \d+ passed in ", printed)


@pytest.mark.parametrize("python_version", ["3.12", "3.13"])
@pytest.mark.parametrize("driver", ["aiopg", "psycopg"])
def test_checks_for_other_pythons(
    bake: Bake, python_for: Callable[[str], Path], driver: str, python_version: str
) -> None:
    project = bake(driver=driver, python_version=python_version)
    project.run(python_for(driver), "-m", "ruff", "format", "--check")
    project.run(python_for(driver), "-m", "ruff", "check")


@pytest.mark.parametrize("driver", ["aiopg", "psycopg"])
def test_make_targets_as_a_user_types_them(bake: Bake, driver: str) -> None:
    project = bake(driver=driver)
    assert "make run" in project.run("make")
    project.run("make", "check")
    assert re.search(r"= \d+ passed in ", project.run("make", "test"))
