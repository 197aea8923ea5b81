"""The template's own files: test modules share code only through `harness/`, and the workflow is valid."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

from harness.baked import TEMPLATE, Project
from harness.checking import VALIDATORS, validate

WORKFLOW = ".github/workflows/ci.yml"


@pytest.mark.parametrize("folder", ["benchmarks", "harness"])
def test_nothing_else_imports_from_tests(folder: str) -> None:
    for module, names in imports(folder):
        assert not [name for name in names if name[0] == "tests"], module


def test_no_module_imports_from_a_test_module() -> None:
    """Allow no import from `conftest.py` either: pytest passes fixtures by name."""
    for module, names in imports("tests"):
        from_tests = [part for name in names if name[0] == "tests" for part in name]
        assert not [part for part in from_tests if part == "conftest" or part.startswith("test_")], module


@pytest.mark.parametrize("command", VALIDATORS[WORKFLOW])
def test_workflow_is_valid(command: tuple[str, ...]) -> None:
    validate(Project(TEMPLATE), *command, WORKFLOW)


def imports(folder: str) -> Iterator[tuple[Path, list[list[str]]]]:
    """Yield each module below the folder, with the parts of the absolute names that it imports."""
    modules = sorted((TEMPLATE / folder).rglob("*.py"))
    assert modules
    for module in modules:
        yield module, [name.split(".") for name in imported(module)]


def imported(module: Path) -> Iterator[str]:
    """Yield the absolute name of each module, or of what is imported from it."""
    package = ".".join(module.relative_to(TEMPLATE).parent.parts)
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{source}.{alias.name}" for alias in node.names)
