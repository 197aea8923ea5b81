"""A bake writes the files that its answers want, and nothing else."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.baked import COOKIECUTTER, TEMPLATE, Bake, bake_by_command
from harness.choices import CHOICES, DEFAULT_NAMES

CONTAINERS = ("compose.yaml", ".github/workflows/ci.yml")


@pytest.mark.parametrize(
    ("license_", "first_line", "expression"),
    [
        ("MIT", "MIT License", "MIT"),
        ("Apache-2.0", "Apache License", "Apache-2.0"),
        ("BSD-3-Clause", "BSD 3-Clause License", "BSD-3-Clause"),
        ("Proprietary", "Copyright (c) Ada. All rights reserved.", "LicenseRef-Proprietary"),
    ],
)
def test_licence(bake: Bake, license_: str, first_line: str, expression: str) -> None:
    project = bake(license=license_, author_name="Ada")
    assert project.read("LICENSE").lstrip().startswith(first_line)
    assert f'license = "{expression}"' in project.read("pyproject.toml")


def test_each_answer_arrives(bake: Bake) -> None:
    project = bake(
        project_name="Other Slug",
        model_name="OtherModel",
        database_name="other_db",
        database_port="6543",
        port="9876",
        python_version="3.12",
    )
    settings = project.read("src/other_slug/settings.py")
    assert 'database_name: str = "other_db"' in settings
    assert "    database_port: Port = 6543\n" in settings
    assert "    port: ListenPort = 9876\n" in settings
    assert "class OtherModel(MixedIdModel):" in project.read("src/other_slug/models.py")
    assert 'CREATE TABLE IF NOT EXISTS "othermodel" (' in project.read(
        "src/other_slug/migrations/0001_create_othermodel.sql"
    )
    assert 'requires-python = ">=3.12"' in project.read("pyproject.toml")
    for name, text in project.texts():
        # The foundation and its tests are the same in each bake. A container's PostgreSQL has its own port.
        numbers = () if "foundation/" in name else ("8888",) if name in CONTAINERS else ("8888", "5432")
        for default in (*DEFAULT_NAMES, *numbers):
            assert default not in f"{name} {text}".lower(), f"{default} in {name}"


def test_nothing_is_left_among_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    bake_by_command(tmp_path)
    assert not list(temporary.iterdir())


def test_over_an_existing_project_what_is_its_users_stays(tmp_path: Path) -> None:
    project = bake_by_command(tmp_path)
    (project.path / ".postgres" / "data" / "pg_notify").mkdir(parents=True)
    bake_by_command(tmp_path)
    assert (project.path / ".postgres" / "data" / "pg_notify").is_dir()


def test_what_tools_leave_is_ignored_by_git(bake: Bake, tmp_path: Path) -> None:
    project = bake()
    left = [".coverage", ".coverage.host.1", ".hypothesis/a", ".schemathesis/a", "htmlcov/a", ".venv/a", ".postgres/a"]
    project.run("git", "init", "--quiet")
    assert project.run("git", "check-ignore", *left).splitlines() == left
    assert project.try_to_run("git", "check-ignore", *project.files()).stdout == ""


OUTPUTS = {
    "closed": ">&-",
    "of a reader that has gone": "| true",
    "full": ">/dev/full",
    "ASCII": "| cat",
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_output_undoes_a_bake(bake: Bake, tmp_path: Path, output: str) -> None:
    if output == "full" and not os.path.exists("/dev/full"):
        pytest.skip("only Linux has /dev/full")
    folder = tmp_path / "Zoë's"
    folder.mkdir()
    script = f'set -o pipefail && "$@" {OUTPUTS[output]}'
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        ["bash", "-c", script, "bash", *COOKIECUTTER, TEMPLATE, "--no-input"],
        cwd=folder,
        env=os.environ | ascii_only,
        stderr=subprocess.PIPE,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert {path.name for path in (folder / "name_service").iterdir()} == {path.name for path in bake().path.iterdir()}


@pytest.mark.parametrize("ci", CHOICES["ci"])
def test_hooks_that_are_declined_are_missed_by_no_file(bake: Bake, tmp_path: Path, ci: str) -> None:
    declined = bake_by_command(tmp_path, "--accept-hooks=no", ci=ci)
    assert dict(declined.texts()) == dict(bake(ci=ci).texts())
