"""The test suite of a baked project: which files it depends on, and a run of it."""

import re
import tomllib
from pathlib import Path

from .baked import Project


def keep_what_a_suite_sees(project: Project) -> None:
    """Remove the files that the suite must not depend on, so that it fails if it does."""
    for name in project.files():
        if not _is_seen(name):
            (project.path / name).unlink()


def key_of_suite(project: Project, python: Path) -> str:
    """Return a key of everything the suite depends on: one run covers all projects with the same key.

    It leaves out of pyproject.toml what only a built package shows: licence, author, description.
    """
    described = tomllib.loads(project.read("pyproject.toml"))
    for of_the_package in ("authors", "description", "license", "license-files", "readme"):
        described["project"].pop(of_the_package, None)
    texts = [
        (name, project.read(name)) for name in sorted(project.files()) if _is_seen(name) and name != "pyproject.toml"
    ]
    return f"suite {python} {described} {texts}"


def _is_seen(name: str) -> bool:
    return name.startswith(("src/", "tests/")) or name in (".env.example", "pyproject.toml")


def run_suite(project: Project, python: Path, postgres: str) -> str:
    """Run the suite, which has to pass, and return how many tests passed, in which time, on which Python.

    It runs in several processes, as `make test` does; in fewer, because several suites run at the same time.
    """
    command = (python, "-m", "pytest", "--numprocesses", "3", "--dist", "worksteal")
    printed = project.run(*command, TEST_DATABASE_URL=postgres, PYTHONPATH=str(project.path / "src"))
    passed = re.search(r"= (\d+ passed in .*?) =", printed)
    version = re.search(r"Python 3\.\S+", printed)
    assert passed is not None, printed
    assert version is not None, printed
    return f"{passed[1]} on {version[0].removesuffix(',')}"
