"""Defences against pages of other origins and hostile clients."""

import asyncio

import pytest

from {{ cookiecutter.project_slug }}.foundation import server
from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import ExampleSettings
from .support import connect, problem, read_to_end, running_with


@pytest.mark.parametrize("path", ["/items?id=1", "/items?id=abc", "/nowhere", "/healthz", "/metrics"])
async def test_headers(service: Service, path: str) -> None:
    headers = (await service.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in headers


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("https://good.example", 201), ("https://fine.example:8443", 201)],
)
async def test_page_of_another_origin(settings: ExampleSettings, origin: str, status: int) -> None:
    trusted = frozenset({"https://good.example", "https://fine.example:8443"})
    async with running_with(settings, trusted_origins=trusted) as service:
        headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
        response = await service.post("/items", body="name=Ada", headers=headers)
    assert response.code == status
    if status == 403:
        assert origin in problem(response)["detail"]


async def test_page_of_the_same_origin(service: Service) -> None:
    response = await service.post("/items", body="name=Ada", headers={"Origin": service.address})
    assert response.code == 201


@pytest.mark.parametrize(
    ("limit", "begun"),
    [
        ("IDLE_TIMEOUT", b"POST /items HTTP/1.1\r\n"),
        ("BODY_TIMEOUT", b"POST /items HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"),
    ],
)
async def test_client_that_sends_a_byte_now_and_then(
    settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch, limit: str, begun: bytes
) -> None:
    monkeypatch.setattr(server, limit, 0.3)
    async with running_with(settings) as service:
        reader, writer = await connect(service.address)
        writer.write(begun)
        ended = asyncio.create_task(read_to_end(reader))
        while not ended.done():
            assert service.database.pool_backend.in_use == 0
            writer.write(b"x")
            await asyncio.sleep(0.05)
        assert ended.result() == b""
        writer.close()


async def test_headers_without_end(service: Service) -> None:
    reader, writer = await connect(service.address)
    writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
    assert await read_to_end(reader) == b""
    writer.close()
