"""Each combination of choices gives a project that is whole, valid and clean, as it is baked, and that works."""

import itertools
import math
import re
import shutil

import pytest

from harness.baked import Bake
from harness.checking import check_by_validators, check_python, check_texts
from harness.choices import CHOICES, NAMES, Answers, cover, product
from harness.expected_files import ALWAYS, OF_CI, OF_DEPLOY
from harness.figures import Figures
from harness.pythons import PythonFor, interpreter
from harness.sharing import Once
from harness.suites import keep_what_a_suite_sees, key_of_suite, run_suite

PRODUCT = product(CHOICES)
COVER = cover(CHOICES)
LOWEST = CHOICES["python_version"][0]


def pairs(combinations: list[Answers]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(pair) for answers in combinations for pair in itertools.combinations(answers.items(), 2)}


def test_product_and_cover() -> None:
    assert len(PRODUCT) == math.prod(len(values) for values in CHOICES.values())
    assert pairs(COVER) == pairs(PRODUCT)


@pytest.fixture(scope="session")
def suites_by_make(bake: Bake, python_for: PythonFor, request: pytest.FixtureRequest) -> list[str]:
    """Return the keys of the suites that test_make_targets_as_a_user_types_them runs in this session."""
    if interpreter(LOWEST) is None:  # make's tests are skipped then; python_for would skip the others too
        return []
    selected = [item for item in request.session.items if isinstance(item, pytest.Function)]
    drivers = [
        item.callspec.params["driver"] for item in selected if item.function is test_make_targets_as_a_user_types_them
    ]
    return [key_of_suite(bake(driver=driver), python_for(driver, LOWEST)) for driver in drivers]


@pytest.mark.early
@pytest.mark.slow
@pytest.mark.parametrize("driver", CHOICES["driver"])
def test_make_targets_as_a_user_types_them(bake: Bake, python_for: PythonFor, driver: str) -> None:
    project = bake(driver=driver)
    python = python_for(driver, LOWEST)
    assert "make run" in project.run("make")
    project.run("make", "check", UV_PYTHON=str(python))
    assert "uv.lock" in project.files()
    assert re.search(r"= \d+ passed in ", project.run("make", "test", UV_PYTHON=str(python), PYTHONOPTIMIZE="2"))


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
    """Check the project, and run its suite on its lowest Python under other names, once for all with the same suite."""
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
    """Spread the other names over the suites that make doesn't run: those of all but the lowest Python."""
    numbers = [CHOICES[prompt].index(answers[prompt]) for prompt in ("python_version", "driver")]
    return list(NAMES)[sum(numbers) % len(NAMES)]
