"""The servers to connect to, and their addresses."""

import asyncio
import math
import random
import socket
from typing import Any

import peewee

from . import driver
from .errors import peewee_errors, refused_connection

Keywords = dict[str, Any]

OLDEST_SERVER = 14  # has client_connection_check_interval
AVOID = 30  # seconds for which an address that didn't answer is tried last


class Hosts:
    """Tries the servers that libpq's keywords name one address at a time, as libpq does.

    Async libpq ignores `connect_timeout` and resolves names synchronously, so it can't do that itself.
    """

    def __init__(self, keywords: Keywords) -> None:
        self._keywords = dict(keywords)
        self._connect_timeout = float(self._keywords.pop("connect_timeout", 0)) or math.inf
        self._avoided: dict[str, float] = {}

    async def connect(self, seconds: float) -> driver.Connection:
        """Connect to the first address that accepts; each has an equal share of `seconds`.

        Raises OperationalError with a line for each refusal (TooManyConnections where that is one), NotSupportedError
        where the server is too old.
        """
        loop = asyncio.get_running_loop()
        refusals, addresses = [], []
        for host in _each_host(self._keywords):
            try:
                addresses += await _addresses(host)
            except (OSError, UnicodeError) as error:
                refusals.append(f"{host['host']}: {error}")
        addresses.sort(key=lambda address: self._avoided.get(_name(address), 0) > loop.time())
        for address in addresses:
            try:
                async with asyncio.timeout(min(seconds / len(addresses), self._connect_timeout)):
                    with peewee_errors:
                        return _supported(await driver.connect(**address))
            except TimeoutError:
                self._avoided[_name(address)] = loop.time() + AVOID
                refusals.append(f"{_name(address)}: no connection in time")
            except peewee.OperationalError as error:
                refusals.append(f"{_name(address)}: {str(error).strip()}")
        raise refused_connection("\n".join(refusals))


def _supported(connection: driver.Connection) -> driver.Connection:
    version = driver.server_version(connection) // 10_000
    if version < OLDEST_SERVER:
        driver.close(connection)
        raise peewee.NotSupportedError(f"PostgreSQL {version} is too old: it should be {OLDEST_SERVER} or newer")
    return connection


def _each_host(keywords: Keywords) -> list[Keywords]:
    """Return the keywords of each host, in the order to try them."""
    lists = {name: str(keywords[name]).split(",") for name in ("host", "hostaddr", "port") if keywords.get(name)}
    number = max(len(lists.get(name, [""])) for name in ("host", "hostaddr"))
    hosts = [
        keywords | {name: values[index % len(values)] for name, values in lists.items()} for index in range(number)
    ]
    if keywords.get("load_balance_hosts") == "random":
        random.shuffle(hosts)
    if keywords.get("target_session_attrs") == "prefer-standby":
        return [host | {"target_session_attrs": attributes} for attributes in ("standby", "any") for host in hosts]
    return hosts


async def _addresses(host: Keywords) -> list[Keywords]:
    """Return the keywords of each address of a host. Raises OSError or UnicodeError where it has none."""
    name = host.get("host", "")
    if host.get("hostaddr") or name.startswith(("/", "@")) or not name:  # an address already, or a Unix socket
        return [host]
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [host | {"hostaddr": address[0]} for *_, address in found]


def _name(address: Keywords) -> str:
    """Return the host, its address and its port, as far as they are given, for messages."""
    names = dict.fromkeys(str(address[key]) for key in ("host", "hostaddr", "port") if address.get(key))
    return " ".join(names) or "the default server"
