"""What the documentation of the template and of a project refers to is there."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from harness.baked import TEMPLATE, Bake, Project
from harness.choices import CHOICES
from harness.following import anchor

LINK = re.compile(r"\[([^\]]*)\](?:\(|: )(?!https?:)([^)\s]+)")


def pages(folder: Path) -> list[Path]:
    return [*folder.glob("*.md"), *(folder / "docs").glob("*.md")]


def links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield each link to a file: its text, the file, and the heading in it, if any."""
    for text, target in LINK.findall(page.read_text("utf-8")):
        name, _, heading = target.partition("#")
        yield text, page.parent / unquote(name) if name else page, heading


def check(page: Path) -> None:
    for text, file, heading in links(page):
        assert file.exists(), f"{page.name}: {file}"
        if heading:
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            assert heading in map(anchor, headings), f"{page.name}: {file.name}#{heading}"
        if text.startswith("`test_"):
            assert f"def {text.strip('`')}(" in file.read_text("utf-8"), f"{page.name}: {text} isn't in {file.name}"


@pytest.mark.parametrize("page", pages(TEMPLATE), ids=lambda page: str(page.relative_to(TEMPLATE)))
def test_links_of_the_template(page: Path) -> None:
    check(page)


@pytest.mark.parametrize("deploy", CHOICES["deploy"])
def test_links_of_a_project(bake: Bake, deploy: str) -> None:
    for page in pages(bake(deploy=deploy).path):
        check(page)


def test_address_of_the_template_stands_once() -> None:
    """When the repository moves, one line changes."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=TEMPLATE, check=True, capture_output=True, text=True).stdout
    texts = {
        name: (TEMPLATE / name).read_text("utf-8", "replace")
        for name in tracked.split("\0")
        if name and name != "uv.lock"
    }
    [address] = re.findall(r"^TEMPLATE=https://(\S+)$", texts["README.md"], re.MULTILINE)
    _, path = address.split("/", 1)
    assert {name: text.count(path) for name, text in texts.items() if path in text} == {"README.md": 1}


def test_foundation_page_has_its_surface(bake: Bake) -> None:
    project = bake()
    rows = re.findall(r"^\| (.*?) \|", project.read("docs/foundation.md"), re.MULTILINE)
    names = [name for names in surface(project).values() for name in names]
    assert set(names) == set(re.findall(r"`([A-Za-z_]+)`", "".join(rows)))


def test_what_is_the_users_imports_the_surface_only(bake: Bake) -> None:
    project = bake()
    for file in [*project.path.glob("src/*/*.py"), *project.path.glob("tests/*.py")]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and ".foundation." in f".{node.module}.":
                _, _, module = f".{node.module}".rpartition(".foundation.")
                names = {alias.name for alias in node.names}
                assert names <= surface(project).get(module, set()), f"{file.name}: {names} of {module}"


def surface(project: Project) -> dict[str, set[str]]:
    """Return the names of each module that the foundation's docstring lists."""
    docstring = ast.get_docstring(ast.parse(project.read("src/name_service/foundation/__init__.py")))
    assert docstring is not None
    listed = re.findall(r"^- `foundation\.(\w+)`: (.*(?:\n  .*)*)", docstring, re.MULTILINE)
    assert listed
    return {module: set(re.findall(r"`(\w+)`", names)) for module, names in listed}
