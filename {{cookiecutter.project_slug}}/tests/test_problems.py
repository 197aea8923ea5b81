"""Errors are problems (RFC 9457) that tell a client what it may know."""

import re
from typing import NoReturn

import pytest
from tornado.httpclient import HTTPResponse

from {{ cookiecutter.project_slug }}.handlers import RootHandler

from .service import Service, problem


async def test_unknown_path(service: Service) -> None:
    response = await service.get("/nowhere")
    assert response.code == 404
    assert "/nowhere" in problem(response)["detail"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/", "DELETE", "HEAD, GET, POST"),
        ("/", "BREW", "HEAD, GET, POST"),
        ("/create?id=1", "POST", "HEAD, GET"),
        ("/healthz", "PUT", "HEAD, GET"),
    ],
)
async def test_wrong_method(service: Service, path: str, method: str, allowed: str) -> None:
    response = await service.get(path, method=method, allow_nonstandard_methods=True)
    assert response.code == 405
    assert response.headers["Allow"] == allowed
    problem(response)


async def test_body_over_the_limit(service: Service) -> None:
    limit = service.application.max_body_size
    response = await service.post("/", b"x" * (limit + 1), "application/json")
    assert response.code == 413
    assert str(limit) in problem(response)["detail"]


async def test_bug(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(handler: RootHandler) -> NoReturn:
        raise RuntimeError("a secret")

    monkeypatch.setattr(RootHandler, "get", get)
    response = await service.get("/?id=1")
    assert response.code == 500
    assert problem(response).keys() == {"type", "title", "status", "request_id"}


async def test_request_id(service: Service) -> None:
    def request_id(response: HTTPResponse) -> str:
        return str(response.headers["X-Request-ID"])

    assert request_id(await service.get("/?id=1", headers={"X-Request-ID": "abc-1.2_3"})) == "abc-1.2_3"
    for insane in ("", "a b", "x" * 65, 'quote"'):
        made = request_id(await service.get("/?id=1", headers={"X-Request-ID": insane}))
        assert re.fullmatch("[0-9a-f]{32}", made)
