"""Errors are problems (RFC 9457), and reveal nothing of the server."""

import asyncio
import re
from typing import NoReturn

import pytest
from tornado.httpclient import HTTPResponse

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import incoming

from .example import ExampleSettings, ItemHandler
from .support import connect, problem


async def test_unknown_path(service: Service) -> None:
    response = await service.get("/nowhere")
    assert response.code == 404
    assert "/nowhere" in problem(response)["detail"]


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/items", "DELETE", "HEAD, GET, POST"),
        ("/items", "BREW", "HEAD, GET, POST"),
        ("/get-or-create?id=1", "POST", "HEAD, GET"),
        ("/healthz", "PUT", "HEAD, GET"),
    ],
)
async def test_wrong_method(service: Service, path: str, method: str, allowed: str) -> None:
    response = await service.request(method, path)
    assert response.code == 405
    assert response.headers["Allow"] == allowed
    problem(response)


@pytest.mark.parametrize("factor", [1, 20])
async def test_body_over_the_limit(service: Service, factor: int) -> None:
    """The client gets the 413 even if it sends the whole body first."""
    limit = ExampleSettings().max_body_size
    reader, writer = await connect(service.address)
    length = limit * factor + 1
    writer.write(b"POST /items HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length + b"x" * length)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"Content-Type: application/problem+json\r\n" in head
    body = await reader.readuntil(b"}")
    assert b"%d bytes" % limit in body
    assert b'"title":"Content Too Large"' in body  # on each Python
    writer.close()


async def test_body_over_the_limit_is_answered_once_and_not_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "DISCARD_TIMEOUT", 0.1)
    reader, writer = await connect(service.address)
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 999999999999999999\r\n\r\n")
    async with asyncio.timeout(30):
        answered = await reader.read()  # to the end of the connection
    assert re.findall(rb"HTTP/1\.1 (\d+)", answered) == [b"413"]
    writer.close()


@pytest.mark.parametrize("length", ["\u00b2", "9" * 5000, "-1", "1, 2"])
async def test_length_that_is_no_number(service: Service, length: str) -> None:
    reader, writer = await connect(service.address)
    writer.write(f"POST /items HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode("latin-1"))
    assert await reader.read() == b"HTTP/1.1 400 Bad Request\r\n\r\n"
    writer.close()


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", "name=a%00", 400),
        ("application/json", r'{"name": "a\u0000"}', 400),
        ("application/json", r'{"name": "a\\u0000"}', 201),  # a backslash, and no NUL
    ],
)
async def test_nul_character(service: Service, content_type: str, body: str, status: int) -> None:
    response = await service.post("/items", body=body, headers={"Content-Type": content_type})
    assert response.code == status


async def test_bug(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(handler: ItemHandler) -> NoReturn:
        raise RuntimeError("a secret")

    monkeypatch.setattr(ItemHandler, "get", get)
    response = await service.get("/items?id=1")
    assert response.code == 500
    assert problem(response).keys() == {"type", "title", "status", "request_id"}


async def test_request_id(service: Service) -> None:
    def request_id(response: HTTPResponse) -> str:
        return str(response.headers["X-Request-ID"])

    assert request_id(await service.get("/items?id=1", headers={"X-Request-ID": "abc-1.2_3"})) == "abc-1.2_3"
    for insane in ("", "a b", "x" * 65, 'quote"'):
        made = request_id(await service.get("/items?id=1", headers={"X-Request-ID": insane}))
        assert re.fullmatch("[0-9a-f]{32}", made)
