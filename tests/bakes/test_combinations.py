"""Each combination of choices gives a project that is whole, valid and clean, as it is baked, and that works.

A file depends on the choices that it names. So it is enough to bake each combination of those, and each pair.
"""

import itertools
import math
import os
import shutil

import pytest

from harness.baked import Bake
from harness.checking import check_by_validators, check_python, check_texts
from harness.choices import CHOICES, NAMED, Answers, cover, files_of_template, named_together, questions
from harness.expected_files import ALWAYS, OF_CI, OF_DEPLOY
from harness.figures import Figures
from harness.pythons import PythonFor, interpreter_or_skip, skip_but_in_ci
from harness.sharing import Once
from harness.suites import passed, seen_by_suite, version_of, version_of_server

TOGETHER = named_together() | {frozenset(pair) for pair in itertools.combinations(CHOICES, 2)}
COMBINATIONS = cover(TOGETHER)
NEWEST = CHOICES["python_version"][-1]
OLDER_SERVERS = ["14", "15", "16", "17"]


def test_files_depend_on_what_they_name() -> None:
    """Nothing but `cookiecutter.` leads to an answer: no loop over the answers, and no name that is computed."""
    for file in files_of_template():
        names = NAMED.findall(file)
        assert len(names) == file.count("cookiecutter"), file
        assert {*names} <= questions().keys(), file


def test_combinations_cover_what_stands_together() -> None:
    assert {"driver", "license", "python_version"} in TOGETHER  # in pyproject.toml
    for prompts in TOGETHER:
        baked = {tuple(answers[prompt] for prompt in prompts) for answers in COMBINATIONS}
        assert len(baked) == math.prod(len(CHOICES[prompt]) for prompt in prompts)


@pytest.fixture(scope="session")
def seen_with(bake: Bake) -> dict[str, str]:
    """Return what the suite of a project of each driver depends on."""
    return {driver: seen_by_suite(bake(driver=driver)) for driver in CHOICES["driver"]}


@pytest.mark.early
@pytest.mark.slow
@pytest.mark.parametrize("driver", CHOICES["driver"])
def test_make_targets_as_a_user_types_them(bake: Bake, figures: Figures, driver: str) -> None:
    """Run them on the newest Python, with the newest of everything."""
    project = bake(driver=driver)
    python = interpreter_or_skip(NEWEST)
    assert "make run" in project.run("make")
    project.run("make", "check", UV_PYTHON=str(python))
    assert "uv.lock" in project.files()
    passing = passed(project.run("make", "test", UV_PYTHON=str(python), PYTHONOPTIMIZE="2"))
    figures.append(f"{driver}, make test: {passing} on {version_of(python)}, embedded PostgreSQL")


@pytest.mark.parametrize("answers", COMBINATIONS, ids=lambda answers: " ".join(answers.values()))
def test_combination(
    bake: Bake, once: Once, python_for: PythonFor, seen_with: dict[str, str], answers: Answers
) -> None:
    """Check the project. Its suite needs no run of its own: it sees no answer but the driver."""
    project = bake(**answers)
    assert project.files() == ALWAYS | OF_CI[answers["ci"]] | OF_DEPLOY[answers["deploy"]]
    assert not [path for path in project.path.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert seen_by_suite(project) == seen_with[answers["driver"]]
    check_texts(project)
    check_by_validators(project, once)
    check_python(project, once, python_for(answers["driver"], answers["python_version"]))
    shutil.rmtree(project.path)


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_ci_fails_where_a_python_is_missing(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"no Python 3\.99"):
        interpreter_or_skip("3.99")


@pytest.mark.parametrize("version", OLDER_SERVERS)
def test_a_server_of_this_version_is_given(version: str) -> None:
    url = os.environ.get(f"TEST_DATABASE_URL_{version}")
    if url is None:
        skip_but_in_ci(f"there is no TEST_DATABASE_URL_{version}: its suites run on the embedded PostgreSQL")
    assert version_of_server(url).startswith(f"{version}.")
