"""The projects are clean however things are named. Their suites under other names: see `test_dependencies.py`."""

import pytest

from harness.baked import Bake
from harness.checking import check_python
from harness.choices import CHOICES, NAMES
from harness.pythons import PythonFor
from harness.sharing import Once
from harness.suites import passed

CLASS_OF_TESTS = """
from name_service.models import TestNameModel

class TestNames:
    def test_name(self):
        assert TestNameModel(name="Ada").name == "Ada"
"""


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("driver", CHOICES["driver"])
def test_formatted_and_typed_whatever_the_names(
    bake: Bake, once: Once, python_for: PythonFor, driver: str, names: str
) -> None:
    check_python(bake(driver=driver, **NAMES[names]), once, python_for(driver))


def test_class_of_tests_runs_beside_a_model_that_is_called_like_one(bake: Bake, python_for: PythonFor) -> None:
    project = bake(model_name="TestNameModel")
    (project.path / "tests" / "test_names.py").write_text(CLASS_OF_TESTS)
    printed = project.run(python_for("aiopg"), "-m", "pytest", "tests/test_names.py", PYTHONPATH="src")
    assert passed(printed).startswith("1 passed")
