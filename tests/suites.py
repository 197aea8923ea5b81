"""A project's own suite: what it sees of the project, and a run of it."""

import re
import tomllib
from pathlib import Path

from .baked import Project


def keep_what_a_suite_sees(project: Project) -> None:
    """Remove the other files, so that none of them can matter."""
    for name in project.files():
        if not _is_seen(name):
            (project.path / name).unlink()


def key_of_suite(project: Project, python: Path) -> str:
    """All that can matter to it: where two projects have the same, one run tells of both.

    Of pyproject.toml, what only a package that is built tells of can't: licence, author, description.
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
    """How many tests passed, which all have to, in which time, and on which Python."""
    printed = project.run(python, "-m", "pytest", TEST_DATABASE_URL=postgres, PYTHONPATH=str(project.path / "src"))
    passed = re.search(r"= (\d+ passed in .*?) =", printed)
    version = re.search(r"Python 3\.\S+", printed)
    assert passed is not None, printed
    assert version is not None, printed
    return f"{passed[1]} on {version[0].removesuffix(',')}"
