"""Whoever follows the tutorial has a working service after every step."""

import pytest

from harness.baked import Bake
from harness.choices import CHOICES
from harness.following import follow, sections
from harness.pythons import PythonFor

pytestmark = [pytest.mark.early, pytest.mark.slow]


@pytest.mark.parametrize("driver", CHOICES["driver"])
def test_each_step_works(bake: Bake, python_for: PythonFor, postgres: str, driver: str) -> None:
    """The steps' own commands run their tests and checks, and at last all tests."""
    project = bake(driver=driver)
    environment = {"UV_PYTHON": str(python_for(driver)), "DATABASE_URL": postgres, "TEST_DATABASE_URL": postgres}
    for step in sections(project, "tutorial.md"):
        for commands in follow(project, step):
            project.run("bash", "-ec", commands, **environment)
