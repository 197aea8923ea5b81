"""Follows a page of a project's documentation: writes what it shows, and types its commands.

A block with a title is about the file of that name: Python is all of it, a diff changes it. A block without a language
has commands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .baked import BLOCK, Project

LINK = r"\]\((\w+\.md)#([\w-]+)\)"
BLOCK_OR_LINK = re.compile(f"{BLOCK}|{LINK}", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Section:
    """A section of a page: its heading, and the text below it."""

    heading: str
    text: str


def anchor(heading: str) -> str:
    """Return what a link to the heading has after its `#`, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading).replace(" ", "-").lower()


def sections(project: Project, page: str) -> list[Section]:
    _, *parts = re.split(r"^## ", project.read(f"docs/{page}"), flags=re.MULTILINE)
    return [Section(*part.split("\n", 1)) for part in parts]


def find(project: Project, page: str, wanted: str) -> Section:
    """Return the section with this anchor."""
    [found] = [section for section in sections(project, page) if anchor(section.heading) == wanted]
    return found


def follow(project: Project, section: Section) -> Iterator[str]:
    """Do what the section shows, in its order, and yield its commands, for the caller to run.

    A link to a section of another page is followed where it stands.
    """
    for match in BLOCK_OR_LINK.finditer(section.text):
        language, title, body, page, wanted = match.groups()
        if page:
            yield from follow(project, find(project, page, wanted))
        elif language == "diff":
            _change(project, title, body)
        elif title:
            (project.path / title).write_text(body, "utf-8")
        elif not language:
            yield body


def _change(project: Project, name: str, diff: str) -> None:
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] or "\n" for line in lines if not line.startswith("+"))
    after = "".join(line[1:] or "\n" for line in lines if not line.startswith("-"))
    text = project.read(name)
    assert text.count(before) == 1, f"{name} has this {text.count(before)} times:\n{before}"
    (project.path / name).write_text(text.replace(before, after), "utf-8")
