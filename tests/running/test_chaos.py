"""The service keeps its promises while its database doesn't: real servers, restarted, killed and cut off."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.figures import Figures
from harness.load import Load, go_away, load
from harness.postgres import Server
from harness.serving import BOUNDS, POOL_TIMEOUT, STATEMENT_TIMEOUT, Service, relay
from harness.waiting import wait_until

pytestmark = pytest.mark.alone

POOL_SIZE = 10
# Waiting for a connection, a statement, the second in which the server may say that it took too long; and this machine.
LONGEST_ANSWER = POOL_TIMEOUT + STATEMENT_TIMEOUT + 1 + 2
LONGEST_RECOVERY = 1


def restart(server: Server) -> None:
    server.stop()
    server.start()


def kill(server: Server) -> None:
    server.kill()
    server.start()


def be_away(server: Server) -> None:
    server.stop()
    time.sleep(POOL_TIMEOUT + 1)
    server.start()


@pytest.mark.parametrize("trouble", [restart, kill, be_away])
def test_under_load(service: Service, server: Server, figures: Figures, trouble: Callable[[Server], None]) -> None:
    with service.serving(server.url, **BOUNDS) as address:
        seen = asyncio.run(load(address, lambda: trouble(server)))
    check(seen, server)
    check_recovery(seen, server.accepted, figures, f"{service.driver}, {trouble.__name__}")


def test_restarted_while_idle(service: Service, server: Server, figures: Figures) -> None:
    with service.serving(server.url, **BOUNDS) as address:
        asyncio.run(load(address, lambda: None, after=0))  # every connection has been used
        restart(server)
        seen = asyncio.run(load(address, lambda: None, after=0))
    assert set(seen.statuses()) == {200, 201}
    figures.append(f"{service.driver}, restarted while idle: {dict(seen.statuses())}")
    figures.append(f"{service.driver}, 32 clients on 10 connections: {seen.p99_to_median('GET')}")


def test_service_is_back_with_the_network(service: Service, server: Server, figures: Figures) -> None:
    """Nothing is refused and nothing answers: a process between the two is stopped."""
    found: list[float] = []
    with relay(server.port) as between:

        def lose() -> None:
            between.process.send_signal(signal.SIGSTOP)
            time.sleep(POOL_TIMEOUT + 1)
            between.process.send_signal(signal.SIGCONT)
            found.append(time.monotonic())

        with service.serving(between.url, **BOUNDS) as address:
            seen = asyncio.run(load(address, lose))
    check(seen, server)
    check_recovery(seen, found[0], figures, f"{service.driver}, network lost for {POOL_TIMEOUT + 1} s")


def test_service_is_back_after_a_failover(service: Service, servers: Path, figures: Figures) -> None:
    primary, standby = (Server(servers / f"{name}-{service.driver}") for name in ("primary", "standby"))
    primary.create()
    primary.start()
    standby.create_standby_of(primary)
    standby.start()
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")  # a commit is acknowledged by both, or not
    primary.execute("SELECT pg_reload_conf()")

    hosts = f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/postgres?target_session_attrs"
    with service.serving(f"{hosts}=prefer-standby", MIGRATE_ON_START="false", SEED_ON_START="false", **BOUNDS):
        assert sessions_of_clients(standby)["idle"] == POOL_SIZE

    def fail_over() -> None:
        primary.kill()
        standby.promote()

    with service.serving(f"{hosts}=read-write", **BOUNDS) as address:
        seen = asyncio.run(load(address, fail_over))
    check(seen, standby)
    check_recovery(seen, standby.accepted, figures, f"{service.driver}, failover to a synchronous standby")
    standby.stop()


def test_clients_that_go_away(service: Service, server: Server, figures: Figures) -> None:
    with service.serving(server.url, **BOUNDS) as address:
        statuses = asyncio.run(go_away(address, 3000))
        assert {status.split(" ")[1] for status in statuses if status} <= {"200", "201", "503"}
        wait_for_the_pool_alone(server)
        seen = asyncio.run(load(address, lambda: None, after=0))
        wait_for_the_pool_alone(server)  # which the load has filled again
    assert set(seen.statuses()) == {200, 201}
    figures.append(f"{service.driver}, 3000 clients that went away: {statuses} before; all good afterwards")


def wait_for_the_pool_alone(server: Server) -> None:
    """Wait until there are no more sessions than the pool has: a closed one ends soon, one that leaks stays."""
    pool = Counter(idle=POOL_SIZE)
    wait_until(lambda: sessions_of_clients(server), lambda sessions: not sessions - pool, timeout=10)


def sessions_of_clients(server: Server) -> Counter[str]:
    """How many sessions are in which state, but for the one that asks."""
    return Counter(
        state
        for (state,) in server.execute(
            "SELECT state FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    )


def check(seen: Load, server: Server) -> None:
    """What holds in any trouble."""
    assert set(seen.statuses()) <= {200, 201, 503}, seen.statuses()
    assert seen.slowest() < LONGEST_ANSWER
    there = Counter(id_ for (id_,) in server.execute("SELECT id FROM testnamemodel"))
    assert not seen.acknowledged() - there
    assert seen.acknowledged()


def check_recovery(seen: Load, moment: float, figures: Figures, what: str) -> None:
    """From a second after the server accepted connections every answer is good."""
    figures.append(
        f"{what}: {dict(sorted(seen.statuses().items()))}, slowest {seen.slowest():.1f} s,"
        f" good again {1000 * seen.recovered_after(moment):.0f} ms after the server accepted connections,"
        f" {seen.acknowledged().total()} rows acknowledged and there"
    )
    assert not seen.failures_sent_after(moment + LONGEST_RECOVERY)
