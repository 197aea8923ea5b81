"""The same answers give the same bytes: on any day, Python and machine, with a network and without one."""

import functools
import os
import shutil
import socket
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from harness.baked import BUILD, TEMPLATE, UV
from harness.choices import CHOICES, Answers
from harness.figures import Figures
from harness.pythons import interpreter_or_skip
from harness.sharing import Once

# A project with something of everything.
ANSWERS: Answers = {
    "project_name": "Zoë's «Café» 🦤",
    "project_slug": "cafe",
    "license": "Apache-2.0",
    "ci": "github",
    "deploy": "kubernetes",
}
ELSEWHERE = {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "0"}

Bytes = dict[str, bytes]


@pytest.fixture(scope="module")
def bake_in(tmp_path_factory: pytest.TempPathFactory) -> "BakeElsewhere":
    return BakeElsewhere(tmp_path_factory)


class BakeElsewhere:
    """Bakes by the command that one types, and in a place of which nothing is known."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders

    def __call__(self, *before: str | Path, python: str | Path = sys.executable, **environment: str) -> Bytes:
        """The bytes of each file, baked by this Python, by what is typed before it."""
        folder = self._folders.mktemp("reproducible")
        typed = [f"{prompt}={answer}" for prompt, answer in ANSWERS.items()]
        subprocess.run(
            [*before, python, "-m", "cookiecutter", TEMPLATE, "--no-input", *typed],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)} | environment,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        project = folder / "cafe"
        return {str(path.relative_to(project)): path.read_bytes() for path in project.rglob("*") if path.is_file()}

    @functools.cached_property
    def here_and_now(self) -> Bytes:
        return self()


def test_with_another_hash_seed_time_zone_language_and_time_of_build(bake_in: BakeElsewhere) -> None:
    assert bake_in(**ELSEWHERE) == bake_in.here_and_now


def test_where_files_are_private(bake_in: BakeElsewhere) -> None:
    assert bake_in("sh", "-c", 'umask 077 && exec "$@"', "sh") == bake_in.here_and_now


def test_under_another_clock(bake_in: BakeElsewhere) -> None:
    package = find_spec("libfaketime")
    if package is None or package.origin is None:
        pytest.skip("libfaketime has no library for this machine")
    [library] = Path(package.origin).parent.rglob("libfaketime.so.1")
    clock = {"LD_PRELOAD": str(library), "FAKETIME": "2031-12-31 23:59:58"}
    told = subprocess.run(["date", "+%Y"], env=os.environ | clock, capture_output=True, text=True)
    assert told.stdout == "2031\n"
    assert bake_in(**clock) == bake_in.here_and_now


def test_without_a_network(bake_in: BakeElsewhere) -> None:
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("this machine gives no network namespaces")
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = f"import socket; socket.create_connection({server.getsockname()}, 5)"
        assert subprocess.run([sys.executable, "-c", connect], capture_output=True).returncode == 0
        assert subprocess.run([*command, sys.executable, "-c", connect], capture_output=True).returncode != 0
    assert bake_in(*command) == bake_in.here_and_now


@pytest.mark.parametrize("version", CHOICES["python_version"])
def test_by_another_python(bake_in: BakeElsewhere, once: Once, figures: Figures, version: str) -> None:
    found = interpreter_or_skip(version)
    environment = BUILD / "environments" / f"cookiecutter-{version}"
    with (TEMPLATE / "pyproject.toml").open("rb") as file:
        [cookiecutter] = tomllib.load(file)["dependency-groups"]["bake"]

    def install() -> None:
        subprocess.run([UV, "venv", "--quiet", "--clear", "--python", found, environment], check=True)
        subprocess.run([UV, "pip", "install", "--quiet", "--python", environment, cookiecutter], check=True)

    once(str(environment), install)
    python = environment / "bin" / "python"
    told = subprocess.run([python, "--version"], capture_output=True, text=True).stdout.strip()
    assert told.startswith(f"Python {version}.")
    assert bake_in(python=python) == bake_in.here_and_now
    figures.append(f"baked to the same bytes by {told}")
