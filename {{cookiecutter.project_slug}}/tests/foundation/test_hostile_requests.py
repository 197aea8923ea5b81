"""No bytes that a client sends make an error 500 or a traceback, and the service answers on."""

import asyncio
import random
import re
from ipaddress import ip_network

import pytest
from tornado.escape import json_encode
from tornado.websocket import WebSocketHandler

from {{ cookiecutter.project_slug }}.foundation import server
from {{ cookiecutter.project_slug }}.foundation.web import Handler, incoming

from .example import ExampleSettings, NewItem
from .support import connect, read_to_end, running_with

NUMBER = 2000
AT_ONCE = 40

# Values of which each header is made: right ones, and those on which parsers trip.
VALUES = {
    "Accept": ["*/*", "text/html;q=0.5", "a/b;q=;;", "q=1e999", "*"],
    "Accept-Language": ["de-DE,de;q=0.9", "de;q=x", "de;q=nan,en;q=1e999", "x" * 50, ";;;,,,", "a;q=-1", "-_-"],
    "Authorization": ["Bearer x", "Basic %%%", "Bearer", "Basic eDp5"],
    "Connection": ["close", "keep-alive", "upgrade, close", "Upgrade", ","],
    "Content-Disposition": ["form-data; name=x"],
    "Content-Encoding": ["gzip", "identity", "", "br, gzip"],
    "Content-Length": ["0", "5", "00005", "-1", "+5", "5,5", "5, 6", "1e3", "9" * 30, "9" * 5000, "\xb2", "0x5", ""],
    "Content-Type": [
        "application/json",
        "application/json; charset*=a; charset*0=b",
        "application/json; charset*0*=%FF''%zz",
        "application/json; charset=utf-8; charset=latin-1",
        "application/json; charset=\xff",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        'multipart/form-data; boundary="x',
        "multipart/form-data; boundary*=utf-8''x; boundary*0=y",
        "multipart/form-data; boundary=" + "x" * 300,
        "/;=*'\"",
        "a/b; " * 50,
    ],
    "Cookie": ["a=b", "a=2|1:0|10:1|1:a|1:b|c", 'a="\\377"; $Path', "=;=;=", "a=\x7f", "a" * 500 + "=", "expires=1"],
    "Expect": ["100-continue", "100-Continue, x", "200-ok", ""],
    "Forwarded": ["for=192.0.2.60;proto=http", 'for="[2001:db8::1', ";;,,=="],
    "Host": ["a", "a:1", "[::1]:1", "[", "a:b", "a,b", "", "a:99999999999", "%61", "\xe4", "a b", "@", "_"],
    "If-Modified-Since": [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Sun, 06 Nov 1994 08:49:37 +9999999999",
        "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        "0",
        "",
    ],
    "If-None-Match": ["*", 'W/"x"', '"', '""', "," * 99, '"\xff"', 'W/"'],
    "Origin": [
        "http://[",
        "https://[::1",
        "http://a:b",
        "null",
        "//",
        "\xff",
        "http://a]",
        "http://[v1.x]",
        "https://a",
    ],
    "Range": [
        "bytes=0-1",
        "bytes=-0",
        "bytes=--5",
        "bytes=5--1",
        "bytes=" + "9" * 5000 + "-",
        "bytes=\xb2-",
        "=",
        "-",
        "bytes=1_0-",
    ],
    "Referer": ["http://["],
    "Sec-Fetch-Site": ["cross-site", "same-origin", "\xff", ""],
    "Sec-WebSocket-Extensions": [
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=99; client_max_window_bits=x",
        "x; a*=b; a*0=c",
        "x; a*0*=d",
        ';;="',
    ],
    "Sec-WebSocket-Key": ["AAAAAAAAAAAAAAAAAAAAAA==", "\xff", ""],
    "Sec-WebSocket-Protocol": ["a, b", ",,"],
    "Sec-WebSocket-Version": ["13", "8", "x", "99999", ""],
    "TE": ["trailers"],
    "Transfer-Encoding": ["chunked", "Chunked", "gzip, chunked", "identity", "\x0bchunked", ""],
    "Upgrade": ["websocket", "h2c", ""],
    "X-Forwarded-For": ["1.2.3.4", "::1%" + "x" * 99, "1.2.3.4, , ::", "\xff", "fe80::1%eth0, 127.0.0.1"],
    "X-Forwarded-Host": ["a", "[", "a:b:c", "\xff", "a,b"],
    "X-Forwarded-Proto": ["https", "\xff", "https,http"],
    "X-HTTP-Method-Override": ["DELETE"],
    "X-Request-ID": ["abc", "\xff", "x" * 100, "", "a\tb"],
    "X-Xsrftoken": ["2|x|y|z", "\xff"],
    "Access-Control-Request-Method": ["POST", "\xff", ""],
    "Access-Control-Request-Headers": ["x, y", "\xff"],
}
METHODS = ["GET", "GET", "GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "CONNECT", "TRACE", "get", "BREW", "PRI", "*"]
TARGETS = [
    "/items",
    "/items?id=1",
    "/items?id=%ff",
    "/items?id=%00&id",
    "/items?id=\xff",
    "/items?" + "a&" * 1500,
    "/items?%",
    "/items/",
    "//items",
    "/%69tems?id=1",
    "/items%00",
    "/items;x",
    "/parse/%ff",
    "/parse/\xe4%2e%2e%2f",
    "/parse/x?name=%ud800&x=%ff",
    "/get-or-create?id=7",
    "/docs/docs.css",
    "/docs/docs.css",
    "/docs/../docs/docs.css",
    "/docs/" + "x" * 5000,
    "/docs/\xe4",
    "/websocket",
    "/websocket",
    "http://a/items?id=1",
    "http://[/items",
    "http://",
    "https:///items",
    "ftp://a/",
    "*",
    "a:443",
    "?",
    "#",
    "\xff",
    "/" + "%" * 200,
]
VERSIONS = ["1.1", "1.1", "1.1", "1.0", "1.9", "2.0", "0.9"]
PART = b'Content-Disposition: form-data; name="name"%s\r\n\r\nAda\r\n'
BODIES = [
    b"",
    b"name=Ada",
    b"name=%ff&name=%00",
    b"&" * 2000,
    b'{"name": "Ada"}',
    b'{"name": "\\ud800"}',
    b'{"name": "Ada", "name": 1%s}' % (b"0" * 5000),
    b"[" * 20_000,
    b'{"name":' * 5000,
    b"\xef\xbb\xbf{}",
    b"\xff\xfe",
    b"--x\r\n" + PART % b"" + b"--x--\r\n",
    b"--x\r\n" + PART % b"; name*=a; name*0=b" + b"--x--\r\n",
    b"--x\r\n" + PART % b'; filename="\xff"' + b"--x--\r\n",
    b"--x\r\n" + PART % b"; filename*=utf-8''%zz" + b"--x--\r\n",
    b"--x\r\n\r\n--x--",
    b"--x\r\n" * 200 + b"--x--",
    b"5\r\nname=\r\n0\r\n\r\n",
    b"-1\r\n",
    b"fffffffffffffffffffff\r\nx",
    b"5;a=b\r\nname=\r\n0\r\nX: y\r\n\r\n",
]
RIGHT = [
    ("POST", "/items", "application/json", b'{"name": "Ada"}'),
    ("POST", "/items", "application/x-www-form-urlencoded", b"name=Ada"),
    ("POST", "/parse/x", "multipart/form-data; boundary=x", b"--x\r\n" + PART % b"" + b"--x--\r\n"),
    ("GET", "/docs/docs.css", "", b""),
    ("GET", "/websocket", "", b""),
]


class ParsingHandler(Handler):
    """Reads all that Tornado and the foundation parse of a request."""

    def get(self, name: str) -> None:
        self.get_cookie("a")
        self.get_signed_cookie("a")
        self.get_browser_locale()
        self.request.full_url()
        self.check_etag_header()
        seen = {"name": name, "arguments": self.get_arguments("name"), "files": len(self.request.files)}
        self.finish(json_encode(seen))

    def post(self, name: str) -> None:
        NewItem.from_request(self.request)
        self.get(name)


class SocketHandler(WebSocketHandler):
    def get_compression_options(self) -> dict[str, object]:
        return {}

    def open(self, *args: str, **kwargs: str) -> None:
        self.close()


def mutated(chance: random.Random, text: bytes) -> bytes:
    """Change, drop, repeat or insert a byte."""
    where = chance.randrange(len(text) + 1)
    inserted = bytes([chance.choice([0, 9, 10, 11, 13, 32, 34, 37, 42, 44, 58, 59, 61, 91, 127, 128, 255])])
    return text[:where] + chance.choice([b"", inserted, inserted * 3]) + text[where + chance.choice([0, 0, 1]) :]


def request(chance: random.Random) -> bytes:
    method, target, version = chance.choice(METHODS), chance.choice(TARGETS), chance.choice(VERSIONS)
    body, content_type = chance.choice(BODIES), chance.choice(VALUES["Content-Type"])
    if chance.random() < 0.2:
        method, target, content_type, body = chance.choice(RIGHT)
    headers = {"Host": "a", "Connection": "close", "Cookie": "a=b"}
    if target == "/docs/docs.css":
        headers["If-None-Match"] = "*"
    if target == "/websocket":
        headers |= {"Connection": "Upgrade", "Upgrade": "websocket"}
        headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version": "13"}
    if body:
        headers |= {"Content-Length": str(len(body)), "Content-Type": content_type}
    for name in chance.sample([*VALUES], chance.choice([0, 1, 1, 2, 5])):
        headers[name] = chance.choice(VALUES[name])
    if chance.random() < 0.1:
        headers.pop(chance.choice([*headers]))
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if chance.random() < 0.1:
        lines.append(chance.choice(lines) if lines else "")
    head = "\r\n".join([f"{method} {target} HTTP/{version}", *lines]).encode("latin-1")
    if chance.random() < 0.2:
        head = mutated(chance, head)
    return head + b"\r\n\r\n" + body


async def test_hostile_requests(
    settings: ExampleSettings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module, name in ((server, "IDLE_TIMEOUT"), (server, "BODY_TIMEOUT"), (incoming, "DISCARD_TIMEOUT")):
        monkeypatch.setattr(module, name, 0.2)
    chance = random.Random(1)
    requests = iter([request(chance) for _ in range(NUMBER)])
    statuses = set()

    async def send_requests(address: str) -> None:
        for sent in requests:
            reader, writer = await connect(address)
            writer.write(sent)
            answered = await read_to_end(reader)
            writer.close()
            status = re.match(rb"HTTP/1\.1 (\d+)", answered)
            statuses.add(int(status[1]) if status else 0)
            assert status is None or int(status[1]) < 500, sent
            assert not [record for record in caplog.records if record.exc_info], sent

    trusted = {"trusted_origins": frozenset({"https://a"}), "trusted_proxies": frozenset({ip_network("127.0.0.1")})}
    async with running_with(settings, max_body_size=10_000, **trusted) as service:
        service.application.settings["cookie_secret"] = "secret"
        service.application.add_handlers(".*", [("/parse/(.*)", ParsingHandler), ("/websocket", SocketHandler)])
        caplog.set_level("WARNING")
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(send_requests(service.address))
        assert (await service.get("/items?id=1")).code == 200
        await service.application.in_flight.wait_for_end()
    assert {101, 200, 201, 304, 400, 403, 404, 405, 413, 415} <= statuses
