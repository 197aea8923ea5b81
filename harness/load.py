"""Clients that read and create rows, and record every answer."""

import asyncio
import contextlib
import itertools
import math
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.client import BAD_GATEWAY

import aiohttp


@dataclass(frozen=True)
class Answer:
    """A request's answer: when it was sent and how long it took (seconds), its status, and the id in it, if any."""

    sent: float
    seconds: float
    method: str
    status: int
    id: int | None

    @property
    def received(self) -> float:
        return self.sent + self.seconds


@dataclass(frozen=True)
class Load:
    """All answers of one run."""

    answers: list[Answer]

    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)

    def acknowledged(self) -> Counter[int]:
        """Return the ids of the rows that the service said it had created, and how often: twice is a row lost."""
        return Counter(answer.id for answer in self.answers if answer.method == "POST" and answer.id is not None)

    def slowest(self) -> float:
        return max(answer.seconds for answer in self.answers)

    def recovered_after(self, moment: float) -> float:
        """Return the seconds from this moment to the first success of a request sent after it."""
        good = [answer for answer in self.answers if answer.sent >= moment and answer.status < 300]
        return min((answer.received for answer in good), default=math.inf) - moment

    def longest_gap(self) -> float:
        """Return the longest time, in seconds, in which no row was acknowledged."""
        created = sorted(answer.received for answer in self.answers if answer.status == 201)
        return max(after - before for before, after in itertools.pairwise(created))

    def failures_sent_after(self, moment: float) -> list[Answer]:
        return [answer for answer in self.answers if answer.sent > moment and answer.status >= 300]

    def p99_to_median(self, method: str) -> str:
        """Describe the median, the 99th percentile, and their ratio."""
        times = [answer.seconds for answer in self.answers if answer.method == method]
        median, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        return f"{method} median {1000 * median:.1f} ms, p99 {1000 * p99:.1f} ms ({p99 / median:.1f} times)"


async def load(
    address: str,
    trouble: Callable[[], None],
    *,
    clients: int = 32,
    after: float = 2,
    pause: float = 0,
    may_close: bool = False,
) -> Load:
    """Put load on the service from a second before the trouble until `after` seconds after it.

    Clients pause that many seconds between an answer and the next request.

    Raises an ExceptionGroup of aiohttp.ClientError or TimeoutError if a request gets no answer. With `may_close`, a
    connection that is closed instead counts as a 502: HAProxy closes it where the one to the server, which it had used
    before, has died.
    """
    answers: list[Answer] = []
    ended = asyncio.Event()

    async def client(session: aiohttp.ClientSession) -> None:
        while not ended.is_set():
            for method, path, data in (("POST", "/", {"name": "a row"}), ("GET", "/?id=1", None)):
                sent = time.monotonic()
                status, id_ = int(BAD_GATEWAY), None
                try:
                    async with session.request(method, address + path, data=data) as response:
                        body = await response.json(content_type=None) if response.status < 300 else {}
                        status, id_ = response.status, body.get("id")
                except aiohttp.ServerDisconnectedError:
                    if not may_close:
                        raise
                answers.append(Answer(sent, time.monotonic() - sent, method, status, id_))
                await asyncio.sleep(0.05 if status == 503 else pause)

    connector = aiohttp.TCPConnector(limit=clients)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as session,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(clients):
            group.create_task(client(session))
        await asyncio.sleep(1)
        await asyncio.to_thread(trouble)
        await asyncio.sleep(after)
        ended.set()
    return Load(answers)


async def go_away(address: str, clients: int, *, at_once: int = 64) -> Counter[str]:
    """Disconnect each client within 100 ms, and count the status lines of the answers that came before that."""
    host, port = address.removeprefix("http://").split(":")
    chance = random.Random(1)
    turn = asyncio.Semaphore(at_once)
    answered: Counter[str] = Counter()
    body = "name=a+row"
    requests = [
        f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        f"GET /create?id={{id}} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    ]

    async def client(number: int) -> None:
        async with turn:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(chance.choice(requests).format(id=1_000_000 + number % 50).encode())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(chance.random() * 0.1):
                    answered[(await reader.readline()).decode().strip()] += 1
            writer.close()

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))
    return answered
