"""The README's commands, typed word for word, do what it says.

Git is told to find the template's address in a repository of this checkout.
"""

import json
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest

from harness.baked import BLOCK, PATH, TEMPLATE, UV, Project
from harness.checking import BIN
from harness.postgres import free_port
from harness.repository import Publisher, template_files
from harness.terminal import Shell

pytestmark = pytest.mark.slow

README = (TEMPLATE / "README.md").read_text("utf-8")
BLOCKS = [body for _, _, body in re.findall(BLOCK, README, re.DOTALL | re.MULTILINE)]
FIRST, UPGRADE = (re.sub(r" +#.*", "", body).splitlines() for body in BLOCKS)
ADDRESS, BAKE, SERVE = FIRST
CREATE, LINK = UPGRADE
INLINE = re.findall(r"`((?:make|pipx|git|uvx) .*?)`", re.sub(r"(?<!`)\n", " ", README))
PIPX = "pipx run cookiecutter $TEMPLATE"
CHANGE = """uvx cruft update -y --variables-to-update '{"python_version": "3.12"}'"""
UPDATE = ["uvx cruft update -y", "git status", "make check test", CHANGE]
ELSEWHERE = {"make check", "make bench"}  # CI types these


class User(Publisher):
    """Someone who knows the README."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.publish(template_files())

    def shell(self, folder: Path) -> Shell:
        """Open a terminal in which the README's first line was typed."""
        address = ADDRESS.removeprefix("TEMPLATE=")
        cache = subprocess.run([UV, "cache", "dir"], check=True, capture_output=True, text=True).stdout.strip()
        variables = {
            **{"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{self.template}.insteadOf"},
            **{"GIT_CONFIG_VALUE_0": address, "UV_CACHE_DIR": cache, "UV_NO_PROGRESS": "1"},
            "PATH": f"{PATH}:{BIN}",  # there is pipx
            **{"PORT": str(self.port), "PYTEST_ADDOPTS": "tests/test_seeding.py"},
        }
        shell = Shell(folder, **self.home.environment() | variables)
        shell.run(ADDRESS)
        return shell

    def is_served(self, shell: Shell) -> None:
        """Wait for the service, ask it, and stop it."""
        address = f"http://127.0.0.1:{self.port}"
        shell.expect(re.escape(f"Serving on {address}"))
        shell.expect(re.escape("Press ^C to stop."))
        with urllib.request.urlopen(f"{address}/?id=1") as response:
            assert json.loads(response.read())["id"] == 1
        shell.stop()
        shell.close()


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path / "user")


def test_no_command_is_left_out() -> None:
    assert {"make demo", PIPX, *UPDATE} | ELSEWHERE == set(INLINE)
    assert BLOCKS[0].splitlines()[1].endswith(f": {CREATE}")


@pytest.mark.parametrize("bake", [BAKE, PIPX])
def test_from_the_template_to_a_service(user: User, bake: str) -> None:
    shell = user.shell(user.folder)
    shell.type(bake)
    shell.take_the_defaults()
    shell.type(SERVE)
    user.is_served(shell)


def test_demo(user: User) -> None:
    """With the defaults, and not those that the user has set for other templates."""
    (user.home.path / ".cookiecutterrc").write_text("default_context: {project_name: Another}\n")
    shell = user.shell(user.template)
    shell.type("make demo")
    user.is_served(shell)


@pytest.mark.early
@pytest.mark.parametrize("begin", [CREATE, LINK])
def test_upgrade(user: User, begin: str) -> None:
    shell = user.shell(user.folder)
    project = Project(user.folder / "name_service")
    shell.type(CREATE if begin == CREATE else BAKE)
    shell.take_the_defaults()
    shell.run(f"cd {project.path}")
    if begin == LINK:
        shell.type(LINK.replace("COMMIT", user.home.git("rev-parse", "HEAD", folder=user.template).strip()))
        shell.answer_with_the_defaults()
        shell.expect("Link to template at commit")
        shell.run("")
    user.home.commit(project.path, "As it came")

    name = "{{cookiecutter.project_slug}}/.editorconfig"
    user.publish({**template_files(), name: b"# A newer version\nroot = true\n"})
    update, status, check, change = UPDATE
    shell.run(update)
    assert project.read(".editorconfig").startswith("# A newer version\n")
    shell.run(status)
    assert "both modified" not in shell.printed
    if begin == CREATE:  # the other has the same files
        shell.run(check)
        assert " passed" in shell.printed
    user.home.commit(project.path, "Updated")

    shell.run(change)
    assert 'requires-python = ">=3.12"' in project.read("pyproject.toml")
    shell.close()
