"""What holds for each file of a project, whatever was answered, as it was baked: nothing is mended first."""

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
AS_IT_CAME = "openapi/docs/swagger-ui"  # none of ours
HAS_BRACES = "tests/test_rows.py"  # a name that a client sends


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
    ".github/workflows/ci.yml": [
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
        ("zizmor", "--offline", "--no-progress"),
    ],
    ".gitlab-ci.yml": [("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci")],
    "Dockerfile": [("hadolint",)],
    "Makefile": [("make", "--dry-run", "--warn-undefined-variables", "--file")],
    "compose.yaml": [("check-jsonschema", "--builtin-schema", "vendor.compose-spec")],
    "kubernetes.yaml": [("kubernetes-validate", "--strict")],
    "pyproject.toml": [("validate-pyproject",)],
}


def check_texts(project: Project) -> None:
    """Each file is of its format, and nothing in it is the template's."""
    for name, text in project.texts():
        if AS_IT_CAME not in name:
            _check_text(name, text)


@functools.cache
def _check_text(name: str, text: str) -> None:
    for mark in ("cookiecutter", "{%", "%}", "{#", *(["{{"] if name != HAS_BRACES else [])):
        assert mark not in text, f"{mark} in {name}"
    assert not text or text.endswith("\n"), name
    assert not text.endswith("\n\n"), name
    assert "\n\n\n\n" not in text, name
    assert not [line for line in text.splitlines() if line != line.rstrip()], name
    path = Path(name)
    if parse := PARSERS.get(path.suffix or path.name):
        parse(text)


def check_by_validators(project: Project, once: Once) -> None:
    """CI, image, deployment and metadata are valid by their own validators: each text of theirs once in a run."""
    for name in VALIDATORS.keys() & project.files():
        for command in VALIDATORS[name]:
            once(f"{command} {project.read(name)}", functools.partial(_validate, project, *command, name))


def _validate(project: Project, program: str, *arguments: str) -> None:
    ours = BIN / program
    project.run(ours if ours.exists() else program, *arguments)


def check_python(project: Project, once: Once, python: Path) -> None:
    """Formatted, linted and typed: each set of Python files, with what they are checked by, once in a run."""
    described = tomllib.loads(project.read("pyproject.toml"))
    rules = [described["project"]["requires-python"], described["tool"]]
    sources = [(name, project.read(name)) for name in sorted(project.files()) if name.endswith(".py")]

    def check() -> None:
        project.run(python, "-m", "ruff", "format", "--diff")
        project.run(python, "-m", "ruff", "check")
        with locked(python.parent / "mypy.lock"):  # what it knows of the dependencies takes most of its time
            project.run(python, "-m", "mypy", MYPY_CACHE_DIR=str(python.parent.parent / "mypy"))

    once(f"{python} {rules} {sources}", check)
