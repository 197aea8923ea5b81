"""What the README gives to copy works."""

import json
import urllib.request
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError

import pytest

from .conftest import Bake, PythonFor
from .postgres import Server
from .serving import Service


@pytest.fixture(scope="module", params=["aiopg", "psycopg"])
def private(bake: Bake, python_for: PythonFor, request: pytest.FixtureRequest) -> Service:
    """A service whose rows and measurements want the token, by the README's lines."""
    project = bake(driver=request.param)
    package = project.path / "src" / "name_service"
    setting, wiring = "".join(project.blocks("in settings.py")).splitlines()
    [module] = project.blocks("class PrivateHandler")
    [security] = project.blocks("securitySchemes")
    (package / "private.py").write_text(module)
    insert(package / "settings.py", before='    host: str = "127.0.0.1"', line=setting)
    insert(package / "application.py", before="            trusted_origins=", line=wiring)
    insert(package / "openapi" / "document.py", before="    return json.dumps(", line=security.removesuffix("\n"))
    for name in ("handlers", "metrics"):
        file = package / f"{name}.py"
        file.write_text(
            file.read_text()
            .replace("(Handler)", "(PrivateHandler)")
            .replace("from .problems import Handler", "from .private import PrivateHandler")
        )
    return Service(project, python_for(request.param), request.param)


def insert(file: Path, before: str, line: str) -> None:
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, f"{line}\n{before}"))


def ask(url: str, headers: Mapping[str, str], method: str = "GET") -> tuple[int, Message]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers), method=method)) as answer:
            return answer.status, answer.headers
    except HTTPError as refused:
        refused.close()
        return refused.code, refused.headers


def test_token_lets_in(private: Service, server: Server) -> None:
    with private.serving(server.url, API_TOKEN="a token") as address:
        for authorization in ("Bearer a token", "bearer a token"):
            for path in ("/?id=1", "/metrics"):
                assert ask(f"{address}{path}", {"Authorization": authorization})[0] == 200


def test_nothing_else_does(private: Service, server: Server) -> None:
    with private.serving(server.url, API_TOKEN="a token") as address:
        assert refused(address, {}) == {(401, "Bearer", "application/problem+json")}
        for authorization in (
            "",
            "Bearer",
            "Bearer ",
            "Bearer another",
            "Bearer a token too",
            "Basic a token",
            "Bearer \xe9",
        ):
            assert refused(address, {"Authorization": authorization}) == {(401, "Bearer", "application/problem+json")}
        assert ask(f"{address}/healthz", {})[0] == 200


def refused(address: str, headers: Mapping[str, str]) -> set[tuple[int, str | None, str | None]]:
    """How what wants the token answers these headers."""
    requests = [("GET", "/?id=1"), ("HEAD", "/?id=1"), ("POST", "/"), ("GET", "/metrics")]
    answers = [ask(f"{address}{path}", headers, method) for method, path in requests]
    return {(status, answered["WWW-Authenticate"], answered["Content-Type"]) for status, answered in answers}


def test_nobody_is_let_in_where_no_token_is_set(private: Service, server: Server) -> None:
    with private.serving(server.url) as address:
        for authorization in ("Bearer", "Bearer ", "Bearer None"):
            assert ask(f"{address}/?id=1", {"Authorization": authorization})[0] == 401


def test_description_tells_of_the_token(private: Service) -> None:
    _, printed = private.run("openapi")
    description = json.loads(printed)
    assert description["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert description["security"] == [{"token": []}]


@pytest.mark.slow
def test_lines_are_as_clean_as_the_others(private: Service) -> None:
    for check in (["ruff", "format", "--check", "src"], ["ruff", "check", "src"], ["mypy", "src"]):
        private.project.run(private.python, "-m", *check)
