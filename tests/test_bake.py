"""A bake writes the files that its answers want, and nothing else."""

from pathlib import Path

import pytest

from .baked import bake_by_command
from .checking import AS_IT_CAME
from .conftest import Bake

SERVICE_FILES = """
    __init__.py __main__.py application.py handlers.py health.py in_flight.py logs.py metrics.py models.py
    problems.py py.typed seeding.py sentry.py server.py settings.py validation.py
    database/__init__.py database/compiled.py database/configuration.py database/database.py database/driver.py
    database/errors.py database/hosts.py database/liveness.py database/model.py database/ownership.py
    database/pool.py
    embedded/__init__.py embedded/keeper.py
    migrations/__init__.py migrations/difference.py migrations/errors.py migrations/files.py
    migrations/history.py migrations/schema.py migrations/0001_create_testnamemodel.sql
    openapi/__init__.py openapi/describing.py openapi/document.py openapi/pages.py openapi/schemas.py
    openapi/docs/index.html openapi/docs/docs.css openapi/docs/docs.js
"""
SWAGGER_UI_FILES = """
    LICENSE NOTICE README.md swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt
"""
TEST_FILES = """
    __init__ conftest relay service test_bad_input test_cancellation test_command_line test_compiled
    test_connecting test_embedded test_health test_ids test_logs test_lost_database test_metrics test_migrations
    test_openapi test_pool test_problems test_rows test_security test_seeding test_sentry test_settings test_shutdown
    test_tasks test_transactions
"""
ALWAYS = {
    *(".editorconfig", ".env.example", ".gitignore", "LICENSE", "Makefile", "README.md", "pyproject.toml"),
    *(f"src/name_service/{name}" for name in SERVICE_FILES.split()),
    *(f"src/name_service/{AS_IT_CAME}/{name}" for name in SWAGGER_UI_FILES.split()),
    *(f"tests/{name}.py" for name in TEST_FILES.split()),
}
DEFAULT_NAMES = ("testnamemodel", "test_name_model", "name_service", "name-service", "name service")
OF_CI = {"github": {".github/workflows/ci.yml"}, "gitlab": {".gitlab-ci.yml"}, "none": set[str]()}
IMAGE = {".dockerignore", "Dockerfile"}
OF_DEPLOY = {"compose": {*IMAGE, "compose.yaml"}, "kubernetes": {*IMAGE, "kubernetes.yaml"}, "none": set[str]()}


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
    assert "database_port: int = Field(default=6543" in settings
    assert "    port: int = Field(default=9876" in settings
    assert "class OtherModel(Model):" in project.read("src/other_slug/models.py")
    assert 'CREATE TABLE IF NOT EXISTS "othermodel" (' in project.read(
        "src/other_slug/migrations/0001_create_othermodel.sql"
    )
    assert 'requires-python = ">=3.12"' in project.read("pyproject.toml")
    assert "FROM python:3.12-slim" in project.read("Dockerfile")
    for name, text in project.texts():
        numbers = () if name.startswith("tests/") or AS_IT_CAME in name else ("8888", "5432")
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
