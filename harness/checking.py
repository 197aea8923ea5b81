"""Checks that every baked project passes, whatever the answers, before anything is formatted or fixed."""

import ast
import configparser
import functools
import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import yaml

from .baked import Project
from .sharing import Once, locked

BIN = Path(sys.executable).parent
AS_IT_CAME = "foundation/web/openapi/docs/swagger-ui"  # copied from its release, unchanged
HAS_BRACES = "tests/test_rows.py"  # sends them in a row's name


def _yaml(text: str) -> object:
    return list(yaml.safe_load_all(text))


PARSERS: dict[str, Callable[[str], object]] = {
    ".editorconfig": lambda text: configparser.ConfigParser().read_string("[root]\n" + text),
    ".json": json.loads,
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
}
VALIDATORS: dict[str, list[tuple[str, ...]]] = {
    ".github/dependabot.yml": [
        ("check-jsonschema", "--builtin-schema", "vendor.dependabot"),
        ("zizmor", "--offline", "--no-progress"),
    ],
    ".github/workflows/ci.yml": [
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
        ("zizmor", "--offline", "--no-progress"),
    ],
    ".gitlab-ci.yml": [("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci")],
    ".pre-commit-config.yaml": [("pre-commit", "validate-config")],
    "Dockerfile": [("hadolint",)],
    "Makefile": [("make", "--dry-run", "--warn-undefined-variables", "--file")],
    "compose.yaml": [("check-jsonschema", "--builtin-schema", "vendor.compose-spec")],
    "pyproject.toml": [("validate-pyproject",)],
    "renovate.json": [("check-jsonschema", "--builtin-schema", "vendor.renovate")],
}


def check_texts(project: Project) -> None:
    """Check that each file parses, ends in one newline, and has nothing of the template left in it."""
    for name, text in project.texts():
        if AS_IT_CAME not in name:
            _check_text(name, text)


@functools.cache
def _check_text(name: str, text: str) -> None:
    for mark in ("cookiecutter", "{%", "%}", "{#", *(["{{"] if name != HAS_BRACES else [])):
        assert mark not in text.replace("${{", ""), f"{mark} in {name}"  # ${{ is GitHub's
    assert not text or text.endswith("\n"), name
    assert not text.endswith("\n\n"), name
    assert "\n\n\n\n" not in text, name
    assert not [line for line in text.splitlines() if line != line.rstrip()], name
    path = Path(name)
    if parse := PARSERS.get(path.suffix or path.name):
        parse(text)


def check_by_validators(project: Project, once: Once) -> None:
    """Validate CI, image, deployment and metadata with their own validators, each distinct text once a session."""
    for name in VALIDATORS.keys() & project.files():
        for command in VALIDATORS[name]:
            once(f"{command} {project.read(name)}", functools.partial(validate, project, *command, name))


def validate(project: Project, program: str, *arguments: str) -> None:
    """Run the validator in the project's folder."""
    ours = BIN / program
    project.run(ours if ours.exists() else program, *arguments)


def check_python(project: Project, once: Once, python: Path) -> None:
    """Check format, lint and types, once a session for projects with the same Python files and rules."""
    described = tomllib.loads(project.read("pyproject.toml"))
    rules = [described["project"]["requires-python"], described["tool"]]
    sources = [(name, project.read(name)) for name in sorted(project.files()) if name.endswith(".py")]

    def check() -> None:
        project.run(python, "-m", "ruff", "format", "--diff")
        project.run(python, "-m", "ruff", "check")
        with locked(python.parent / "mypy.lock"):  # shares its cache of the dependencies, which take most of the time
            project.run(python, "-m", "mypy", MYPY_CACHE_DIR=str(python.parent.parent / "mypy"))

    once(f"{python} {rules} {sources}", check)
