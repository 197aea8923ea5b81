"""The foundation imports nothing of the service, and a service needs only its public names."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from {{ cookiecutter.project_slug }} import foundation

FOUNDATION = Path(foundation.__file__).parent
PACKAGE = FOUNDATION.parent
EXAMPLE = Path(__file__).with_name("example.py")
SURFACE = ("command_line", "database", "migrations", "settings", "web")


def imports(file: Path) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield the absolute path of each imported module, and the names imported from it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((tuple(alias.name.split(".")), []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = file.relative_to(PACKAGE.parent).parts[: -node.level] if node.level else ()
            module = node.module.split(".") if node.module else []
            yield (*above, *module), [alias.name for alias in node.names]


def test_foundation_imports_nothing_above_itself() -> None:
    for file in FOUNDATION.rglob("*.py"):
        for module, _ in imports(file):
            assert module[0] != PACKAGE.name or module[1:2] == (FOUNDATION.name,), f"{file}: {'.'.join(module)}"


def test_example_uses_the_surface_only() -> None:
    for module, names in imports(EXAMPLE):
        if module[:2] == (PACKAGE.name, FOUNDATION.name):
            assert module[2:] in {(name,) for name in SURFACE}, ".".join(module)
            assert set(names) <= set(importlib.import_module(".".join(module)).__all__), f"{names} of {module}"
