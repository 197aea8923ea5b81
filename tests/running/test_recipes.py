"""What the documentation gives to copy works."""

import contextlib
import json
import threading
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import psycopg
import pytest

from harness.baked import UV, Bake
from harness.checking import check_python
from harness.following import find, follow
from harness.postgres import START_TIMEOUT, Server
from harness.pythons import PythonFor
from harness.serving import Service
from harness.sharing import Once
from harness.waiting import wait_until


@pytest.fixture(scope="module", params=["aiopg", "psycopg"])
def private(bake: Bake, python_for: PythonFor, request: pytest.FixtureRequest) -> Service:
    """A service whose rows and metrics demand the token, by the documentation's lines."""
    project = bake(driver=request.param)
    package = project.path / "src" / "name_service"
    assert not [*follow(project, find(project, "operations.md", "metrics-for-prometheus-alone"))]
    handlers = package / "handlers.py"
    handlers.write_text(
        handlers.read_text().replace("(Handler)", "(PrivateHandler)").replace("import Handler, ", "import ")
    )
    replace(handlers, "\n\nHINT", "\nfrom .private import PrivateHandler\n\nHINT")
    return Service(project, python_for(request.param), request.param)


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


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
    demands = {path for path, methods in description["paths"].items() if "security" in methods["get"]}
    assert demands == {"/", "/create", "/metrics"}


@pytest.mark.slow
def test_lists_and_streams(bake: Bake, once: Once, python_for: PythonFor, server: Server) -> None:
    """The documentation's handlers of books, on a model of that name."""
    project = bake(model_name="Book")
    handlers = project.path / "src" / "name_service" / "handlers.py"
    [lines] = project.blocks("class AllBooksHandler")
    lines = lines.replace("BookResponse", "Row").replace("Book.title", "Book.name")
    handlers.write_text(f"{handlers.read_text()}\n\n{lines}")
    replace(
        handlers,
        "import asyncio\n",
        "import asyncio\nfrom collections.abc import AsyncIterator\nfrom typing import Any\n",
    )
    replace(handlers, "\nfrom .foundation.web", "\nfrom .foundation.database import compiled\nfrom .foundation.web")
    replace(handlers, " operation, parse_id,", " operation, parse_argument, parse_id,")
    service = project.path / "src" / "name_service" / "service.py"
    routes = '("/", RootHandler),\n            ("/books", BooksHandler),\n            ("/all", AllBooksHandler),'
    replace(service, '("/", RootHandler),', routes)
    replace(
        service, "import CreateHandler, RootHandler", "import AllBooksHandler, BooksHandler, CreateHandler, RootHandler"
    )
    python = python_for("aiopg")
    check_python(project, once, python)
    with Service(project, python, "aiopg").serving(server.url) as address:
        for path, ids in (("/books", [1, 2, 3]), ("/books?after=2", [3]), ("/all", [1, 2, 3])):
            with urllib.request.urlopen(f"{address}{path}") as answer:
                assert json.load(answer) == [{"id": id_, "name": f"Book id={id_}"} for id_ in ids]


@pytest.mark.slow
def test_lines_are_as_clean_as_the_others(private: Service, once: Once) -> None:
    check_python(private.project, once, private.python)


def test_bug_is_reported_to_sentry(bake: Bake, database: str) -> None:
    """By the documentation's line, and the SDK's own variable."""
    project = bake()
    assert "call `sentry_sdk.init()` first thing in `main()`" in project.read("docs/operations.md")
    main = project.path / "src" / "name_service" / "__main__.py"
    replace(main, "def main() -> None:\n", "def main() -> None:\n    sentry_sdk.init()\n")
    replace(main, "\n\nfrom .foundation", "\n\nimport sentry_sdk\n\nfrom .foundation")
    command = (UV, "run", "--no-dev", "--with", "sentry-sdk", "python", "-m", "name_service", "serve")
    service = Service(project, Path(), "aiopg")
    with receiving() as (reports, port):
        dsn = f"http://key@127.0.0.1:{port}/1"
        with service.serving(database, command=command, SENTRY_DSN=dsn) as address:
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute("DROP TABLE testnamemodel")
            assert ask(f"{address}/?id=1", {})[0] == 500
            wait_until(lambda: reports, lambda sent: any("UndefinedTable" in report for report in sent), START_TIMEOUT)


@contextlib.contextmanager
def receiving() -> Iterator[tuple[list[str], int]]:
    """Take what the SDK sends; give the list of reports, and the port."""
    reports: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reports.append(zlib.decompress(body, wbits=47).decode())  # gzip or zlib
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # its name in the base
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield reports, server.server_port
        finally:
            server.shutdown()
            thread.join()
