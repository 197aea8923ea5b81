"""The test suite of a baked project: which files it depends on, and a run of it."""

import re
import subprocess
import tomllib
from pathlib import Path

import psycopg

from .baked import Project


def keep_what_a_suite_sees(project: Project) -> None:
    """Remove the files that the suite must not depend on, so that it fails if it does."""
    for name in project.files():
        if not _is_seen(name):
            (project.path / name).unlink()


def seen_by_suite(project: Project) -> str:
    """Return everything the suite depends on but the Python: one run covers all projects in which it is the same.

    It leaves out of pyproject.toml what only a built package shows: licence, author, description.
    """
    described = tomllib.loads(project.read("pyproject.toml"))
    for of_the_package in ("authors", "description", "license", "license-files", "readme", "requires-python"):
        described["project"].pop(of_the_package, None)
    texts = [
        (name, project.read(name)) for name in sorted(project.files()) if _is_seen(name) and name != "pyproject.toml"
    ]
    return f"{described} {texts}"


def _is_seen(name: str) -> bool:
    return name.startswith(("src/", "tests/")) or name in (".env.example", "pyproject.toml")


def run_suite(project: Project, python: Path, postgres: str, *tests: str) -> str:
    """Run the suite, or some of its tests, which have to pass. Return how many passed, in which time, and on what.

    It runs in several processes, as `make test` does; in fewer, because several suites run at the same time.
    """
    command = ("-m", "pytest", "--numprocesses", "2", "--dist", "worksteal", *tests)
    printed = project.run(python, *command, TEST_DATABASE_URL=postgres, PYTHONPATH=str(project.path / "src"))
    return passed_on(printed, python, postgres)


def passed_on(printed: str, python: Path, postgres: str) -> str:
    """Return how many tests passed, in which time, and on what."""
    return f"{passed(printed)} on {version_of(python)}, PostgreSQL {version_of_server(postgres)}"


def passed(printed: str) -> str:
    """Return how many tests passed, and in which time, out of what pytest printed."""
    found = re.search(r"= (\d+ passed in .*?) =", printed)
    assert found is not None, printed
    return found[1]


def version_of(python: Path) -> str:
    return subprocess.run([python, "--version"], check=True, capture_output=True, text=True).stdout.strip()


def version_of_server(url: str) -> str:
    with psycopg.connect(url) as connection:
        return connection.info.parameter_status("server_version") or ""
