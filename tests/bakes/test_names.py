"""The projects are clean however things are named. Their suites under other names: see `test_combinations.py`."""

import pytest

from harness.baked import Bake
from harness.checking import check_python
from harness.choices import CHOICES, NAMES
from harness.pythons import PythonFor
from harness.sharing import Once


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("driver", CHOICES["driver"])
def test_formatted_and_typed_whatever_the_names(
    bake: Bake, once: Once, python_for: PythonFor, driver: str, names: str
) -> None:
    check_python(bake(driver=driver, **NAMES[names]), once, python_for(driver))
