"""Whoever follows the tutorial has a working service after every step."""

import pytest

from harness.baked import Bake
from harness.describing import keeps_to_its_description
from harness.figures import Figures
from harness.following import follow, sections
from harness.postgres import PostgresOf
from harness.pythons import PythonFor
from harness.serving import Service
from harness.suites import passed_on

pytestmark = [pytest.mark.early, pytest.mark.slow]


@pytest.mark.parametrize(("driver", "version", "server"), [("aiopg", "3.14", "17"), ("psycopg", "3.12", "15")])
def test_each_step_works(
    bake: Bake,
    python_for: PythonFor,
    postgres_of: PostgresOf,
    database: str,
    figures: Figures,
    driver: str,
    version: str,
    server: str,
) -> None:
    """The steps' own commands run their tests and checks, at last all tests; the service is as it describes itself."""
    project, python, url = bake(driver=driver), python_for(driver, version), postgres_of(server)
    environment = {"UV_PYTHON": str(python), "DATABASE_URL": url, "TEST_DATABASE_URL": url}
    printed = [
        project.run("bash", "-ec", commands, **environment)
        for step in sections(project, "tutorial.md")
        for commands in follow(project, step)
    ]
    tested = next(text for text in reversed(printed) if " passed in " in text)
    figures.append(f"{driver}, the tutorial: {passed_on(tested, python, url)}")
    with Service(project, project.path / ".venv/bin/python", driver).serving(database, API_TOKEN="secret") as address:
        requests = keeps_to_its_description(project, address, "--header", "Authorization: Bearer secret")
    figures.append(f"{driver}, requests of schemathesis to the tutorial's service: {requests}")
