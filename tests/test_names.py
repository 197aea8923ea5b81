"""The projects work however things are named."""

import pytest

from .checking import check_python
from .choices import Answers
from .conftest import Bake, Figures, PythonFor
from .sharing import Once
from .suites import run_suite

NAMES: dict[str, Answers] = {
    "other names": {
        "project_name": "Zoë's «Café»",
        "project_slug": "a_cafe_1",
        "description": 'Says "hello" \\ in `one` sentence.',
        "author_name": "Zoë O'Neil",
        "author_email": "",
        "model_name": "X",
        "database_name": "_a-DB",
        "database_port": "1",
        "port": "65535",
    },
    "longest names": {
        "project_slug": "a" * 40,
        "model_name": "A" * 40,
        "database_name": "A" * 63,
        "port": "1",
    },
}


@pytest.mark.early
@pytest.mark.slow
@pytest.mark.parametrize(("driver", "names"), [("psycopg", "other names"), ("aiopg", "longest names")])
def test_suite_whatever_the_names(
    bake: Bake, python_for: PythonFor, postgres: str, figures: Figures, driver: str, names: str
) -> None:
    project = bake(driver=driver, **NAMES[names])
    figures.append(f"suite of {driver}, {names}: {run_suite(project, python_for(driver), postgres)}")


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("driver", ["aiopg", "psycopg"])
def test_formatted_and_typed_whatever_the_names(
    bake: Bake, once: Once, python_for: PythonFor, driver: str, names: str
) -> None:
    check_python(bake(driver=driver, **NAMES[names]), once, python_for(driver))
