"""CI runs what the README says, with locked dependencies, on the Pythons and databases that count."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from harness.baked import Bake, Project
from harness.choices import CHOICES
from harness.dockerfile import stages

HAVE_CI = [ci for ci in CHOICES["ci"] if ci != "none"]
NEWEST_PYTHON = CHOICES["python_version"][-1]


def workflow(project: Project) -> dict[str, Any]:
    """Return the jobs' file, GitHub's or GitLab's."""
    [file] = project.files() & {".github/workflows/ci.yml", ".gitlab-ci.yml"}
    read: dict[str, Any] = yaml.safe_load(project.read(file))
    return read


def runs(ci: str, project: Project) -> Iterator[tuple[str, str, str]]:
    """Yield each command with the Python and the URL of the database that it sees."""
    if ci == "gitlab":
        for job in workflow(project).values():
            for command in job.get("script", []) if isinstance(job, dict) else []:
                yield command, job.get("image", ""), job.get("variables", {}).get("TEST_DATABASE_URL", "")
        return
    for job in workflow(project)["jobs"].values():
        commands = [step["run"] for step in job["steps"] if "run" in step]
        for entry in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
            python = entry.get("python") or job.get("env", {}).get("UV_PYTHON", "")
            yield from ((command, f"python:{python}", entry.get("database", "")) for command in commands)


@pytest.mark.parametrize("ci", HAVE_CI)
@pytest.mark.parametrize("lowest", ["3.11", NEWEST_PYTHON])
def test_ci_runs_the_lowest_and_the_newest_python_on_both_databases(bake: Bake, ci: str, lowest: str) -> None:
    done = list(runs(ci, bake(ci=ci, python_version=lowest)))
    made = {(command, python, bool(url)) for command, python, url in done if command.startswith("make")}
    assert made == {
        ("make check", f"python:{lowest}", False),
        ("make test", f"python:{lowest}", False),
        ("make test", f"python:{NEWEST_PYTHON}", True),
    }


@pytest.mark.parametrize("ci", HAVE_CI)
def test_ci_refuses_to_do_without_the_lock(bake: Bake, ci: str) -> None:
    project = bake(ci=ci)
    read = workflow(project)
    variables = read["env"] if ci == "github" else read["variables"]
    done = project.try_to_run("make", "check", **variables)
    assert done.returncode != 0
    assert "To create a lockfile, run `uv lock`" in " ".join(done.stdout.split())  # uv wraps long lines
    assert not (project.path / "uv.lock").exists()


@pytest.mark.parametrize("ci", HAVE_CI)
@pytest.mark.parametrize("deploy", CHOICES["deploy"])
def test_ci_builds_the_image_and_publishes_a_tag(bake: Bake, ci: str, deploy: str) -> None:
    commands = [
        command
        for command, _, _ in runs(ci, bake(ci=ci, deploy=deploy))
        if re.search(r"docker (buildx )?build ", command)
    ]
    pushing = [command for command in commands if "--push" in command]
    if deploy == "none":
        assert not commands
    else:
        assert len(commands) == 2
        [command] = pushing
        assert "--provenance=mode=max" in command


def test_image_has_the_newest_python(bake: Bake) -> None:
    assert {stage.image for stage in stages(bake(python_version="3.11").read("Dockerfile"))[1:]} == {
        f"python:{NEWEST_PYTHON}-slim"
    }


def test_lock_is_committed_and_kept_by_its_user(bake: Bake) -> None:
    """The first of make's targets writes it, where CI and images have it from the repository."""
    project = bake()
    assert "uv.lock" not in project.read(".gitignore")
    assert set(re.findall(r"\$\(UV\) (\S+)", project.read("Makefile"))) == {"run"}
    installing = re.findall(
        r"^(?:RUN .*)?uv sync .*$", project.read("docs/operations.md") + project.read("Dockerfile"), re.M
    )
    assert installing
    assert all("--locked" in line for line in installing)
