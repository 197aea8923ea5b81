"""Defences against pages of other origins and hostile clients."""

import asyncio

import pytest
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, websocket_connect

from {{ cookiecutter.project_slug }}.foundation import listener, server
from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import Handler

from .example import ExampleSettings
from .support import connect, problem, read_to_end, running_with


@pytest.mark.parametrize("path", ["/items?id=1", "/items?id=abc", "/nowhere", "/healthz", "/metrics"])
async def test_headers(service: Service, path: str) -> None:
    headers = (await service.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in headers


TRUSTED = frozenset({"https://good.example", "https://fine.example:8443"})
FOREIGN = [
    "https://evil.example",
    "http://good.example",
    "https://good.example:8443",
    "https://good.example.evil.example",
    "https://GOOD.example",
    "null",
    "http://[",
    "\xff",
]


@pytest.mark.parametrize("origin", sorted(TRUSTED))
async def test_trusted_page_can_use_all_of_it(settings: ExampleSettings, origin: str) -> None:
    async with running_with(settings, trusted_origins=TRUSTED) as service:
        service.application.add_handlers(".*", [("/private", DemandingHandler)])
        for method, path, wanted, body in (
            ("POST", "/items", "content-type, x-request-id", '{"name": "Ada"}'),
            ("GET", "/items?id=abc", "", None),
            ("DELETE", "/items", "authorization", None),
            ("PUT", "/nowhere", "authorization", None),
            ("GET", "/docs", "", None),
            ("GET", "/private", "authorization", None),
        ):
            asked = {"Origin": origin, "Access-Control-Request-Method": method}
            if wanted:
                asked["Access-Control-Request-Headers"] = wanted
            preflight = await service.request("OPTIONS", path, headers=asked)
            assert (preflight.code, preflight.body) == (204, b"")
            assert preflight.headers["Access-Control-Allow-Methods"] == method
            assert preflight.headers["Access-Control-Allow-Headers"] == wanted
            sent = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"}
            response = await service.request(method, path, headers=sent, body=body)
            for answer in (preflight, response):
                assert answer.headers["Access-Control-Allow-Origin"] == origin
                assert answer.headers["Access-Control-Allow-Credentials"] == "true"
                assert answer.headers["Vary"] == "Origin"
            assert response.code != 403
            assert "Location" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("trusted", [TRUSTED, frozenset()])
async def test_page_of_another_origin_reads_and_changes_nothing(
    settings: ExampleSettings, trusted: frozenset[str], origin: str
) -> None:
    async with running_with(settings, trusted_origins=trusted) as service:
        for headers in ({"Origin": origin}, {"Origin": origin, "Sec-Fetch-Site": "cross-site"}):
            refused = await service.post("/items", body="name=Ada", headers=headers)
            assert refused.code == 403
            if origin != "http://[":
                assert origin in problem(refused)["detail"]
            read = await service.get("/items?id=1", headers=headers)
            preflight = await service.request(
                "OPTIONS", "/items", headers={**headers, "Access-Control-Request-Method": "POST"}
            )
            for answer in (refused, read, preflight):
                assert not [name for name in answer.headers if name.startswith("Access-Control-")]
                assert answer.headers.get("Vary") == ("Origin" if trusted else None)


async def test_answers_to_no_page_differ_by_origin_for_caches(settings: ExampleSettings) -> None:
    async with running_with(settings, trusted_origins=TRUSTED) as service:
        headers = (await service.get("/items?id=1")).headers
    assert headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in headers


class DemandingHandler(Handler):
    """Demands credentials, which a browser never sends with a preflight."""

    def prepare(self) -> None:
        super().prepare()
        if "Authorization" not in self.request.headers:
            raise HTTPError(401)

    def get(self) -> None:
        self.finish("secret")


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
    async with running_with(settings, max_body_size=2000) as service:
        reader, writer = await connect(service.address)
        writer.write(begun)
        ended = asyncio.create_task(read_to_end(reader))
        while not ended.done():
            assert service.database.pool_backend.in_use == 0
            writer.write(b"x")
            await asyncio.sleep(0.05)
        assert ended.result() == b""
        writer.close()


async def test_large_body_has_the_time_that_it_takes(
    settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BODY_TIMEOUT", 0.01)
    async with running_with(settings, max_body_size=10_000_000) as service:
        reader, writer = await connect(service.address)
        writer.write(b"POST /items HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nname=")
        await asyncio.sleep(0.1)
        writer.write(b"a")
        assert (await reader.readline()).startswith(b"HTTP/1.1 415 ")
        writer.close()


async def test_client_that_reads_nothing(settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()

    class LargeHandler(Handler):
        def get(self) -> None:
            self.finish(b"x" * 50_000_000)
            asked.set()

    monkeypatch.setattr(listener, "UNREAD_TIMEOUT", 0.5)
    async with running_with(settings) as service:
        service.application.add_handlers(".*", [("/large", LargeHandler)])
        _, writer = await connect(service.address)
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await asked.wait()
        async with asyncio.timeout(30):
            await service.application.in_flight.wait_for_end()
        writer.close()


async def test_client_that_sends_no_next_request(settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "IDLE_TIMEOUT", 0.3)
    async with running_with(settings) as service:
        reader, writer = await connect(service.address)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await read_to_end(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_long_request_and_websocket_are_not_idle(
    settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LongHandler(Handler):
        async def get(self) -> None:
            await asyncio.sleep(0.5)
            self.finish("at last")

    class EchoHandler(WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            self.write_message(message)

    monkeypatch.setattr(server, "IDLE_TIMEOUT", 0.1)
    async with running_with(settings) as service:
        service.application.add_handlers(".*", [("/long", LongHandler), ("/echo", EchoHandler)])
        socket = await websocket_connect(f"{service.address.replace('http', 'ws')}/echo")
        assert (await service.get("/long")).body == b"at last"
        await socket.write_message("still there")
        assert await socket.read_message() == "still there"
        socket.close()
        assert await socket.read_message() is None


async def test_headers_without_end(service: Service) -> None:
    reader, writer = await connect(service.address)
    writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000)
    assert await read_to_end(reader) == b""
    writer.close()
