"""What the documentation of the template and of a project refers to is there."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from harness.baked import TEMPLATE, Bake
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
    """The names that the package's docstring lists."""
    project = bake()
    docstring = ast.get_docstring(ast.parse(project.read("src/name_service/foundation/__init__.py")))
    assert docstring is not None
    names = set(re.findall(r"`([A-Za-z_]+)`", docstring))
    rows = re.findall(r"^\| (.*?) \|", project.read("docs/foundation.md"), re.MULTILINE)
    assert names == set(re.findall(r"`([A-Za-z_]+)`", "".join(rows))) - {"Service"}  # a fixture's type
