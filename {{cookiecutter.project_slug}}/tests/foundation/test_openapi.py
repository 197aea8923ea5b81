"""The service is as `/openapi.json` describes it, and `/docs` needs nothing from elsewhere."""

import json
import re
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urljoin

import pytest
import tornado.web
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from pydantic import BaseModel
from tornado.escape import json_decode
from tornado.httpclient import HTTPResponse

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import Application, Handler, Id, document, operation

from .conftest import Command
from .example import ExampleSettings, make_application
from .support import problem, run


async def test_description_is_valid(service: Service) -> None:
    response = await service.get("/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    validate(json_decode(response.body), cls=OpenAPIV31SpecValidator)


async def test_description_without_docstrings() -> None:
    code, printed = await run("openapi", PYTHONOPTIMIZE="2")
    assert code == 0
    summaries = {method["summary"] for path in json_decode(printed)["paths"].values() for method in path.values()}
    assert "" not in summaries
    assert "POST /items" in summaries


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("get", "/items", {}, 200),
        ("get", "/items?id=1", {}, 200),
        ("get", "/items?id=0", {}, 400),
        ("get", "/items?id=4", {}, 404),
        ("post", "/items", {"body": "name=Ada"}, 201),
        ("post", "/items", {"body": "name="}, 400),
        ("post", "/items", {"body": "name=Ada", "headers": {"Origin": "https://evil.example"}}, 403),
        ("post", "/items", {"body": "{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("post", "/items", {"body": "x" * 1024 * 1024 + "x"}, 413),
        ("get", "/get-or-create?id=100", {}, 200),
        ("get", "/get-or-create", {}, 400),
        ("get", "/healthz", {}, 200),
        ("get", "/readyz", {}, 200),
        ("get", "/metrics", {}, 200),
        ("get", "/openapi.json", {}, 200),
        ("get", "/docs", {}, 200),
    ],
)
async def test_answer_is_as_described(
    service: Service, method: str, path: str, given: dict[str, Any], status: int
) -> None:
    response = await service.request(method.upper(), path, **given)
    assert response.code == status
    check(service, method, path, response)
    if method == "get":
        check(service, "head", path, response)


async def test_wrong_method_is_as_described(service: Service) -> None:
    check(service, "get", "/items", await service.delete("/items"))


async def test_draining_is_as_described(service: Service) -> None:
    service.application.readiness.draining = True
    check(service, "get", "/readyz", await service.get("/readyz"))


def check(service: Service, method: str, path: str, response: HTTPResponse) -> None:
    """Check that status, headers and body of the response are described."""
    description = json_decode(document(service.application))
    answer = description["paths"][path.partition("?")[0]][method]["responses"][str(response.code)]
    if "$ref" in answer:
        answer = description["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    assert all(name in response.headers for name in answer["headers"])
    media_type = response.headers["Content-Type"].partition(";")[0]
    content = answer["content"][media_type]
    body: Any = json_decode(response.body) if media_type.endswith("json") else response.body.decode()
    validator = OAS31Validator(content["schema"] | {"components": description["components"]})
    validator.validate(body)
    if media_type == "application/problem+json":
        validator.validate(content["example"])
        assert [content["example"][name] for name in ("title", "status")] == [body["title"], body["status"]]


async def test_body_may_be_a_form_or_json(service: Service) -> None:
    description = json_decode(document(service.application))
    content = description["paths"]["/items"]["post"]["requestBody"]["content"]
    assert content.keys() == {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
    assert description["components"]["schemas"]["NewItem"]["properties"]["name"]["maxLength"] == 255


class PartHandler(Handler):
    security: ClassVar = {"token": {"type": "http", "scheme": "bearer"}}

    @operation(path={"id": Id}, query={"part": int | str, "other": str | int | None}, responses={200: ["text/plain"]})
    def get(self, _: str) -> None:
        """A summary.

        And more.
        """


class OwnMetricsHandler(Handler):
    @operation(responses={200: ["text/plain"]})
    def get(self) -> None:
        """My own."""


def describe(settings: ExampleSettings, routes: list[Any]) -> str:
    database = make_application(settings).database
    return document(
        Application(settings, database, distribution="example", routes=routes, models=[], migrations=Path("nowhere"))
    )


@pytest.fixture
def described(settings: ExampleSettings) -> dict[str, Any]:
    """The description of a service with these two handlers."""
    routes = [
        tornado.web.url("/items/([0-9]+)/parts", PartHandler),
        ("/metrics", OwnMetricsHandler),
        ("/(?:one|two)", OwnMetricsHandler),  # a pattern that can't be reversed
    ]
    description: dict[str, Any] = json_decode(describe(settings, routes))
    validate(description, cls=OpenAPIV31SpecValidator)
    return description


def test_arguments_in_the_path(described: dict[str, Any]) -> None:
    get = described["paths"]["/items/{id}/parts"]["get"]
    assert (get["summary"], get["description"]) == ("A summary", "And more.")
    parameters = [(given["name"], given["in"], given["required"]) for given in get["parameters"]]
    assert parameters == [("id", "path", True), ("part", "query", True), ("other", "query", False)]


@pytest.mark.parametrize("pattern", ["/items", "/items/([^/]+)/([^/]+)"])
def test_path_whose_groups_have_no_names(settings: ExampleSettings, pattern: str) -> None:
    with pytest.raises(ValueError, match=r"PartHandler\.get .*" + re.escape(f"'{pattern}'") + ".*path="):
        describe(settings, [(pattern, PartHandler)])


def test_security_of_a_handler(described: dict[str, Any]) -> None:
    get = described["paths"]["/items/{id}/parts"]["get"]
    assert get["security"] == [{"token": []}]
    assert "401" in get["responses"]
    assert described["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    assert "security" not in described["paths"]["/readyz"]["get"]


def test_route_of_ones_own_replaces_the_foundations(described: dict[str, Any]) -> None:
    assert described["paths"]["/metrics"]["get"]["summary"] == "My own"


async def test_page_and_its_parts_come_from_here(service: Service) -> None:
    page = await service.get("/docs")
    parts = re.findall(r'(?:src|href)="(.*?)"', page.body.decode())
    types = {}
    for part in parts:
        if part != "data:,":  # no icon, and no request for one
            address = urljoin(f"{service.address}/docs", part)
            assert address.startswith(f"{service.address}/docs/")
            response = await service.get(address.removeprefix(service.address))
            assert response.code == 200
            types[part.rpartition(".")[2]] = response.headers["Content-Type"]
            if part.endswith(".css"):
                assert set(re.findall(rb"url\(\"?(\w*:?)", response.body)) <= {b"data:"}
    assert types == {"css": "text/css", "js": "text/javascript"}


async def test_page_may_load_and_ask_nothing_but_this_service(service: Service) -> None:
    policy = (await service.get("/docs")).headers["Content-Security-Policy"]
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert set(directives.values()) == {"'none'", "'self'", "'self' data:"}


async def test_path_that_no_file_can_have(service: Service) -> None:
    assert (await service.get("/docs/%00")).code == 404


async def test_parts_of_the_page_are_cached(service: Service) -> None:
    first = await service.get("/docs/docs.js")
    again = await service.get("/docs/docs.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.code, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/docs/nothing", "/docs/swagger-ui", "/docs/%2e%2e/pages.py", "/docs//etc/passwd"])
async def test_nothing_else_is_served(service: Service, path: str) -> None:
    response = await service.get(path)
    assert response.code in (403, 404)
    problem(response)


async def test_served_as_printed(service: Service) -> None:
    assert json_decode((await service.get("/openapi.json")).body) == json_decode(document(service.application))


def test_command_needs_no_database(command: Command) -> None:
    code, printed = command("openapi")
    assert code == 0
    assert "/items" in json.loads(printed)["paths"]


class Cat(BaseModel):
    meows: bool


class Dog(BaseModel):
    barks: bool


class PetHandler(Handler):
    @operation(responses={200: [Cat, Dog]})
    def get(self) -> None:
        """Get a pet."""


def test_models_of_one_status_are_alternatives(settings: ExampleSettings) -> None:
    get = json_decode(describe(settings, [("/pet", PetHandler)]))["paths"]["/pet"]["get"]
    schema = get["responses"]["200"]["content"]["application/json"]["schema"]
    assert [one["$ref"].rpartition("/")[2] for one in schema["anyOf"]] == ["Cat", "Dog"]
