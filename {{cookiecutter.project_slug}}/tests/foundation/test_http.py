"""HTTP as its specifications say (RFC 9110 and 9112), where Tornado or a shortcut would differ."""

import asyncio
import re
from urllib.parse import quote

import pytest
from pydantic import Field
from tornado.escape import json_decode
from tornado.websocket import WebSocketHandler

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import Handler, RequestBody, incoming

from .example import ExampleSettings, Item
from .support import connect, handshake, problem, read_to_end

BOUNDARY = b'--Ab\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--Ab--\r\n'


async def send(service: Service, sent: bytes) -> tuple[int, bytes]:
    """Send a request whose connection closes after it; return the status and the body of its only answer."""
    reader, writer = await connect(service.address)
    writer.write(sent)
    answered = await read_to_end(reader)
    writer.close()
    assert len(re.findall(rb"^HTTP/1\.1 ", answered, re.MULTILINE)) == 1, answered
    head, _, body = answered.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("http://a/items?id=1", "Host: a", 200),
        ("HTTPS://a:8443/items?id=1", "Host: a", 200),
        ("http://a?id=1", "Host: a", 404),
        ("http://a", "Host: a", 404),
        ("http://a/items?to=http://b/", "Host: a", 200),
        ("http://a/items?id=1", "Host: a\r\nHost: b", 400),
        ("http://a/items?id=1", "X: y", 400),
        ("http://u:p@a/items?id=1", "Host: a", 400),
        ("http:///items?id=1", "Host: a", 404),
        ("items?id=1", "Host: a", 404),
        ("*", "Host: a", 404),
    ],
)
async def test_target_in_absolute_form(service: Service, target: str, headers: str, status: int) -> None:
    got, _ = await send(service, f"GET {target} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n\r\n".encode())
    assert got == status


async def test_host_of_a_target_in_absolute_form_counts(service: Service) -> None:
    class EchoHandler(Handler):
        def get(self) -> None:
            self.finish({"url": self.request.full_url()})

    service.application.add_handlers(".*", [("/echo", EchoHandler)])
    _, body = await send(service, b"GET http://a/echo HTTP/1.1\r\nConnection: close\r\nHost: b\r\n\r\n")
    assert json_decode(body) == {"url": "http://a/echo"}


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("Application/X-WWW-Form-UrlEncoded", b"name=Ada", 201),
        ("APPLICATION/JSON; Charset=UTF-8", b'{"name": "Ada"}', 201),
        ('application/json;charset="utf-8"', b'{"name": "Ada"}', 201),
        ("application/json; charset=latin-1", b'{"name": "Ada"}', 415),
        ("application/json, text/plain", b'{"name": "Ada"}', 415),
        ("application/jsonp", b'{"name": "Ada"}', 415),
        ("Multipart/Form-Data; Boundary=Ab", BOUNDARY, 201),
        ('multipart/form-data; BOUNDARY="Ab"', BOUNDARY, 201),
        ("multipart/form-data", BOUNDARY, 400),
        ("application/json; charset*=a; charset*0=b", b'{"name": "Ada"}', 201),
        ("multipart/form-data; boundary*=a; boundary*0=b", BOUNDARY, 400),
    ],
)
async def test_media_type(service: Service, content_type: str, body: bytes, status: int) -> None:
    assert (await service.post("/items", body=body, headers={"Content-Type": content_type})).code == status


class Nested(RequestBody):
    name: str
    parts: list[dict[str, int]] = Field(default_factory=list)


class NestedHandler(Handler):
    def post(self) -> None:
        self.finish(Nested.from_request(self.request).model_dump())


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"name": "a", "name": "b"}', "name: given 2 times"),
        ('{"name": "a", "n\\u0061me": "b"}', "name: given 2 times"),
        ('{"name": "a", "parts": [{"x": 1}, {"y": 1, "y": 2, "y": 3}]}', "y: given 3 times"),
        ('{"name": "a:b", "parts": [{"x": 1}, {"x": 2}]}', None),
        ('{"name": "a", "parts": [{"x": %s}]}' % ("9" * 5000), "Invalid JSON: "),
        ('{"name": "a", "parts": %s}' % ("[" * 100_000), "Invalid JSON: "),
    ],
)
async def test_field_given_twice(service: Service, body: str, detail: str | None) -> None:
    service.application.add_handlers(".*", [("/nested", NestedHandler)])
    response = await service.post("/nested", body=body, headers={"Content-Type": "application/json"})
    if detail is None:
        assert response.code == 200
    else:
        assert response.code == 400
        assert problem(response)["detail"].startswith(detail)


@pytest.mark.parametrize("factor", [1, 20])
async def test_chunked_body_over_the_limit(service: Service, factor: int) -> None:
    """It is refused with the reason, and the connection goes on."""
    limit = ExampleSettings().max_body_size
    reader, writer = await connect(service.address)
    writer.write(b"POST /items HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(factor):
        writer.write(b"%x\r\n" % (limit + 1) + b"x" * (limit + 1) + b"\r\n")
    writer.write(b"0\r\n\r\n")
    writer.write(b"GET /items?id=1 HTTP/1.1\r\nHost: a\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"Content-Type: application/problem+json\r\n" in head
    assert b"%d bytes" % limit in await reader.readuntil(b"}")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    writer.close()
    assert await Item.select().aio_count() == 3


async def test_chunked_body_within_the_limit(service: Service) -> None:
    body = b"name=" + b"x" * 200
    sent = b"POST /items HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    sent += b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    sent += b"".join(b"1;extension=1\r\n%c\r\n" % byte for byte in body).replace(b";extension=1", b"") + b"0\r\n\r\n"
    assert (await send(service, sent))[0] == 201


async def test_chunked_body_without_end_is_answered_once_and_not_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "DISCARD_TIMEOUT", 0.1)
    limit = ExampleSettings().max_body_size
    head = b"POST /items HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with asyncio.timeout(30):
        status, _ = await send(service, head + b"ffffffffffff\r\n" + b"x" * (limit + 1))
    assert status == 413
    await service.application.in_flight.wait_for_end()


@pytest.mark.parametrize("number", [1, 400])
async def test_headers_over_the_limit(service: Service, number: int) -> None:
    limit = incoming.MAX_HEADERS_SIZE
    headers = b"".join(b"X-%d: %s\r\n" % (each, b"x" * (limit // number)) for each in range(number))
    status, body = await send(service, b"GET /items HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + b"\r\n")
    assert status == 431
    assert json_decode(body)["detail"] == f"The headers may have {limit} bytes at most"


@pytest.mark.parametrize("argument", ["x", quote("ä"), "&a"])
async def test_target_over_the_limit(service: Service, argument: str) -> None:
    limit = incoming.MAX_TARGET_SIZE
    target = "/items?id=" + argument * (limit // len(argument))
    sent = f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    status, body = await send(service, sent.encode())
    assert status == 414
    assert json_decode(body)["detail"] == f"The target may have {limit} bytes at most"


@pytest.mark.parametrize(
    "expect", ["100-continue", "100-Continue", "100-continue\r\nExpect: 100-continue", "a, 100-CONTINUE"]
)
async def test_expectation_is_answered_once(service: Service, expect: str) -> None:
    head = "POST /items HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n"
    reader, writer = await connect(service.address)
    writer.write(f"{head}Expect: {expect}\r\nConnection: close\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    writer.write(b"name=Ada")
    assert re.findall(rb"HTTP/1\.1 (\d+)", await reader.read()) == [b"201"]
    writer.close()


async def test_http_1_0_knows_no_expectation(service: Service) -> None:
    head = b"POST /items HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\n"
    assert (await send(service, head + b"Expect: 100-continue\r\n\r\nname=Ada"))[0] == 201


@pytest.mark.parametrize(
    "headers",
    [
        "HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked",
        "HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 0",
        "HTTP/1.1\r\nHost: a\r\nContent-Length: +4",
        "HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4",
        "HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4, 5",
        "HTTP/1.1\r\nHost: a\r\n Content-Length: 4",
    ],
)
async def test_smuggled_request(service: Service, headers: str) -> None:
    """Where a body ends must be beyond doubt: else what follows is a request to one, and body to another."""
    smuggled = "0\r\n\r\nGET /items?id=1 HTTP/1.1\r\nHost: a\r\n\r\n"
    status, body = await send(service, f"POST /items {headers}\r\n\r\n{smuggled}".encode())
    assert (status, body) == (400, b"")


async def test_websocket_with_an_extended_parameter(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    class SocketHandler(WebSocketHandler):
        def open(self, *args: str, **kwargs: str) -> None:
            self.close()

    service.application.add_handlers(".*", [("/socket", SocketHandler)])
    reader, writer = await connect(service.address)
    writer.write(handshake("/socket", "Sec-WebSocket-Extensions: x; a*=b; a*0=c"))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    writer.close()
    assert not caplog.records


async def test_part_with_long_headers(service: Service) -> None:
    """Tornado would take a second for a hundred parts with the longest ones that it allows."""
    body = b'--x\r\nContent-Disposition: form-data; name="' + b";" * 3000 + b'"\r\n\r\nAda\r\n--x--\r\n'
    response = await service.post("/items", body=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert problem(response)["status"] == 400
    assert "header" in problem(response)["detail"]


async def test_assets_are_sent_whole(service: Service) -> None:
    response = await service.get("/docs/docs.css", headers={"Range": "bytes=5-2"})
    assert response.code == 200
