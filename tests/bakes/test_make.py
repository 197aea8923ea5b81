"""The targets of make work wherever they are run, and whatever the environment has for others."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.baked import TEMPLATE, UV, Bake, Project
from harness.checking import BIN
from harness.pythons import PythonFor

pytestmark = pytest.mark.slow

# What a shell exports for another project, or for images. Most would take a dependency, or the project, away.
FOR_OTHERS = {
    **dict.fromkeys(("UV_PROJECT", "UV_WORKING_DIR", "UV_WORKING_DIRECTORY", "VIRTUAL_ENV"), "/tmp"),
    **dict.fromkeys(("UV_NO_DEFAULT_GROUPS", "UV_NO_DEV", "UV_NO_EDITABLE", "UV_NO_PROJECT", "UV_NO_SYNC"), "1"),
    "UV_NO_GROUP": "dev",
    "UV_SYSTEM_PYTHON": "1",
    "UV_LINK_MODE": "copy",
}
ENVIRONMENTS = {
    "variables for others": FOR_OTHERS,
    "a proxy that isn't there": {
        "UV_OFFLINE": "1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "ALL_PROXY": "socks5://[::1]:1",
    },
}
ONE_TEST = "tests/test_seeding.py"
GIT_CONFIG = TEMPLATE / "harness" / "gitconfig"


@pytest.fixture
def project(bake: Bake, tmp_path: Path, python_for: PythonFor) -> Project:
    """Bake into a folder whose name has a space, an apostrophe and a letter that isn't ASCII."""
    python_for("aiopg")  # whose packages uv has then, also offline
    folder = tmp_path / "Zoë's projects" / "name_service"
    shutil.copytree(bake().path, folder)
    return Project(folder)


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_environment(project: Project, environment: dict[str, str]) -> None:
    project.run(UV, "lock", "--quiet")
    printed = project.run("make", "test", PYTEST_ADDOPTS=ONE_TEST, **environment)
    assert " passed in " in printed
    assert "VIRTUAL_ENV" not in printed


def test_moved_project_and_uv_in_a_path_with_a_space(project: Project) -> None:
    folder = project.path.parent / "bin of mine"
    folder.mkdir()
    (folder / "uv").symlink_to(shutil.which(UV) or UV)
    path = f"{folder}:{os.environ['PATH']}"
    project.run("make", "test", PATH=path, PYTEST_ADDOPTS=ONE_TEST)
    (project.path / ".uv").mkdir()
    (project.path / ".uv" / "not_ours.py").write_text("import os")
    moved = Project(project.path.rename(project.path.with_name("moved")))
    moved.run("make", "test", PATH=path, PYTEST_ADDOPTS=ONE_TEST)
    moved.run("make", "check", PATH=path)


@pytest.mark.parametrize("makefile", [TEMPLATE / "Makefile", None], ids=["template", "project"])
def test_without_a_home_that_can_be_written(project: Project, tmp_path: Path, makefile: Path | None) -> None:
    (project.path / "probe.mk").write_text('probe:\n\t@echo "$$HOME"\n')
    command = ("make", "-f", makefile or "Makefile", "-f", "probe.mk", "probe")
    home = f"{project.path}/.uv\n"
    assert project.run(*command, HOME=str(tmp_path / "missing")) == home
    assert project.run("env", "-u", "HOME", *command) == home
    assert project.run(*command, HOME=str(tmp_path)) == f"{tmp_path}\n"


@pytest.mark.parametrize("makefile", [TEMPLATE / "Makefile", None], ids=["template", "project"])
def test_uv_is_installed_into_the_project_whatever_pip_is_told(project: Project, makefile: Path | None) -> None:
    elsewhere = dict.fromkeys(("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET"), str(project.path.parent / "elsewhere"))
    project.run("make", "-f", makefile or "Makefile", ".uv/bin/uv", PIP_USER="1", PIP_PYTHON="python3", **elsewhere)
    assert project.run(".uv/bin/uv", "--version").startswith("uv ")
    assert not (project.path.parent / "elsewhere").exists()


@pytest.mark.parametrize("makefile", [TEMPLATE / "Makefile", None], ids=["template", "project"])
def test_uv_without_dependency_groups_is_not_used(project: Project, tmp_path: Path, makefile: Path | None) -> None:
    command = ("make", "-f", makefile or "Makefile", "--dry-run", "check")
    for version, used in (("0.4.26", ".uv/bin/uv run ruff check"), ("0.4.27", "\nuv run ruff check")):
        old = tmp_path / version
        subprocess.run([UV, "pip", "install", "--quiet", "--target", old, f"uv=={version}"], check=True)
        assert used in "\n" + project.run(*command, PATH=f"{old / 'bin'}:{os.environ['PATH']}")


def test_uv_without_dependency_groups_shows_which_one_is_needed(project: Project, tmp_path: Path) -> None:
    subprocess.run([UV, "pip", "install", "--quiet", "--target", tmp_path, "uv==0.4.26"], check=True)
    assert 'required-version = ">=0.4.27"' in project.run(tmp_path / "bin" / "uv", "lock")


def test_git_runs_the_checks_before_a_commit(project: Project, tmp_path: Path) -> None:
    variables = {"GIT_CONFIG_GLOBAL": str(GIT_CONFIG), "PRE_COMMIT_HOME": str(tmp_path / "pre-commit")}
    project.run("git", "init", "--quiet")
    project.run(BIN / "pre-commit", "install", **variables)
    project.run("git", "add", "--all")
    project.run("git", "commit", "--message", "The project", **variables)
    models = project.path / "src" / "name_service" / "models.py"
    models.write_text(models.read_text("utf-8") + "\nnumber: int = 'text'\n", "utf-8")
    refused = project.try_to_run("git", "commit", "--all", "--message", "A fault", **variables)
    assert refused.returncode == 1
    assert "models.py" in refused.stdout
    assert project.run("git", "log", "--format=%s") == "The project\n"
