"""Each combination of choices gives a project that is whole, valid and clean, as it is baked, and that works."""

import itertools
import math
import shutil

import pytest

from .checking import check_by_validators, check_python, check_texts
from .choices import CHOICES, Answers, cover, product
from .conftest import Bake, Figures, PythonFor
from .sharing import Once
from .suites import keep_what_a_suite_sees, run_suite, seen_by_suite
from .test_bake import ALWAYS, OF_CI, OF_DEPLOY

PRODUCT = product(CHOICES)
COVER = cover(CHOICES)


def pairs(combinations: list[Answers]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(pair) for answers in combinations for pair in itertools.combinations(answers.items(), 2)}


def test_product_and_cover() -> None:
    assert len(PRODUCT) == math.prod(len(values) for values in CHOICES.values())
    assert pairs(COVER) == pairs(PRODUCT)


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
    """Its suite runs on the lowest Python that it is for, unless that of a project which is the same to it did."""
    project = bake(**answers)
    assert project.files() == ALWAYS | OF_CI[answers["ci"]] | OF_DEPLOY[answers["deploy"]]
    assert not [path for path in project.path.rglob("*") if path.is_dir() and not any(path.iterdir())]
    python = python_for(answers["driver"], answers["python_version"])
    check_texts(project)
    check_by_validators(project, once)
    check_python(project, once, python)
    if not request.config.getoption("quick"):
        keep_what_a_suite_sees(project)
        if once.claims(f"suite {python} {seen_by_suite(project)}"):
            postgres = request.getfixturevalue("postgres")
            figures.append(f"suite of {' '.join(answers.values())}: {run_suite(project, python, postgres)}")
    shutil.rmtree(project.path)
