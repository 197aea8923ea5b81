"""The projects' tests bite: each of these changes to a project fails the test that is named with it."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from .baked import Project
from .choices import CHOICES
from .conftest import Bake, PythonFor

AIOPG = ("aiopg",)
PSYCOPG = ("psycopg",)
# Modules in which it may depend on the driver whether a test notices: those are changed in the projects of both.
OF_DRIVERS = {
    f"database/{name}.py" for name in ("configuration", "database", "driver", "errors", "liveness", "ownership", "pool")
}


@dataclass(frozen=True)
class Mutation:
    """A text in a module of the service, what to put in its place, and the test that has to fail then."""

    module: str
    old: str
    new: str
    test: str
    only: tuple[str, ...] = ()
    hangs: bool = False

    @property
    def drivers(self) -> tuple[str, ...]:
        return self.only or (tuple(CHOICES["driver"]) if self.module in OF_DRIVERS else AIOPG)


MUTATIONS = [
    # A task owns its connection and its transaction.
    Mutation(
        "database/ownership.py",
        "self._owner is asyncio.current_task()",
        "True",
        "test_tasks.py::test_spawned_task_is_outside_the_transaction[run_as_task]",
    ),
    Mutation(
        "database/ownership.py",
        "not self.is_released and ",
        "",
        "test_tasks.py::test_connection_that_another_task_released_is_not_used",
    ),
    Mutation(
        "database/ownership.py",
        "self._pool.give_back(self._taken.release())",
        "self._pool.give_back(self._taken.release())\n            self._current._last.set(None)",
        "test_tasks.py::test_releasing_the_connection_of_another_task_keeps_ones_own",
    ),
    Mutation(
        "database/database.py",
        "self._current = CurrentConnection()",
        "self._current = logger.__dict__.setdefault('shared', CurrentConnection())",
        "test_tasks.py::test_another_database_is_not_in_the_transaction",
    ),
    # Transactions and their errors.
    Mutation(
        "database/database.py",
        "nested = not driver.is_idle(connection)",
        "nested = False",
        "test_transactions.py::test_inner_block_is_a_savepoint",
    ),
    Mutation(
        "database/database.py",
        "if not is_savepoint and not driver.is_idle(owned.connection):",
        "if False:",
        "test_transactions.py::test_block_inside_a_transaction_that_was_begun_is_a_savepoint",
    ),
    Mutation(
        "database/database.py",
        "if driver.in_failed_transaction(self._owned.connection):",
        "if False:",
        "test_transactions.py::test_statement_that_failed_fails_the_transaction",
    ),
    Mutation(
        "database/database.py",
        "await self._roll_back(transaction, connection)\n",
        "pass\n",
        "test_transactions.py::test_inner_block_is_a_savepoint",
    ),
    Mutation(
        "database/database.py",
        "await self._roll_back(transaction, owned.connection)\n",
        "pass\n",
        "test_cancellation.py::test_cancelled_begin_begins_nothing",
        PSYCOPG,
    ),
    Mutation(
        "database/database.py",
        "if self._owned.is_released:",
        "if False:",
        "test_tasks.py::test_transaction_ends_with_its_connection",
    ),
    Mutation(
        "database/database.py",
        "await self._database.execute_on(self.connection, sql)",
        "await super().execute(sql)",
        "test_transactions.py::test_errors_of_begin_and_rollback_are_peewees",
    ),
    Mutation(
        "database/database.py",
        "await self._database.execute_on(self.connection, sql)",
        "await super().execute(sql)",
        "test_transactions.py::test_errors_of_commit_are_peewees",
    ),
    Mutation(
        "database/pool.py",
        "if driver.is_idle(connection):",
        "if not connection.closed:",
        "test_transactions.py::test_transaction_that_is_left_open_is_rolled_back",
    ),
    # A fair and bounded pool.
    Mutation(
        "database/pool.py",
        "self._waiting.popleft()",
        "self._waiting.pop()",
        "test_pool.py::test_first_come_first_served",
    ),
    Mutation(
        "database/pool.py",
        "timer = loop.call_at(deadline, self._give_up, turn)",
        "timer = loop.call_at(deadline + 60, self._give_up, turn)",
        "test_pool.py::test_past_the_timeout_it_is_a_503",
        hangs=True,
    ),
    Mutation(
        "database/pool.py",
        "            if not turn.cancelled() and turn.exception() is None:",
        "            if False:",
        "test_pool.py::test_connection_given_to_a_task_that_is_cancelled_is_not_lost",
    ),
    Mutation(
        "database/pool.py",
        "if connection not in self._in_use:",
        "if False:",
        "test_pool.py::test_size_after_closing_and_connecting_while_in_use",
    ),
    Mutation(
        "database/pool.py",
        "if not self._open:\n            if slot is not None:",
        "if not self._open:\n            if False:",
        "test_pool.py::test_connection_that_is_handed_over_as_the_pool_closes",
    ),
    Mutation(
        "database/pool.py",
        "                self._put(None)\n        return connection",
        "                pass\n        return connection",
        "test_lost_database.py::test_requests_are_503_while_the_database_is_away",
    ),
    # Connections that are lost.
    Mutation(
        "database/pool.py",
        "not connection.closed and not hung_up(connection)",
        "not connection.closed",
        "test_lost_database.py::test_connections_that_died_while_idle_are_not_handed_out",
    ),
    Mutation(
        "database/liveness.py",
        "call_later(seconds, self._hang_up)",
        "call_later(3, self._hang_up)",
        "test_lost_database.py::test_silent_server_is_a_503_in_time",
    ),
    Mutation(
        "database/driver.py",
        "while state in (POLL_READ, POLL_WRITE) and _has_error(self.fileno()):",
        "while False:",
        "test_lost_database.py::test_connection_that_the_server_resets[False]",
        AIOPG,
    ),
    Mutation(
        "database/driver.py",
        "            if self.closed:",
        "            if False:",
        "test_lost_database.py::test_connection_lost_while_a_large_statement_is_sent",
        AIOPG,
    ),
    Mutation(
        "database/driver.py",
        "aiopg.connection.select = SelectOfAiopg",
        "aiopg.connection.select = select",
        "test_lost_database.py::test_error_on_a_descriptor_beyond_those_of_select",
        AIOPG,
    ),
    Mutation(
        "database/driver.py",
        ", contextlib.suppress(OSError):",
        ":",
        "test_lost_database.py::test_connection_that_the_server_resets[True]",
        PSYCOPG,
    ),
    # Statements that take too long, or that nobody waits for.
    Mutation(
        "database/configuration.py",
        "-c statement_timeout={settings.statement_timeout * 1000:.0f} ",
        "",
        "test_lost_database.py::test_statement_is_bounded",
    ),
    Mutation(
        "database/errors.py",
        "if task is None or not task.cancelling():",
        "if False:",
        "test_cancellation.py::test_a_statement_time_out_is_no_cancellation",
        AIOPG,
    ),
    Mutation(
        "database/errors.py",
        "if task is None or not task.cancelling():",
        "if True:",
        "test_cancellation.py::test_cancelled_inside_a_transaction",
    ),
    Mutation(
        "database/configuration.py",
        " -c client_connection_check_interval=1s",
        "",
        "test_cancellation.py::test_cancelled_statement_ends_in_the_server",
        AIOPG,
    ),
    Mutation(
        "problems.py",
        "            self._task.cancel()\n",
        "            pass\n",
        "test_cancellation.py::test_client_that_goes_away_ends_its_statement",
    ),
    Mutation(
        "problems.py",
        "status_code = CLIENT_CLOSED_REQUEST",
        "pass",
        "test_cancellation.py::test_client_that_goes_away_ends_its_statement",
    ),
    # Connecting.
    Mutation(
        "database/driver.py",
        "    raw = psycopg2.connect(async_=True, connection_factory=RawConnection, **keywords)\n",
        "    return await aiopg.connect(timeout=NO_TIMEOUT, enable_hstore=False, **keywords)\n",
        "test_connecting.py::test_server_that_fails_at_tls",
        AIOPG,
    ),
    Mutation(
        "database/hosts.py",
        "for host in _each_host(self._keywords):",
        "for host in [self._keywords]:",
        "test_connecting.py::test_host_that_refuses_is_passed_over",
    ),
    Mutation(
        "database/hosts.py",
        "seconds / len(addresses)",
        "seconds",
        "test_connecting.py::test_silent_host_leaves_time_for_the_next",
    ),
    Mutation(
        "database/hosts.py",
        "loop.time() + AVOID",
        "0",
        "test_connecting.py::test_silent_host_is_tried_last_from_then_on",
    ),
    Mutation(
        "database/hosts.py",
        "addresses += await _addresses(host)",
        "addresses += [host]",
        "test_connecting.py::test_address_that_refuses_is_passed_over",
        AIOPG,
    ),
    Mutation(
        "database/hosts.py",
        'if keywords.get("load_balance_hosts") == "random":',
        "if False:",
        "test_connecting.py::test_any_of_several_hosts",
    ),
    Mutation(
        "database/configuration.py",
        'None if given_options == "" else ',
        "",
        "test_connecting.py::test_no_options_for_poolers_that_refuse_them",
    ),
    Mutation(
        "database/configuration.py",
        "    _check(keywords)\n",
        "",
        "test_connecting.py::test_bad_urls_are_refused_without_a_part_of_the_password",
    ),
    # Migrations.
    Mutation(
        "migrations/history.py",
        'database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (LOCK,))',
        "pass",
        "test_migrations.py::test_several_replicas_at_once",
    ),
    Mutation(
        "migrations/history.py",
        "if migration.name not in _applied(database):",
        "if True:",
        "test_migrations.py::test_several_replicas_at_once",
    ),
    Mutation(
        "migrations/history.py",
        "set_config('statement_timeout', '0', true), ",
        "",
        "test_migrations.py::test_several_replicas_at_once",
    ),
    Mutation(
        "migrations/history.py",
        "set_config('statement_timeout', '0', true), ",
        "",
        "test_migrations.py::test_long_migration_is_not_bounded",
    ),
    Mutation(
        "migrations/history.py",
        'cursor.execute(f"SELECT 1; {sql}")',
        'database.execute_sql(f"SELECT 1; {sql}")',
        "test_migrations.py::test_statements_are_taken_as_they_are",
    ),
    Mutation(
        "migrations/history.py",
        'cursor.execute(f"SELECT 1; {sql}")',
        "cursor.execute(sql)",
        "test_migrations.py::test_statements_are_taken_as_they_are",
        AIOPG,
    ),
    # Logs, metrics, security and shutdown.
    Mutation(
        "problems.py",
        "        logs.request_id.set(self.request_id)\n",
        "",
        "test_logs.py::test_every_statement_has_the_id_of_its_request",
    ),
    Mutation(
        "application.py",
        "self._route(handler)",
        "request.path",
        "test_metrics.py::test_requests_are_counted_by_route_and_never_by_path",
    ),
    Mutation(
        "metrics.py",
        "method if method in RequestHandler.SUPPORTED_METHODS else",
        "method or",
        "test_metrics.py::test_requests_are_counted_by_route_and_never_by_path",
    ),
    Mutation(
        "application.py",
        "cross_origin_protection=True",
        "cross_origin_protection=False",
        "test_security.py::test_page_of_another_origin[https://evil.example-403]",
    ),
    Mutation(
        "server.py",
        "        body_timeout=BODY_TIMEOUT,\n",
        "",
        "test_security.py::test_client_that_sends_a_byte_now_and_then",
        hangs=True,
    ),
    Mutation(
        "in_flight.py",
        "if stream is not None and stream.writing():",
        "if False:",
        "test_shutdown.py::test_answer_is_sent_to_its_end",
    ),
    Mutation(
        "problems.py",
        'self.set_header("Connection", "close")',
        "pass",
        "test_shutdown.py::test_client_is_told_that_its_connection_will_close",
    ),
    Mutation(
        "server.py",
        "await application.in_flight.wait_for_end()",
        "pass",
        "test_shutdown.py::test_request_in_flight_is_finished",
    ),
    Mutation(
        "health.py",
        "        if self.draining:",
        "        if False:",
        "test_health.py::test_draining",
    ),
    # Ids.
    Mutation("database/model.py", "range(1, ATTEMPTS + 1)", "range(1, 2)", "test_ids.py"),
    Mutation(
        "database/model.py",
        "AND EXISTS (SELECT FROM {table} AS next WHERE next.{id} = last + 1)\n",
        "",
        "test_ids.py::test_sequence_does_not_skip_ids_that_are_free",
    ),
    Mutation("database/model.py", "if attempt >= MISSES_BEFORE_SKIPPING:", "if False:", "test_ids.py"),
    # Compiled queries.
    Mutation(
        "database/compiled.py",
        "    @functools.cached_property\n",
        "    @property\n",
        "test_compiled.py::test_function_is_called_once",
    ),
    Mutation(
        "database/compiled.py",
        "if self._is_operand and (value is None or isinstance(value, peewee.multi_types)):",
        "if False:",
        "test_compiled.py",
    ),
    Mutation(
        "database/compiled.py",
        "Parameter(field.name, default) if callable(default)",
        "default() if callable(default)",
        "test_compiled.py::test_defaults_are_called_for_each_insert",
    ),
    Mutation(
        "database/compiled.py",
        "self.state.converter if converter is None else converter",
        "None",
        "test_compiled.py",
    ),
    Mutation(
        "database/compiled.py",
        "if isinstance(value, peewee.Node) and not isinstance(value, peewee.Model):",
        "if False:",
        "test_compiled.py",
    ),
]


@pytest.fixture(scope="module")
def projects(bake: Bake) -> Callable[[str], Project]:
    baked = {driver: bake(driver=driver) for driver in CHOICES["driver"]}
    return lambda driver: baked[driver]


@pytest.mark.parametrize(
    ("mutation", "driver"),
    [
        pytest.param(mutation, driver, id=f"{mutation.module}: {mutation.old.strip()[:50]} ({driver})")
        for mutation in MUTATIONS
        for driver in mutation.drivers
    ],
)
def test_mutation_is_noticed(
    projects: Callable[[str], Project],
    python_for: PythonFor,
    postgres: str,
    mutation: Mutation,
    driver: str,
) -> None:
    project = projects(driver)
    with mutated(project, mutation):
        done = project.try_to_run(
            *(python_for(driver), "-m", "pytest", "-x", "-q", "-o", "faulthandler_timeout=10"),
            f"tests/{mutation.test}",
            TEST_DATABASE_URL=postgres,
            PYTHONPATH=str(project.path / "src"),
        )
    noticed = "Timeout (" if mutation.hangs else f"FAILED tests/{mutation.test}"
    assert noticed in done.stdout, done.stdout


@contextlib.contextmanager
def mutated(project: Project, mutation: Mutation) -> Iterator[None]:
    path = project.path / "src" / "name_service" / mutation.module
    original = path.read_text()
    assert original.count(mutation.old) == 1
    path.write_text(original.replace(mutation.old, mutation.new))
    try:
        yield
    finally:
        path.write_text(original)
