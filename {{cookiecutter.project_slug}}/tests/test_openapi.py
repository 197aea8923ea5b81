"""The service is as `/openapi.json` describes it, and `/docs` needs nothing from elsewhere."""

import json
import re
from typing import Any
from urllib.parse import urljoin

import pytest
import tornado.web
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from tornado.escape import json_decode
from tornado.httpclient import HTTPResponse

from {{ cookiecutter.project_slug }}.openapi import described, document
from {{ cookiecutter.project_slug }}.openapi.describing import operation_of
from {{ cookiecutter.project_slug }}.problems import Handler
from {{ cookiecutter.project_slug }}.validation import Id

from .service import FORM, Service, problem, run

METHODS = ("get", "post", "put", "patch", "delete", "options")


async def test_description_is_valid(service: Service) -> None:
    response = await service.get("/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    validate(json_decode(response.body), cls=OpenAPIV31SpecValidator)


async def test_each_route_is_described(service: Service) -> None:
    """One that isn't needs `@described(...)` on the method, and a docstring in it."""
    rules = service.application.wildcard_router.rules
    handlers = [rule.target for rule in rules if not issubclass(rule.target, tornado.web.StaticFileHandler)]
    for handler in handlers:
        for method in METHODS:
            function = getattr(handler, method)
            if function is not getattr(tornado.web.RequestHandler, method):
                assert operation_of(handler, method), f"{handler.__name__}.{method} is not described"
                assert function.__doc__, f"{handler.__name__}.{method} has no docstring"
    assert len(json_decode(document(service.application))["paths"]) == len(handlers)


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("get", "/", {}, 200),
        ("get", "/?id=1", {}, 200),
        ("get", "/?id=0", {}, 400),
        ("get", "/?id=4", {}, 404),
        ("post", "/", {"body": "name=Ada"}, 201),
        ("post", "/", {"body": "name="}, 400),
        ("post", "/", {"body": "name=Ada", "headers": {"Origin": "https://evil.example"}}, 403),
        ("post", "/", {"body": "{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ("post", "/", {"body": "x" * 1024 * 1024 + "x"}, 413),
        ("get", "/create?id=100", {}, 200),
        ("get", "/create", {}, 400),
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
    response = await service.get(path, method=method.upper(), **given)
    assert response.code == status
    check(service, method, path, response)
    if method == "get":
        check(service, "head", path, response)


async def test_wrong_method_is_as_described(service: Service) -> None:
    check(service, "get", "/", await service.get("/", method="DELETE"))


async def test_draining_is_as_described(service: Service) -> None:
    service.application.readiness.draining = True
    check(service, "get", "/readyz", await service.get("/readyz"))


def check(service: Service, method: str, path: str, response: HTTPResponse) -> None:
    """Status, headers and body of the answer are among those that are described."""
    description = json_decode(document(service.application))
    answer = description["paths"][path.partition("?")[0]][method]["responses"][str(response.code)]
    if "$ref" in answer:
        answer = description["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    assert all(name in response.headers for name in answer["headers"])
    media_type = response.headers["Content-Type"].partition(";")[0]
    schema = answer["content"][media_type]["schema"]
    body = json_decode(response.body) if media_type.endswith("json") else response.body.decode()
    OAS31Validator(schema | {"components": description["components"]}).validate(body)


async def test_input_of_a_post(service: Service) -> None:
    description = json_decode(document(service.application))
    post = description["paths"]["/"]["post"]
    assert post["requestBody"]["content"].keys() == {"application/json", FORM, "multipart/form-data"}
    assert description["components"]["schemas"]["NewRow"]["properties"]["name"]["maxLength"] == 255
    assert post["responses"].keys() == {"201", "400", "403", "405", "413", "415", "500", "503"}


class ByPathHandler(Handler):
    @described(path={"id": Id}, query={"part": int | str, "other": str | int | None}, answers={200: ["text/plain"]})
    def get(self, _: str) -> None:
        """A summary.

        And more.
        """


def test_arguments_in_the_path() -> None:
    application = tornado.web.Application([("/rows/([0-9]+)/parts", ByPathHandler)])
    description = json_decode(document(application))
    validate(description, cls=OpenAPIV31SpecValidator)
    operation = description["paths"]["/rows/{id}/parts"]["get"]
    assert (operation["summary"], operation["description"]) == ("A summary", "And more.")
    parameters = [(given["name"], given["in"], given["required"]) for given in operation["parameters"]]
    assert parameters == [("id", "path", True), ("part", "query", True), ("other", "query", False)]


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


async def test_command(service: Service) -> None:
    """It needs no database, and prints just the JSON."""
    code, printed = await run("openapi")
    assert code == 0
    assert json.loads(printed) == json_decode((await service.get("/openapi.json")).body)
