"""Each combination of choices gives a project that is whole, valid and clean, as it is baked, and that works."""

import itertools
import math
import re
import shutil

import pytest

from .checking import check_by_validators, check_python, check_texts
from .choices import CHOICES, NAMES, Answers, cover, product
from .conftest import Bake, Figures, PythonFor
from .sharing import Once
from .suites import keep_what_a_suite_sees, key_of_suite, run_suite
from .test_bake import ALWAYS, OF_CI, OF_DEPLOY

PRODUCT = product(CHOICES)
COVER = cover(CHOICES)
LOWEST = CHOICES["python_version"][0]


def pairs(combinations: list[Answers]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(pair) for answers in combinations for pair in itertools.combinations(answers.items(), 2)}


def test_product_and_cover() -> None:
    assert len(PRODUCT) == math.prod(len(values) for values in CHOICES.values())
    assert pairs(COVER) == pairs(PRODUCT)


@pytest.fixture(scope="session")
def suites_by_make(bake: Bake, python_for: PythonFor) -> list[str]:
    """The keys of those that test_make_targets_as_a_user_types_them runs."""
    return [key_of_suite(bake(driver=driver), python_for(driver, LOWEST)) for driver in CHOICES["driver"]]


@pytest.mark.early
@pytest.mark.slow
@pytest.mark.parametrize("driver", CHOICES["driver"])
def test_make_targets_as_a_user_types_them(bake: Bake, python_for: PythonFor, driver: str) -> None:
    project = bake(driver=driver)
    python = python_for(driver, LOWEST)
    assert "make run" in project.run("make")
    project.run("make", "check", UV_PYTHON=str(python))
    assert re.search(r"= \d+ passed in ", project.run("make", "test", UV_PYTHON=str(python)))


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param(answers, id=" ".join(answers.values()), marks=pytest.mark.early if in_cover else pytest.mark.slow)
        for answers in PRODUCT
        for in_cover in [answers in COVER]
    ],
)
def test_combination(
    bake: Bake,
    once: Once,
    python_for: PythonFor,
    figures: Figures,
    request: pytest.FixtureRequest,
    answers: Answers,
) -> None:
    """Its suite runs, with other names, on the lowest Python that it is for; once for all that are the same to it."""
    project = bake(**answers)
    assert project.files() == ALWAYS | OF_CI[answers["ci"]] | OF_DEPLOY[answers["deploy"]]
    assert not [path for path in project.path.rglob("*") if path.is_dir() and not any(path.iterdir())]
    python = python_for(answers["driver"], answers["python_version"])
    check_texts(project)
    check_by_validators(project, once)
    check_python(project, once, python)
    if not request.config.getoption("quick"):
        key = key_of_suite(project, python)
        if key not in request.getfixturevalue("suites_by_make") and once.claims(key):
            names = other_names(answers)
            renamed = bake(**answers, **NAMES[names])
            keep_what_a_suite_sees(renamed)
            passed = run_suite(renamed, python, request.getfixturevalue("postgres"))
            figures.append(f"suite of {' '.join(answers.values())}, {names}: {passed}")
    shutil.rmtree(project.path)


def other_names(answers: Answers) -> str:
    """Each in turn: the default ones are in the suites that make runs."""
    return list(NAMES)[CHOICES["python_version"].index(answers["python_version"]) % len(NAMES)]
