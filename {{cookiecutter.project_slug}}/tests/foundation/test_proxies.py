"""Behind a proxy of TRUSTED_PROXIES the client's address, scheme and host are right; a stranger is not believed."""

from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs
from tornado.escape import json_decode

from {{ cookiecutter.project_slug }}.foundation.web import Handler

from .example import ExampleSettings
from .support import running_with

PROXY = "127.0.0.1"  # where the test's requests come from
OTHER_PROXY = "10.1.2.3"


class EchoHandler(Handler):
    def get(self) -> None:
        self.finish({"client": self.request.remote_ip, "url": self.request.full_url(), "host": self.request.host_name})


async def ask(settings: ExampleSettings, networks: list[str], headers: dict[str, str]) -> dict[str, str]:
    trusted = frozenset(map(ip_network, networks))
    async with running_with(settings, trusted_proxies=trusted) as service:
        service.application.add_handlers(".*", [("/echo", EchoHandler)])
        with capture_logs() as lines:
            response = await service.get("/echo", headers={"Host": "inner", **headers})
        seen: dict[str, str] = json_decode(response.body)
        assert [line["client"] for line in lines if line["event"] == "request"] == [seen["client"]]
        return seen


@pytest.mark.parametrize(
    ("networks", "forwarded", "client"),
    [
        ([], "203.0.113.1", PROXY),
        ([OTHER_PROXY], "203.0.113.1", PROXY),
        ([PROXY], "203.0.113.1", "203.0.113.1"),
        (["127.0.0.0/8"], "2001:db8::1", "2001:db8::1"),
        ([PROXY], "10.9.9.9, 203.0.113.1", "203.0.113.1"),  # the client made up the first
        ([PROXY, "10.0.0.0/8"], f"1.1.1.1, 203.0.113.1, {OTHER_PROXY}", "203.0.113.1"),
        ([PROXY, "10.0.0.0/8"], f"203.0.113.1, ::ffff:{OTHER_PROXY}", "203.0.113.1"),
        ([PROXY, "10.0.0.0/8"], f"junk, {OTHER_PROXY}", OTHER_PROXY),
        ([PROXY, "10.0.0.0/8"], OTHER_PROXY, OTHER_PROXY),
        ([PROXY], "", PROXY),
        ([PROXY], "unknown", PROXY),
        ([PROXY], "fe80::1%eth0", "fe80::1%eth0"),
    ],
)
async def test_client(settings: ExampleSettings, networks: list[str], forwarded: str, client: str) -> None:
    headers = {"X-Forwarded-For": forwarded, "X-Real-IP": "9.9.9.9", "Forwarded": "for=9.9.9.9"}
    assert (await ask(settings, networks, headers))["client"] == client


@pytest.mark.parametrize(
    ("networks", "proto", "host", "url"),
    [
        ([PROXY], "https", "Example.com:444", "https://Example.com:444/echo"),
        ([PROXY], "http, HTTPS", "evil.example, example.com", "https://example.com/echo"),
        ([PROXY], "javascript", "a b", "http://inner/echo"),
        ([PROXY], "", "", "http://inner/echo"),
        ([OTHER_PROXY], "https", "example.com", "http://inner/echo"),
        ([], "https", "example.com", "http://inner/echo"),
    ],
)
async def test_scheme_and_host(settings: ExampleSettings, networks: list[str], proto: str, host: str, url: str) -> None:
    seen = await ask(settings, networks, {"X-Forwarded-Proto": proto, "X-Forwarded-Host": host})
    assert seen["url"] == url
    assert seen["host"] == url.split("/")[2].lower().removesuffix(":444")


async def test_page_of_the_same_origin_behind_a_proxy(settings: ExampleSettings) -> None:
    trusted = frozenset({ip_network(PROXY)})
    headers = {"Host": "inner", "X-Forwarded-Host": "example.com", "Origin": "https://example.com"}
    async with running_with(settings, trusted_proxies=trusted) as service:
        assert (await service.post("/items", body="name=Ada", headers=headers)).code == 201
