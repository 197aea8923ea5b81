"""The service keeps its promises on a cluster of Patroni's, whose leader dies, freezes and changes.

Six services meet each trouble at the same time, two instances each: those of both drivers, straight to the nodes,
through HAProxy, and through HAProxy and PgBouncer.
"""

import asyncio
import contextlib
import functools
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.baked import Bake
from harness.choices import CHOICES
from harness.figures import Figures
from harness.load import Load, load
from harness.patroni import (
    CONNECTIONS,
    START_TIMEOUT,
    Cluster,
    Probe,
    Program,
    haproxy_of_database,
    haproxy_of_service,
    pgbouncer,
    started,
)
from harness.pythons import PythonFor
from harness.serving import BOUNDS, Instance, Service, start, stop
from harness.waiting import wait_until

pytestmark = [pytest.mark.alone, pytest.mark.ha]

CLIENTS = 4  # of each service
PAUSE = 0.05  # seconds; two cores carry it all
FROZEN = 60  # seconds
SESSIONS = """
SELECT client_port, state FROM pg_stat_activity
WHERE backend_type = 'client backend' AND application_name NOT LIKE 'Patroni%' AND pid <> pg_backend_pid()
"""
POOL_SIZE = 5
SETTINGS = BOUNDS | {
    "POOL_MAX_SIZE": str(POOL_SIZE),
    "SHUTDOWN_DELAY": "2",
    "MIGRATE_ON_START": "false",
    "SEED_ON_START": "false",
}


@dataclass
class Stack:
    """A cluster, what stands in front of it, and two instances of each service, with the address of their balancer."""

    cluster: Cluster
    haproxy: Program
    pgbouncer: Program
    ways: dict[str, str]
    addresses: dict[str, str]
    first: list[Instance]
    second: list[Instance]


@pytest.fixture(scope="module")
def stack(bake: Bake, python_for: PythonFor, servers: Path) -> Iterator[Stack]:
    cluster = Cluster(servers)
    keeping, through_haproxy = haproxy_of_database(servers / "haproxy", cluster, cuts_sessions=False)
    cutting, behind_pgbouncer = haproxy_of_database(servers / "haproxy-of-pgbouncer", cluster)
    bouncer, through_pgbouncer = pgbouncer(
        servers / "pgbouncer",
        behind_pgbouncer,
        max_client_conn=CONNECTIONS,
        default_pool_size=20,
        server_login_retry=0.2,
        server_fast_close=1,
    )
    ways = {"nodes": cluster.url, "haproxy": through_haproxy, "pgbouncer": f"{through_pgbouncer}?options="}
    services = {driver: Service(bake(driver=driver), python_for(driver), driver) for driver in CHOICES["driver"]}
    pairs = {
        f"{driver}-{way}": [
            Instance(service, url, SETTINGS, servers / f"{driver}-{way}-{number}.log") for number in (1, 2)
        ]
        for driver, service in services.items()
        for way, url in ways.items()
    }
    balancer, addresses = haproxy_of_service(
        servers / "balancer", {name: [instance.port for instance in pair] for name, pair in pairs.items()}
    )
    first, second = (list(instances) for instances in zip(*pairs.values(), strict=True))
    with cluster.running(), started(keeping, cutting, bouncer, balancer):
        for command in ("migrate", "seed"):
            code, printed = services["aiopg"].run(command, DATABASE_URL=cluster.url)
            assert code == 0, printed
        start(first + second)
        try:
            yield Stack(cluster, keeping, bouncer, ways, addresses, first, second)
        finally:
            stop(first + second)


def kill_leader(stack: Stack) -> None:
    leader = stack.cluster.leader
    leader.kill()
    wait_until(stack.cluster.roles, lambda roles: roles.get("leader", leader) is not leader, START_TIMEOUT)
    leader.start()


def switch_over(stack: Stack) -> None:
    stack.cluster.switch_over()


def freeze_leader(stack: Stack) -> None:
    leader = stack.cluster.leader
    leader.send(signal.SIGSTOP)
    time.sleep(FROZEN)
    leader.send(signal.SIGCONT)


def kill_instances(stack: Stack) -> None:
    for instance in stack.first:
        instance.kill()
    start(stack.first)


def restart_instances(stack: Stack) -> None:
    for instances in (stack.first, stack.second):
        stop(instances)
        start(instances)


def kill_haproxy(stack: Stack) -> None:
    stack.haproxy.kill()
    stack.haproxy.start()


def kill_pgbouncer(stack: Stack) -> None:
    stack.pgbouncer.kill()
    stack.pgbouncer.start()


def probe_of(name: str, probes: dict[str, Probe]) -> Probe:
    _, way = name.split("-")
    return probes[way]


@pytest.mark.parametrize(
    "trouble",
    [switch_over, kill_leader, freeze_leader, kill_instances, restart_instances, kill_haproxy, kill_pgbouncer],
)
def test_under_load(stack: Stack, figures: Figures, trouble: Callable[[Stack], None]) -> None:
    ended = threading.Event()

    def run_trouble() -> None:
        try:
            trouble(stack)
            stack.cluster.wait_until_whole()
        finally:
            ended.set()

    def wait() -> None:
        ended.wait()

    async def load_all() -> list[Load]:
        may_close = trouble is kill_instances
        load_on = functools.partial(load, clients=CLIENTS, pause=PAUSE, after=5, may_close=may_close)
        first, *others = stack.addresses.values()
        return await asyncio.gather(load_on(first, run_trouble), *(load_on(other, wait) for other in others))

    urls = {way: [url] for way, url in stack.ways.items()} | {"nodes": [node.url for node in stack.cluster.nodes]}
    probes = {way: Probe(urls) for way, urls in urls.items()}
    with contextlib.ExitStack() as probing:
        for probe in probes.values():
            probing.enter_context(probe)
        loads = asyncio.run(load_all())

    leaderless = probes["nodes"].longest_gap()
    for name, seen in zip(stack.addresses, loads, strict=True):
        figures.append(
            f"{trouble.__name__}, {name}: {dict(sorted(seen.statuses().items()))},"
            f" no row for {seen.longest_gap():.1f} s, no leader for {leaderless:.1f} s,"
            f" no way to it for {probe_of(name, probes).longest_gap():.1f} s"
        )
    there = Counter(id_ for (id_,) in stack.cluster.leader.execute("SELECT id FROM testnamemodel"))
    lost = sum((seen.acknowledged() for seen in loads), Counter[int]()) - there
    assert not lost, f"{lost.total()} rows, {min(lost)} to {max(lost)}, aren't among {len(there)} up to {max(there)}"
    allowed = {200, 201, 503} | ({502} if trouble is kill_instances else set())  # HAProxy's, for a request under way
    for name, seen in zip(stack.addresses, loads, strict=True):
        assert set(seen.statuses()) <= allowed, name
        assert seen.longest_gap() <= probe_of(name, probes).longest_gap() + 1, name
    for instance in stack.first + stack.second:
        for _ in range(2 * POOL_SIZE):
            urllib.request.urlopen(f"{instance.address}/", b"name=a+row").close()
    for node in stack.cluster.nodes:
        if node is not stack.cluster.leader:
            assert not node.execute(SESSIONS), node.name
