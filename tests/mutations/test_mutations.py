"""The projects' tests bite: each of these changes to a project's foundation fails the test that is named with it.

A change is described by its pattern, as `harness/mutating.py` says.
"""

import contextlib
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.baked import Bake, Project
from harness.choices import CHOICES
from harness.forking import ForkingPytest
from harness.mutating import MutationError, replace_code, replace_text
from harness.pythons import PythonFor

AIOPG = ("aiopg",)
PSYCOPG = ("psycopg",)
# Modules in which it may depend on the driver whether a test notices: those are changed in the projects of both.
OF_DRIVERS = {f"database/{name}.py" for name in ("configuration", "database", "driver", "errors", "liveness")}
seconds = itertools.count(1)
HANGS_AFTER = 10  # seconds
FAILS_WITHIN = 120  # seconds, more than the tests' own time-outs


@dataclass(frozen=True)
class Mutation:
    """A place in a module of the foundation, what to put there, and the test that has to fail, or hang, then.

    The place is a pattern in Python; with `is_text`, for what is in a string, it is the text itself. `times_out` is for
    a test that fails by a time-out of its own, of half a minute or more. From the Python `before` on, the change is
    noticed no more: that Python needs no cure.
    """

    module: str
    old: str
    new: str
    test: str
    only: tuple[str, ...] = ()
    hangs: bool = False
    times_out: bool = False
    is_text: bool = False
    before: tuple[int, int] = (4, 0)

    @property
    def drivers(self) -> tuple[str, ...]:
        return self.only or (tuple(CHOICES["driver"]) if self.module in OF_DRIVERS else AIOPG)

    def how(self, driver: str) -> str:
        """Say with which driver, and last whether the test waits."""
        return f"({driver})" + " waits" * (self.hangs or self.times_out)

    def apply(self, source: str) -> str:
        """Return the module's source with the mutation. Raises MutationError."""
        return (replace_text if self.is_text else replace_code)(source, self.old, self.new)


MUTATIONS = [
    # A task owns its connection and its transaction.
    Mutation(
        "database/ownership.py",
        "self.___ is asyncio.current_task()",
        "True",
        "foundation/test_tasks.py::test_spawned_task_is_outside_the_transaction[run_as_task]",
    ),
    Mutation(
        "database/ownership.py",
        "not self.is_released and ___a",
        "___a",
        "foundation/test_tasks.py::test_connection_that_another_task_released_is_not_used",
    ),
    Mutation(
        "database/ownership.py",
        "self.___a.give_back(self.___b.release())",
        """
(
    self.___a.give_back(self.___b.release()),
    [value.set(None) for value in vars(self).values() if isinstance(value, CurrentConnection)],
)
""",
        "foundation/test_tasks.py::test_releasing_the_connection_of_another_task_keeps_ones_own",
    ),
    Mutation(
        "database/database.py",
        "CurrentConnection()",
        "logger.__dict__.setdefault('shared', CurrentConnection())",
        "foundation/test_tasks.py::test_another_database_is_not_in_the_transaction",
    ),
    # Transactions and their errors.
    Mutation(
        "database/database.py",
        "___a = not driver.is_idle(___)",
        "___a = False",
        "foundation/test_transactions.py::test_inner_block_is_a_savepoint",
    ),
    Mutation(
        "database/database.py",
        "not ___ and not driver.is_idle(___)",
        "False",
        "foundation/test_transactions.py::test_block_inside_a_transaction_that_was_begun_is_a_savepoint",
    ),
    Mutation(
        "database/database.py",
        "driver.in_failed_transaction(___)",
        "False",
        "foundation/test_transactions.py::test_statement_that_failed_fails_the_transaction",
    ),
    Mutation(
        "database/database.py",
        """
try:
    yield
    await ___a.commit()
except BaseException:
    ___
""",
        """
yield
await ___a.commit()
""",
        "foundation/test_transactions.py::test_inner_block_is_a_savepoint",
    ),
    Mutation(
        "database/database.py",
        """
try:
    await ___a.begin()
except BaseException:
    ___
""",
        "await ___a.begin()",
        "foundation/test_cancellation.py::test_cancelled_begin_begins_nothing",
        PSYCOPG,
    ),
    Mutation(
        "database/database.py",
        "self.___.is_released",
        "False",
        "foundation/test_tasks.py::test_transaction_ends_with_its_connection",
    ),
    Mutation(
        "database/database.py",
        "await self.___.execute_on(self.connection, ___a)",
        "await super().execute(___a)",
        "foundation/test_transactions.py::test_errors_of_begin_and_rollback_are_peewees",
    ),
    Mutation(
        "database/database.py",
        "await self.___.execute_on(self.connection, ___a)",
        "await super().execute(___a)",
        "foundation/test_transactions.py::test_errors_of_commit_are_peewees",
    ),
    Mutation(
        "database/pool.py",
        "driver.is_idle(___a)",
        "not ___a.closed",
        "foundation/test_transactions.py::test_transaction_that_is_left_open_is_rolled_back",
    ),
    Mutation(
        "database/database.py",
        "___.description is None",
        "False",
        "foundation/test_peewee_async.py::test_row_without_a_primary_key[aio_create]",
    ),
    Mutation(
        "database/pool.py",
        "refusal = error",
        "raise",
        "foundation/test_pool.py::test_server_that_still_counts_a_closed_connection",
        AIOPG,
    ),
    Mutation(
        "database/pool.py",
        "raise ___ or ___b from None",
        "raise ___b from None",
        "foundation/test_pool.py::test_server_with_too_many_connections_says_so",
    ),
    Mutation(
        "database/pool.py",
        "if not ___a:\n    raise",
        "raise",
        "foundation/test_pool.py::test_server_with_fewer_connections_than_the_pool[True]",
    ),
    Mutation(
        "database/pool.py",
        "slot = self.___a.pop() if self.___a else await self.___b(*___c)",
        "slot = None",
        "foundation/test_pool.py::test_server_with_fewer_connections_than_the_pool[False]",
    ),
    Mutation(
        "database/pool.py",
        "for ___a in self.___b:\n    ___a.cancel()",
        "pass",
        "foundation/test_pool.py::test_size_after_closing_while_the_server_has_no_connection",
    ),
    # Code for peewee-async.
    Mutation(
        "database/pool.py",
        "if not self.___a:\n    self.___b()",
        "pass",
        "foundation/test_peewee_async.py::test_connects_by_itself_at_the_first_query",
    ),
    Mutation(
        "database/pool.py",
        "self.database is None",
        "False",
        "foundation/test_peewee_async.py::test_name_is_given_later",
    ),
    Mutation(
        "database/database.py",
        "isinstance(___, HStoreField)",
        "False",
        "foundation/test_peewee_async.py::test_type_without_an_adapter_is_refused_at_the_start",
    ),
    # A fair and bounded pool.
    Mutation(
        "database/pool.py",
        "heapq.heappop(self.___a)",
        "self.___a.pop()",
        "foundation/test_pool.py::test_first_come_first_served",
    ),
    Mutation(
        "database/pool.py",
        "___a.call_at(___b, *___c)",
        "___a.call_at(___b + 60, *___c)",
        "foundation/test_pool.py::test_past_the_timeout_it_is_a_503",
        hangs=True,
    ),
    Mutation(
        "database/pool.py",
        "not ___.cancelled() and ___.exception() is None",
        "False",
        "foundation/test_pool.py::test_connection_given_to_a_task_that_is_cancelled_is_not_lost",
    ),
    Mutation(
        "database/pool.py",
        "___a = self.___b.pop(___c, None)",
        "___a = self.___b.pop(___c, True)",
        "foundation/test_pool.py::test_size_after_closing_and_connecting_while_in_use",
    ),
    Mutation(
        "database/pool.py",
        """
if not self.___a:
    if ___b is not None:
        driver.close(___b)
    return
""",
        """
if not self.___a:
    return
""",
        "foundation/test_pool.py::test_connection_that_is_handed_over_as_the_pool_closes",
    ),
    Mutation(
        "database/pool.py",
        """
try:
    ___a
except TooManyConnections:
    ___b
except BaseException as error:
    self.___c(None)
    ___d
""",
        """
try:
    ___a
except TooManyConnections:
    ___b
except BaseException as error:
    ___d
""",
        "foundation/test_lost_database.py::test_requests_are_503_while_the_database_is_away",
    ),
    # Connections that are lost.
    Mutation(
        "database/pool.py",
        "not ___a.closed and not hung_up(___a)",
        "not ___a.closed",
        "foundation/test_lost_database.py::test_connections_that_died_while_idle_are_not_handed_out",
    ),
    Mutation(
        "database/liveness.py",
        "___a.call_later(___, ___b)",
        "___a.call_later(3, ___b)",
        "foundation/test_lost_database.py::test_silent_server_is_a_503_in_time",
    ),
    Mutation(
        "database/driver.py",
        "___ in (POLL_READ, POLL_WRITE) and ___",
        "False",
        "foundation/test_lost_database.py::test_connection_that_the_server_resets[False]",
        AIOPG,
    ),
    Mutation(
        "database/driver.py",
        "self.closed",
        "False",
        "foundation/test_lost_database.py::test_connection_lost_while_a_large_statement_is_sent",
        AIOPG,
    ),
    Mutation(
        "database/driver.py",
        "aiopg.connection.select = ___",
        "pass",
        "foundation/test_lost_database.py::test_error_on_a_descriptor_beyond_those_of_select",
        AIOPG,
    ),
    Mutation(
        "database/driver.py",
        "traceback.clear_frames(___)",
        "None",
        "foundation/test_connecting.py::test_given_up_connection_is_closed_at_once",
        PSYCOPG,
    ),
    Mutation(
        "database/driver.py",
        "contextlib.suppress(OSError)",
        "contextlib.nullcontext()",
        "foundation/test_lost_database.py::test_connection_that_the_server_resets[True]",
        PSYCOPG,
    ),
    Mutation(
        "database/database.py",
        "if ___a.connection.closed:\n    raise ___b",
        "pass",
        "foundation/test_transactions.py::test_connection_lost_before_it_begins[False-aio_begin]",
    ),
    # A server that turned read-only is left.
    Mutation(
        "database/database.py",
        "sqlstate_of(___) == READ_ONLY and self.___",
        "False",
        "foundation/test_read_only.py::test_next_request_finds_the_new_primary",
    ),
    Mutation(
        "database/database.py",
        "if ___a and self.___b:\n    ___.renew()\n    ___c",
        "if ___a and self.___b:\n    ___c",
        "foundation/test_read_only.py::test_next_probe_finds_the_new_primary",
    ),
    Mutation(
        "database/database.py",
        "___ not in FOR_READING",
        "True",
        "foundation/test_read_only.py::test_standby_that_is_wanted[any]",
    ),
    Mutation(
        "database/pool.py",
        "dict.fromkeys(___a, False)",
        "___a",
        "foundation/test_read_only.py::test_connections_in_use_leave_too",
    ),
    Mutation(
        "database/pool.py",
        "___ < RENEW_INTERVAL",
        "False",
        "foundation/test_read_only.py::test_server_that_stays_read_only_keeps_its_connections",
    ),
    # What a statement leaves in its session.
    Mutation(
        "database/database.py",
        "leaves_state(___)",
        "False",
        "foundation/test_session_state.py::test_session_ends[SET geqo = off]",
    ),
    # Readiness.
    Mutation(
        "database/database.py",
        "___.take_idle()",
        "None",
        "foundation/test_health.py::test_probe_opens_no_connection_where_one_is_idle",
    ),
    Mutation(
        "database/database.py",
        "if ___.in_use:\n    return",
        "pass",
        "foundation/test_health.py::test_ready_with_a_busy_pool_and_no_other_connection",
    ),
    Mutation(
        "database/database.py",
        "if ___.in_use:\n    return",
        "return",
        "foundation/test_health.py::test_not_ready_where_too_many_connections_leave_none",
    ),
    Mutation(
        "web/health.py",
        "___ != self.___",
        "True",
        "foundation/test_health.py::test_reason_is_logged_once",
    ),
    # Statements that take too long, or that nobody waits for.
    Mutation(
        "database/configuration.py",
        "-c statement_timeout=",
        "-c lock_timeout=",
        "foundation/test_lost_database.py::test_statement_is_bounded",
        is_text=True,
    ),
    Mutation(
        "database/driver.py",
        "isinstance(___, QueryCanceledError)",
        "False",
        "foundation/test_cancellation.py::test_a_statement_time_out_is_no_cancellation",
        AIOPG,
    ),
    Mutation(
        "database/driver.py",
        "isinstance(___, QueryCanceledError)",
        "False",
        "foundation/test_cancellation.py::test_a_statement_time_out_is_an_error_like_any_other",
        AIOPG,
    ),
    Mutation(
        "database/configuration.py",
        " -c client_connection_check_interval=1s",
        "",
        "foundation/test_cancellation.py::test_cancelled_statement_ends_in_the_server",
        AIOPG,
        is_text=True,
        times_out=True,
    ),
    Mutation(
        "web/handler.py",
        "if self.___ is not None and not self.___.cancelling(): self.___.cancel()",
        "pass",
        "foundation/test_cancellation.py::test_client_that_goes_away_ends_its_statement",
    ),
    Mutation(
        "web/handler.py",
        "___ = CLIENT_CLOSED_REQUEST",
        "pass",
        "foundation/test_cancellation.py::test_client_that_goes_away_ends_its_statement",
    ),
    # A migration stays one transaction.
    Mutation(
        "migrations/transaction_control.py",
        "ATOMIC_BODY.sub(' ', TEXT.sub(' ', ___a))",
        "ATOMIC_BODY.sub(' ', ___a)",
        "foundation/test_migrations.py::test_words_of_transaction_control_elsewhere_are_text",
    ),
    Mutation(
        "migrations/files.py",
        "transaction_control(___)",
        "None",
        "foundation/test_migrations.py::test_transaction_control_is_refused[COMMIT]",
    ),
    # A change of type loses nothing in silence.
    Mutation(
        "migrations/conversions.py",
        "'' if ___ else ___a",
        "___a",
        "foundation/test_conversions.py::test_text_that_is_too_long_is_refused[False]",
    ),
    Mutation(
        "migrations/conversions.py",
        "if ___ or ___ in SAFE or ___:\n    return ''",
        "return ''",
        "foundation/test_conversions.py::test_timestamp_that_becomes_a_date_is_warned_of",
    ),
    # A migration that the tool writes loses nothing in silence, and agrees with the models.
    Mutation(
        "database/driver.py",
        "___.cursor_factory = ClientCursor",
        "pass",
        "foundation/test_differences.py::test_index_with_a_condition_on_the_model",
        only=PSYCOPG,
    ),
    Mutation(
        "migrations/models.py",
        "isinstance(___, peewee.ForeignKeyField) and ___.deferred",
        "False",
        "foundation/test_differences.py::test_models_that_refer_to_each_other",
    ),
    Mutation(
        "migrations/models.py",
        "execute(database, ___, ___a.replace('%%', '%'))",
        "database.execute_sql(___a)",
        "foundation/test_differences.py::test_each_field_becomes_a_column",
    ),
    Mutation(
        "migrations/models.py",
        "{___ for ___b in ___ for ___ in ___} - {*___}",
        "{*()}",
        "foundation/test_differences.py::test_what_can_not_be_written_is_told[no such table]",
    ),
    Mutation(
        "migrations/models.py",
        "[*___a, *through]",
        "___a",
        "foundation/test_differences.py::test_many_to_many",
    ),
    Mutation(
        "migrations/models.py",
        "___a() if isinstance(___a, type) else ___a",
        "___a",
        "foundation/test_differences.py::test_each_field_is_added_to_a_table_with_rows",
    ),
    Mutation(
        "migrations/models.py",
        "peewee.Cast(___a, unbounded)",
        "peewee.Cast(___a, type_)",
        "foundation/test_differences.py::test_what_can_not_be_written_is_told[default that is too long]",
    ),
    Mutation(
        "migrations/difference.py",
        "range(MOST_READINGS)",
        "range(0)",
        "foundation/test_differences.py::test_each_field_becomes_a_column",
    ),
    Mutation(
        "migrations/difference.py",
        "_with_sequences(read_tables(database), before)",
        "read_tables(database)",
        "foundation/test_differences.py::test_sequence_of_another_type_than_its_column",
    ),
    Mutation(
        "migrations/difference.py",
        "[___ for ___ in with_through_models(models) if ___]",
        "with_through_models(models)",
        "foundation/test_differences.py::test_model_with_a_schema_is_left_to_the_user",
    ),
    Mutation(
        "migrations/scratch.py",
        "execute(database, ___, EMPTY)",
        "None",
        "foundation/test_differences.py::test_model_with_a_schema_is_left_to_the_user",
    ),
    Mutation(
        "migrations/tables.py",
        "AND NOT c.relispartition",
        "",
        "foundation/test_differences.py::test_partitions_are_part_of_their_table",
        is_text=True,
    ),
    Mutation(
        "migrations/tables.py",
        " ON ONLY ', 'ON '",
        " ON ONLY ', 'ON ONLY '",
        "foundation/test_differences.py::test_index_of_a_partitioned_table_is_enforced",
        is_text=True,
    ),
    Mutation(
        "migrations/statements.py",
        "[*_rename(old, new)]",
        "[]",
        "foundation/test_differences.py::test_renamed_table_keeps_its_rows",
    ),
    Mutation(
        "migrations/statements.py",
        "-- Its rows are lost.",
        "--",
        "foundation/test_differences.py::test_what_is_dropped_carries_a_warning",
        is_text=True,
    ),
    Mutation(
        "migrations/statements.py",
        "greatest(max({name}), {last}) + 1",
        "1",
        "foundation/test_differences.py::test_key_of_another_kind_goes_on_with_its_numbers[serial-identity]",
        is_text=True,
    ),
    # The history is one's own.
    Mutation(
        "migrations/execution.py",
        "set_config('search_path', %s, true)",
        "%s",
        "foundation/test_migrations.py::test_types_that_peewee_does_not_know",
        is_text=True,
    ),
    Mutation(
        "migrations/execution.py",
        "; RESET ALL",
        "",
        "foundation/test_migrations.py::test_settings_of_a_migration_end_with_it",
        is_text=True,
    ),
    Mutation(
        "migrations/execution.py",
        "SET CONSTRAINTS ALL IMMEDIATE; ",
        "",
        "foundation/test_migrations.py::test_error_at_the_commit_names_the_migration",
        is_text=True,
    ),
    Mutation(
        "database/driver.py",
        "peewee.EXCEPTIONS['QueryCanceledError'] = ___",
        "pass",
        "foundation/test_migrations.py::test_migration_that_is_cancelled_does_nothing",
        AIOPG,
    ),
    Mutation(
        "migrations/history.py",
        "logger.info('applying migration', name=___)",
        "None",
        "foundation/test_migrations.py::test_each_one_is_announced_before_it_runs",
    ),
    Mutation(
        "migrations/history.py",
        "logger.info('rolling back migration', name=___)",
        "None",
        "foundation/test_migrations.py::test_each_one_is_announced_before_it_runs",
    ),
    Mutation(
        "migrations/history.py",
        "logger.info('waiting for another migration')",
        "None",
        "foundation/test_migrations.py::test_several_replicas_at_once",
    ),
    Mutation(
        "migrations/history.py",
        "database.execute_sql(CREATE_VIEW)",
        "None",
        "foundation/test_migrations.py::test_history_of_an_earlier_version_moves",
    ),
    Mutation(
        "migrations/history.py",
        "not ___ & names",
        "False",
        "foundation/test_migrations.py::test_history_of_others_is_left[another service]",
    ),
    Mutation(
        "migrations/history.py",
        " AND ARRAY['name', 'applied_at'] =",
        " AND ARRAY['name', 'applied_at'] <>",
        "foundation/test_migrations.py::test_history_of_others_is_left[dbmate]",
        is_text=True,
    ),
    # Statuses of database errors.
    Mutation(
        "database/errors.py",
        "getattr(___a, 'sqlstate', None) or getattr(___a, 'pgcode', None)",
        "None",
        "foundation/test_database_errors.py::test_status[409]",
    ),
    Mutation(
        "web/problems.py",
        "(5, 3, 2)",
        "(2, 3, 5)",
        "foundation/test_database_errors.py::test_status[500]",
    ),
    Mutation(
        "web/handler.py",
        "status == 503 and ___",
        "status == 503",
        "foundation/test_database_errors.py::test_only_safe_methods_are_told_to_try_again",
    ),
    # Connecting.
    Mutation(
        "database/driver.py",
        "___ = psycopg2.connect(async_=True, connection_factory=RawConnection, **___a)",
        "return await aiopg.connect(timeout=NO_TIMEOUT, enable_hstore=False, **___a)",
        "foundation/test_connecting.py::test_server_that_fails_at_tls",
        AIOPG,
    ),
    Mutation(
        "database/hosts.py",
        "_each_host(___a)",
        "[___a]",
        "foundation/test_connecting.py::test_host_that_refuses_is_passed_over",
    ),
    Mutation(
        "database/hosts.py",
        "___a / len(___)",
        "___a",
        "foundation/test_connecting.py::test_silent_host_leaves_time_for_the_next",
    ),
    Mutation(
        "database/hosts.py",
        "___ + AVOID",
        "0",
        "foundation/test_connecting.py::test_silent_host_is_tried_last_from_then_on",
    ),
    Mutation(
        "database/hosts.py",
        "await _addresses(___a)",
        "[___a]",
        "foundation/test_connecting.py::test_address_that_refuses_is_passed_over",
        AIOPG,
    ),
    Mutation(
        "database/hosts.py",
        "___.get('load_balance_hosts') == 'random'",
        "False",
        "foundation/test_connecting.py::test_any_of_several_hosts",
    ),
    Mutation(
        "database/configuration.py",
        "keywords.setdefault('fallback_application_name', ___)",
        "None",
        "foundation/test_connecting.py::test_connections_have_the_name_of_the_package",
    ),
    Mutation(
        "database/configuration.py",
        "keywords.setdefault('fallback_application_name', ___a)",
        "keywords.setdefault('application_name', ___a)",
        "foundation/test_connecting.py::test_name_that_is_given_comes_first",
    ),
    Mutation(
        "database/configuration.py",
        "None if ___ == '' else ___a",
        "___a",
        "foundation/test_connecting.py::test_no_options_for_poolers_that_refuse_them",
    ),
    Mutation(
        "database/configuration.py",
        "_check(___)",
        "None",
        "foundation/test_connecting.py::test_bad_urls_are_refused_without_a_part_of_the_password",
    ),
    # Migrations.
    Mutation(
        "migrations/history.py",
        "not ___.execute_sql(___, (LOCK,)).fetchone()[0]",
        "False",
        "foundation/test_migrations.py::test_several_replicas_at_once",
    ),
    Mutation(
        "migrations/history.py",
        "database.execute_sql('SELECT pg_advisory_xact_lock(%s)', ___)",
        "None",
        "foundation/test_migrations.py::test_several_replicas_at_once",
    ),
    Mutation(
        "migrations/history.py",
        "database.execute_sql('SET TRANSACTION ISOLATION LEVEL READ COMMITTED')",
        "None",
        "foundation/test_migrations.py::test_several_replicas_at_once",
    ),
    Mutation(
        "migrations/files.py",
        "not folder.exists()",
        "False",
        "foundation/test_migrations.py::test_folder_that_is_missing_has_no_migrations",
    ),
    Mutation(
        "database/configuration.py",
        "KEEPALIVES | ___a",
        "___a",
        "foundation/test_connecting.py::test_idle_connections_are_kept_alive",
    ),
    Mutation(
        "embedded/keeper.py",
        "fcntl.flock(lock, ___)",
        "None",
        "foundation/test_embedded.py::test_server_that_is_out_of_sight",
    ),
    Mutation(
        "migrations/history.py",
        "___.name not in _applied(___)",
        "True",
        "foundation/test_migrations.py::test_several_replicas_at_once",
    ),
    Mutation(
        "migrations/history.py",
        "set_config('statement_timeout', '0', true), ",
        "",
        "foundation/test_migrations.py::test_several_replicas_at_once",
        is_text=True,
    ),
    Mutation(
        "migrations/history.py",
        "set_config('statement_timeout', '0', true), ",
        "",
        "foundation/test_migrations.py::test_long_migration_is_not_bounded",
        is_text=True,
    ),
    Mutation(
        "migrations/execution.py",
        "___.execute(___a)",
        "database.execute_sql(___a)",
        "foundation/test_migrations.py::test_statements_are_taken_as_they_are",
    ),
    Mutation(
        "migrations/execution.py",
        "___a.execute(f'SELECT 1; {___b}')",
        "___a.execute(___b)",
        "foundation/test_migrations.py::test_statements_are_taken_as_they_are",
    ),
    # Settings.
    Mutation(
        "settings.py",
        "___a.strip() if isinstance(___, str) else ___",
        "___a",
        "foundation/test_settings.py::test_spaces_and_line_ends_around_a_value_do_not_count",
    ),
    Mutation(
        "settings.py",
        "___a or str(___).startswith(SERVICE_LINK)",
        "___a",
        "foundation/test_settings.py::test_service_link_of_kubernetes_counts_as_unset",
    ),
    Mutation(
        "settings.py",
        "___ or str(___b).startswith(SERVICE_LINK)",
        "str(___b).startswith(SERVICE_LINK)",
        "foundation/test_settings.py::test_other_database_settings_are_ignored_beside_a_url",
    ),
    Mutation(
        "settings.py",
        "___ != ''",
        "True",
        "foundation/test_settings.py::test_empty_value_counts_as_unset",
    ),
    Mutation(
        "settings.py",
        "reuse_port: bool = False",
        "reuse_port: bool = True",
        "foundation/test_command_line.py::test_port_that_is_taken",
        hangs=True,
    ),
    # Input.
    Mutation(
        "web/validation.py",
        "int(___) > GREATEST_ID",
        "False",
        "test_bad_input.py::test_ids",
    ),
    Mutation(
        "web/validation.py",
        "len(___) > 1",
        "False",
        "test_bad_input.py::test_bodies",
    ),
    Mutation(
        "web/validation.py",
        "ConfigDict(extra='forbid')",
        "ConfigDict()",
        "test_bad_input.py::test_bodies",
    ),
    Mutation(
        "web/validation.py",
        "___a if re.fullmatch(*___) else repr(___)",
        "___a",
        "test_bad_input.py::test_bodies",
    ),
    Mutation(
        "web/validation.py",
        "wrong[:SHOWN_ERRORS]",
        "wrong[:1]",
        "foundation/test_validation.py::test_all_wrong_fields_are_named",
    ),
    Mutation(
        "web/validation.py",
        "'Content-Encoding' in ___.headers or ___a",
        "___a",
        "test_bad_input.py::test_content_type",
    ),
    Mutation(
        "web/validation.py",
        "___a or ___ not in ('utf-8', 'utf8')",
        "___a",
        "test_bad_input.py::test_content_type",
    ),
    # Logs, metrics and security.
    Mutation(
        "web/handler.py",
        "logs.request_id.set(self.request_id)",
        "None",
        "foundation/test_logs.py::test_lines_for_debugging",
    ),
    Mutation(
        "web/application.py",
        "self.___(handler)",
        "handler.request.path",
        "foundation/test_metrics.py::test_requests_are_counted_by_route_and_never_by_path",
    ),
    Mutation(
        "web/metrics.py",
        "___a if ___ in RequestHandler.SUPPORTED_METHODS else ___",
        "___a",
        "foundation/test_metrics.py::test_requests_are_counted_by_route_and_never_by_path",
    ),
    Mutation(
        "web/application.py",
        "tornado_settings",
        "{'cross_origin_protection': False, **tornado_settings}",
        "foundation/test_security.py::test_page_of_another_origin_reads_and_changes_nothing",
    ),
    Mutation(
        "server.py",
        "max(BODY_TIMEOUT, ___)",
        "None",
        "foundation/test_security.py::test_client_that_sends_a_byte_now_and_then",
        hangs=True,
    ),
    # The description.
    Mutation(
        "web/application.py",
        "[*routes, *___a]",
        "[*___a, *routes]",
        "foundation/test_openapi.py::test_route_of_ones_own_replaces_the_foundations",
    ),
    Mutation(
        "web/openapi/document.py",
        "___a.method in ___b.setdefault(___a.path, {})",
        "___b.setdefault(___a.path, {}) is None",
        "foundation/test_openapi.py::test_route_of_ones_own_replaces_the_foundations",
    ),
    Mutation(
        "web/openapi/document.py",
        "___ != len(___.path)",
        "False",
        "foundation/test_openapi.py::test_path_whose_groups_have_no_names",
    ),
    Mutation(
        "web/openapi/document.py",
        "___.update(___.security)",
        "None",
        "foundation/test_openapi.py::test_security_of_a_handler",
    ),
    Mutation(
        "web/openapi/document.py",
        """
if ___.security:
    ___["security"] = ___
""",
        "pass",
        "foundation/test_openapi.py::test_security_of_a_handler",
    ),
    Mutation(
        "web/openapi/document.py",
        "[401] if ___.security else []",
        "[]",
        "foundation/test_openapi.py::test_security_of_a_handler",
    ),
    # From the start to the lifespan.
    Mutation(
        "server.py",
        "asyncio.to_thread(migrate, *___a)",
        "asyncio.sleep(0, migrate(*___a))",
        "foundation/test_command_line.py::test_signal_while_another_replica_migrates",
        times_out=True,
    ),
    Mutation(
        "server.py",
        """
async with ___a.lifespan(___a):
    ___b
""",
        """
async with ___a.lifespan(___a):
    pass
___b
""",
        "foundation/test_lifespan.py::test_it_surrounds_the_requests",
    ),
    Mutation(
        "server.py",
        """
try:
    async with ___a.lifespan(___a):
        ___b
finally:
    await ___c.aio_close()
""",
        """
async with ___a.lifespan(___a):
    try:
        ___b
    finally:
        await ___c.aio_close()
""",
        "foundation/test_lifespan.py::test_it_surrounds_the_requests",
    ),
    Mutation(
        "server.py",
        """
async with ___a.lifespan(___a):
    ___b = Server(*___c, **___d)
    try:
        ___e = ___f
        ___b.add_sockets(___e)
        yield ___g
    finally:
        ___h
""",
        """
async with contextlib.AsyncExitStack() as stack:
    ___b = Server(*___c, **___d)
    try:
        ___e = ___f
        ___b.add_sockets(___e)
        await stack.enter_async_context(___a.lifespan(___a))
        yield ___g
    finally:
        ___h
""",
        "foundation/test_lifespan.py::test_it_is_entered_before_the_listener_opens",
    ),
    # Embedded PostgreSQL.
    Mutation(
        "embedded/__init__.py",
        "___.startswith('PG')",
        "False",
        "foundation/test_embedded.py::test_variables_of_libpq_and_getopt_are_for_others",
    ),
    # Standard streams.
    Mutation(
        "streams.py",
        "getattr(sys, ___) is None",
        "False",
        "foundation/test_streams.py::test_closed",
    ),
    Mutation(
        "streams.py",
        "LossyStream(___a)",
        "___a",
        "foundation/test_streams.py::test_reader_that_leaves",
    ),
    # File descriptors.
    Mutation(
        "listener.py",
        "___.errno not in OUT_OF_DESCRIPTORS",
        "True",
        "foundation/test_descriptors.py::test_descriptors_that_others_took",
    ),
    Mutation(
        "listener.py",
        "___a.end = limit - ___b",
        "pass",
        "foundation/test_descriptors.py::test_database_that_returns_finds_descriptors",
    ),
    # Shutdown.
    Mutation(
        "server.py",
        "handle_stop_signals(stop)",
        "None",
        "foundation/test_shutdown.py::test_signal_stops_it",
    ),
    Mutation(
        "server.py",
        "handle_stop_signals(exit_at_once)",
        "None",
        "foundation/test_shutdown.py::test_second_signal_ends_it_at_once",
        times_out=True,
    ),
    Mutation(
        "server.py",
        "asyncio.sleep(___.shutdown_delay)",
        "asyncio.sleep(0)",
        "foundation/test_shutdown.py::test_delay_before_the_listener_closes",
    ),
    Mutation(
        "server.py",
        "___.readiness.draining = True",
        "pass",
        "foundation/test_shutdown.py::test_delay_before_the_listener_closes",
    ),
    Mutation(
        "server.py",
        "logger.warning(___, **___a)",
        "None",
        "foundation/test_shutdown.py::test_work_that_is_broken_off_is_counted",
    ),
    Mutation(
        "server.py",
        "___.in_flight or ___a or ___b",
        "___a or ___b",
        "foundation/test_shutdown.py::test_request_in_flight_is_finished",
    ),
    Mutation(
        "server.py",
        "___a or ___b or ___.background",
        "___a or ___b",
        "foundation/test_background.py::test_shutdown_waits_for_it",
    ),
    Mutation(
        "server.py",
        "asyncio.timeout(seconds)",
        "asyncio.timeout(None)",
        "foundation/test_shutdown.py::test_request_that_never_ends_is_ended",
        hangs=True,
    ),
    Mutation(
        "server.py",
        "___.background.cancel()",
        "None",
        "foundation/test_background.py::test_it_is_cancelled_when_the_grace_is_over",
    ),
    Mutation(
        "web/requests_in_flight.py",
        "___ is not None and ___.writing()",
        "False",
        "foundation/test_shutdown.py::test_answer_is_sent_to_its_end",
    ),
    Mutation(
        "web/handler.py",
        "self.set_header('Connection', 'close')",
        "None",
        "foundation/test_shutdown.py::test_client_is_told_that_its_connection_will_close",
    ),
    Mutation(
        "web/health.py",
        "self.draining",
        "False",
        "foundation/test_health.py::test_draining",
    ),
    # Answers in parts, and WebSockets.
    Mutation(
        "web/handler.py",
        "reset(___)",
        "None",
        "foundation/test_streaming.py::test_failure_after_the_first_part",
        hangs=True,
    ),
    Mutation(
        "web/requests_in_flight.py",
        "___.socket.setsockopt(___, ___, ___)",
        "None",
        "foundation/test_streaming.py::test_failure_after_the_first_part",
    ),
    Mutation(
        "web/handler.py",
        "self.set_status(___ if ___ else 500)",
        "None",
        "foundation/test_streaming.py::test_failure_after_the_first_part",
    ),
    Mutation(
        "web/handler.py",
        "isinstance(___, StreamClosedError) and self._client_has_left(___)",
        "False",
        "foundation/test_streaming.py::test_client_that_leaves_is_no_failure",
    ),
    Mutation(
        "server.py",
        "___.in_flight.break_off()",
        "None",
        "foundation/test_streaming.py::test_shutdown_breaks_off_an_answer_that_takes_longer",
    ),
    Mutation(
        "server.py",
        "___.end_event_stream()",
        "None",
        "foundation/test_streaming.py::test_shutdown_ends_server_sent_events",
        hangs=True,
    ),
    Mutation(
        "server.py",
        "___.websockets.close()",
        "None",
        "foundation/test_streaming.py::test_shutdown_closes_websockets",
        hangs=True,
    ),
    Mutation(
        "server.py",
        "___a or ___.websockets or ___b",
        "___a or ___b",
        "foundation/test_streaming.py::test_shutdown_waits_for_the_work_of_a_message",
    ),
    Mutation(
        "server.py",
        "___.websockets.cancel()",
        "None",
        "foundation/test_streaming.py::test_websocket_of_a_client_that_does_not_close_it",
    ),
    # HTTP, where Tornado or pydantic differ.
    Mutation(
        "web/headers.py",
        "NORMALIZERS[name](___a)",
        "___a",
        "foundation/test_http.py::test_media_type",
    ),
    Mutation(
        "web/headers.py",
        "return 'null'",
        "return given",
        "foundation/test_security.py::test_page_of_another_origin_reads_and_changes_nothing",
    ),
    Mutation(
        "web/problems.py",
        "responses | ___",
        "responses | {413: 'Request Entity Too Large'}",
        "foundation/test_problems.py::test_body_over_the_limit",
    ),
    Mutation(
        "web/headers.py",
        "'*' in given",
        "False",
        "foundation/test_http.py::test_websocket_with_an_extended_parameter",
        before=(3, 14),
    ),
    Mutation(
        "web/headers.py",
        "'100-continue' in expected",
        "False",
        "foundation/test_http.py::test_expectation_is_answered_once",
        hangs=True,
    ),
    Mutation(
        "web/headers.py",
        "headers['Expect'] = ''",
        "pass",
        "foundation/test_http.py::test_http_1_0_knows_no_expectation",
    ),
    Mutation(
        "web/headers.py",
        "raise HTTPInputError(___)",
        "pass",
        "foundation/test_http.py::test_smuggled_request",
        hangs=True,
    ),
    Mutation(
        "web/incoming.py",
        "in_origin_form(___a, ___)",
        "___a",
        "foundation/test_http.py::test_target_in_absolute_form",
    ),
    Mutation(
        "web/headers.py",
        "headers['Host'] = authority",
        "pass",
        "foundation/test_http.py::test_host_of_a_target_in_absolute_form_counts",
    ),
    Mutation(
        "web/incoming.py",
        "size_of(___) > ___",
        "False",
        "foundation/test_http.py::test_headers_over_the_limit",
    ),
    Mutation(
        "web/incoming.py",
        "len(___) > MAX_TARGET_SIZE",
        "False",
        "foundation/test_http.py::test_target_over_the_limit",
    ),
    Mutation(
        "web/incoming.py",
        "self._size > ___",
        "False",
        "foundation/test_http.py::test_chunked_body_over_the_limit",
    ),
    Mutation(
        "web/incoming.py",
        "self._timer = ___",
        "pass",
        "foundation/test_http.py::test_chunked_body_without_end_is_answered_once_and_not_waited_for",
        hangs=True,
    ),
    Mutation(
        "web/validation.py",
        "REPEATED_FIELDS.decode(___)",
        "None",
        "foundation/test_http.py::test_field_given_twice",
    ),
    Mutation(
        "web/validation.py",
        "_is_altered(___, ___)",
        "False",
        "foundation/test_validation.py::test_argument_that_pydantic_would_alter",
    ),
    Mutation(
        "web/validation.py",
        "BeforeValidator(_check_id)",
        "None",
        "foundation/test_validation.py::test_ids_are_strict_in_paths_forms_and_json",
    ),
    Mutation(
        "web/validation.py",
        "check_notations(___a(___b), ___a)",
        "___a(___b)",
        "foundation/test_validation.py::test_dates_are_no_numbers",
    ),
    Mutation(
        "web/validation.py",
        "notation_problem(___, ___) if ___ in NOTATIONS else None",
        "None",
        "foundation/test_validation.py::test_argument_that_pydantic_would_alter",
    ),
    Mutation(
        "web/validation.py",
        "___a if ___b['type'] == 'value_error' else ___c",
        "___c",
        "foundation/test_validation.py::test_message_of_a_validator_is_shown_as_it_is",
    ),
    Mutation(
        "web/iso8601.py",
        "isinstance(___, (int, float)) or ___a",
        "___a",
        "foundation/test_validation.py::test_dates_are_no_numbers",
    ),
    Mutation(
        "web/iso8601.py",
        "if ___['type'] != 'model':\n    ___",
        "pass",
        "foundation/test_validation.py::test_dates_within_others_are_text",
    ),
    Mutation(
        "web/iso8601.py",
        "___ not in NO_INPUT",
        "True",
        "foundation/test_validation.py::test_default_that_looks_like_a_schema",
    ),
    Mutation(
        "web/validation.py",
        "isinstance(___, float) and ___.is_integer()",
        "False",
        "foundation/test_validation.py::test_ids",
    ),
    # Forms.
    Mutation(
        "web/validation.py",
        "___a is not None and ___a.is_list",
        "False",
        "foundation/test_forms.py::test_form_is_read_as_described",
    ),
    Mutation(
        "web/validation.py",
        "None if ___ is not None and ___ and not ___ else ___a",
        "___a",
        "foundation/test_forms.py::test_form_is_read_as_described",
    ),
    Mutation(
        "web/forms.py",
        "___a and ___b and not ___c and not any(___)",
        "___a and ___b and not ___c",
        "foundation/test_forms.py::test_form_is_read_as_described",
    ),
    Mutation(
        "web/forms.py",
        "not ___ <= set(NOT_SENT)",
        "True",
        "foundation/test_forms.py::test_form_is_refused_as_described",
    ),
    Mutation(
        "web/forms.py",
        "max(___a, 1)",
        "___a",
        "foundation/test_forms.py::test_null_and_lists_of_one_are_for_json_and_forms",
    ),
    Mutation(
        "web/forms.py",
        "___ <= 1",
        "True",
        "foundation/test_forms.py::test_form_is_refused_as_described",
    ),
    Mutation(
        "web/forms.py",
        "___a if ___ >= set(___) else None",
        "___a",
        "foundation/test_forms.py::test_body_that_no_form_can_send_is_json",
    ),
    Mutation(
        "web/forms.py",
        "___.get('type') not in NOT_SENT_IN_A_LIST",
        "True",
        "foundation/test_forms.py::test_body_that_no_form_can_send_is_json",
    ),
    Mutation(
        "web/openapi/schemas.py",
        "self.mode == 'validation'",
        "False",
        "foundation/test_forms.py::test_texts_of_requests_have_no_nul",
    ),
    # Other origins, and proxies.
    Mutation(
        "web/handler.py",
        "origin in trusted_origins",
        "True",
        "foundation/test_security.py::test_page_of_another_origin_reads_and_changes_nothing",
    ),
    Mutation(
        "web/incoming.py",
        "___a.get_handler_delegate(___b, PreflightHandler)",
        "___a.find_handler(___b)",
        "foundation/test_security.py::test_trusted_page_can_use_all_of_it",
    ),
    Mutation(
        "settings.py",
        "not ORIGIN.fullmatch(___)",
        "False",
        "foundation/test_settings.py::test_bad_value_is_refused_with_what_is_allowed",
    ),
    Mutation(
        "web/proxies.py",
        "if not _is_trusted(___, ___): return",
        "pass",
        "foundation/test_proxies.py::test_client",
    ),
    Mutation(
        "web/proxies.py",
        "if not _is_trusted(___, ___): break",
        "pass",
        "foundation/test_proxies.py::test_client",
    ),
    Mutation(
        "web/proxies.py",
        "reversed(___a)",
        "___a",
        "foundation/test_proxies.py::test_client",
    ),
    Mutation(
        "web/application.py",
        "isinstance(___, PROBES)",
        "False",
        "foundation/test_logs.py::test_lines_for_machines",
    ),
    # Work that outlives its request.
    Mutation(
        "web/background.py",
        "self.___.add(___)",
        "None",
        "foundation/test_background.py::test_shutdown_waits_for_it",
    ),
    Mutation(
        "web/background.py",
        "___.cancel()",
        "None",
        "foundation/test_background.py::test_it_is_cancelled_when_the_grace_is_over",
    ),
    Mutation(
        "server.py",
        "await asyncio.wait(cancelled, timeout=___)",
        "None",
        "foundation/test_shutdown.py::test_handler_that_is_cancelled_still_has_the_database",
    ),
    Mutation(
        "web/validation.py",
        "ESCAPED_NUL.search(___)",
        "None",
        "foundation/test_problems.py::test_nul_character",
    ),
    Mutation(
        "settings.py",
        "_may_be_shown(___, ___)",
        "True",
        "foundation/test_settings.py::test_own_fields_are_refused_in_one_line_without_secrets",
    ),
    Mutation(
        "web/background.py",
        "logger.exception(*___, **___)",
        "None",
        "foundation/test_background.py::test_failure_is_logged_with_the_request_id",
    ),
    Mutation(
        "web/background.py",
        "self.ended.labels(___).inc()",
        "None",
        "foundation/test_background.py::test_metrics_count_it",
    ),
    # The command line, and reloading.
    Mutation(
        "reloading.py",
        "not retries or ___",
        "True",
        "foundation/test_command_line.py::test_reload_waits_after_a_failed_start[RuntimeError]",
    ),
    Mutation(
        "command_line.py",
        "handle_stop_signals(exit_at_once)",
        "None",
        "foundation/test_command_line.py::test_signal_while_another_replica_migrates",
    ),
    Mutation(
        "command_line.py",
        "_run_in_thread(status, *___a)",
        "status(*___a)",
        "foundation/test_command_line.py::test_signal_while_the_server_is_silent[--status]",
        times_out=True,
    ),
    Mutation(
        "command_line.py",
        "_run_in_thread(write_new, *___a)",
        "write_new(*___a)",
        "foundation/test_command_line.py::test_signal_while_the_server_is_silent[--new=name]",
        times_out=True,
    ),
    Mutation(
        "reloading.py",
        "tornado.autoreload.add_reload_hook(___)",
        "None",
        "foundation/test_command_line.py::test_reload_survives_a_mistake",
        times_out=True,
    ),
    Mutation(
        "reloading.py",
        "(___ := subprocess.run(*___, **___)).returncode",
        "False",
        "foundation/test_command_line.py::test_reload_survives_a_mistake",
        times_out=True,
    ),
    Mutation(
        "reloading.py",
        "os.execv(___a[0], ___)",
        "os.execv(___a[0], ___a + ['serve', '--reload'])",
        "foundation/test_command_line.py::test_reload_waits_for_the_database_again",
        times_out=True,
    ),
    # Ids.
    Mutation(
        "database/mixed_ids.py",
        "range(1, ATTEMPTS + 1)",
        "range(1, 2)",
        "test_create.py::test_ids_of_both_kinds_never_clash",
    ),
    Mutation(
        "database/mixed_ids.py",
        "___a.on_conflict(*___, action='IGNORE', conflict_target=___)",
        "___a",
        "test_create.py::test_ids_of_both_kinds_never_clash",
    ),
    Mutation(
        "database/mixed_ids.py",
        "___ >= MISSES_BEFORE_SKIPPING",
        "False",
        "foundation/test_mixed_ids.py::test_run_of_taken_ids_is_skipped",
    ),
    Mutation(
        "database/mixed_ids.py",
        "AND EXISTS (SELECT FROM {table} AS next WHERE next.{id} = last + 1)\n",
        "",
        "foundation/test_mixed_ids.py::test_free_ids_are_not_skipped",
        is_text=True,
    ),
    Mutation(
        "database/mixed_ids.py",
        "nullif(taken.{id}::bigint, 9223372036854775807) + 1",
        "-1",
        "foundation/test_mixed_ids.py::test_run_of_taken_ids_is_skipped",
        is_text=True,
    ),
    Mutation(
        "database/mixed_ids.py",
        "::bigint",
        "",
        "foundation/test_mixed_ids.py::test_free_ids_are_not_skipped",
        is_text=True,
    ),
    Mutation(
        "database/mixed_ids.py",
        "ORDER BY taken.{id} LIMIT 1",
        "ORDER BY taken.{id} DESC LIMIT 1",
        "foundation/test_mixed_ids.py::test_free_ids_are_not_skipped",
        is_text=True,
    ),
    # Compiled queries.
    Mutation(
        "database/compiled.py",
        "NoSlot() if ___ else ___a",
        "___a",
        "foundation/test_compiled.py::test_get_by_values_with_sql_of_their_own[filters3]",
    ),
    Mutation(
        "database/compiled.py",
        "functools.cached_property",
        "property",
        "foundation/test_compiled.py::test_function_is_called_once",
    ),
    Mutation(
        "database/compiled.py",
        "self.___ and (___ is None or isinstance(___, peewee.multi_types))",
        "False",
        "foundation/test_compiled.py::test_as_without_it",
    ),
    Mutation(
        "database/compiled.py",
        "Parameter(___, ___a) if callable(___a) else ___a",
        "___a() if callable(___a) else ___a",
        "foundation/test_compiled.py::test_defaults_are_called_for_each_insert",
    ),
    Mutation(
        "database/compiled.py",
        "self.state.converter if ___ is None else ___",
        "None",
        "foundation/test_compiled.py::test_get_by_values_with_sql_of_their_own",
    ),
    Mutation(
        "database/compiled.py",
        "isinstance(___a, peewee.Node) and not isinstance(___a, peewee.Model)",
        "False",
        "foundation/test_compiled.py::test_as_without_it",
    ),
    Mutation(
        "database/compiled.py",
        "peewee.Field.to_value(___a, ___b) if isinstance(___b, Parameter) else ___b",
        "___b",
        "foundation/test_compiled.py::test_common_queries_make_their_sql_once",
    ),
    Mutation(
        "database/compiled.py",
        "map(wrapper.converters[___a], ___b)",
        "___b",
        "foundation/test_answers.py::test_list_and_stream_have_the_types_of_the_row",
    ),
    Mutation(
        "database/model.py",
        "_overrides(type(self), ___)",
        "False",
        "foundation/test_compiled.py::test_models_own_update",
    ),
    Mutation(
        "database/model.py",
        "await _execute(self.insert, ___a)",
        "await _execute(self._insert_statement, ___a)",
        "foundation/test_compiled.py::test_create_of_a_key_that_is_taken",
    ),
    # Answers.
    Mutation(
        "database/driver.py",
        "register_type(BYTES, raw)",
        "None",
        "foundation/test_answers.py::test_row_has_the_types_of_json",
        only=AIOPG,
    ),
    Mutation(
        "web/handler.py",
        """
if ___a:
    self.write(___b)
    await self.flush()
    ___c
""",
        """
if ___a:
    self.write(___b)
    self.flush()
    ___c
""",
        "foundation/test_answers.py::test_stream_waits_for_a_slow_client_without_a_connection",
    ),
    Mutation(
        "web/handler.py",
        "self.request.method == 'HEAD'",
        "False",
        "foundation/test_answers.py::test_head_of_a_stream_asks_for_one_chunk",
    ),
    # Slow clients.
    Mutation(
        "http_server.py",
        "___a < ___b and ___c not in ___d and ___e",
        "___a < ___b and ___e",
        "foundation/test_security.py::test_long_request_and_websocket_are_not_idle",
    ),
    Mutation(
        "http_server.py",
        "___a.stream.close()",
        "None",
        "foundation/test_security.py::test_client_that_sends_no_next_request",
        hangs=True,
    ),
    # The tests' database.
    Mutation(
        "testing.py",
        "_execute(___, EMPTY)",
        "None",
        "foundation/test_tasks.py::test_spawned_task_is_outside_the_transaction",
    ),
    # Tornado's other ways to answer, and handlers that wait.
    Mutation(
        "web/handler.py",
        "'\\0' in ___",
        "False",
        "foundation/test_validation.py::test_nul_is_refused_in_tornados_own_arguments",
    ),
    Mutation(
        "web/requests_in_flight.py",
        "___a is None or ___a._finished",
        "False",
        "foundation/test_other_targets.py::test_request_ends_with_its_answer",
        hangs=True,
    ),
    Mutation(
        "web/requests_in_flight.py",
        "___.on_connection_close()",
        "None",
        "foundation/test_other_targets.py::test_upload_that_waits_is_broken_off",
    ),
    Mutation(
        "server.py",
        "asyncio.wait({closing}, timeout=___)",
        "asyncio.wait({closing})",
        "foundation/test_other_targets.py::test_upload_that_waits_is_broken_off",
        hangs=True,
    ),
    Mutation(
        "server.py",
        "max(BODY_TIMEOUT, ___)",
        "BODY_TIMEOUT",
        "foundation/test_security.py::test_large_body_has_the_time_that_it_takes",
    ),
    Mutation(
        "web/handler.py",
        "isinstance(___, AsyncGenerator)",
        "False",
        "foundation/test_answers.py::test_stream_of_a_client_that_leaves_ends_its_transaction",
        hangs=True,
    ),
    Mutation(
        "web/handler.py",
        "not self._headers_written and (not self._is_complete)",
        "not self._headers_written",
        "foundation/test_streaming.py::test_shutdown_ends_server_sent_events_that_have_not_begun",
    ),
    Mutation(
        "server.py",
        "asyncio.timeout(CLOSE_INTERVAL)",
        "asyncio.timeout(None)",
        "foundation/test_streaming.py::test_shutdown_ends_server_sent_events_that_begin_meanwhile",
        hangs=True,
    ),
    Mutation(
        "web/iso8601.py",
        "(?!{EDGES})",
        "",
        "foundation/test_validation.py::test_dates_that_no_time_zone_may_push_over_the_edge",
        is_text=True,
    ),
    Mutation(
        "settings.py",
        "'writeOnly' not in ___",
        "True",
        "foundation/test_settings.py::test_own_fields_are_refused_in_one_line_without_secrets",
    ),
    Mutation(
        "testing.py",
        "pg_terminate_backend(pid, 60000)",
        "true",
        "foundation/test_testing.py::test_sessions_of_the_test_before_are_ended",
        is_text=True,
    ),
    Mutation(
        "testing.py",
        "_isolated(___a)(**___b)",
        "___a.model_construct(**___b)",
        "foundation/test_testing.py::test_settings_are_validated",
    ),
    Mutation(
        "web/openapi/document.py",
        "functools.reduce(operator.or_, models)",
        "models[-1]",
        "foundation/test_openapi.py::test_models_of_one_status_are_alternatives",
    ),
    Mutation(
        "database/mixed_ids.py",
        "nullif(taken.{id}::bigint, 9223372036854775807)",
        "taken.{id}::bigint",
        "foundation/test_mixed_ids.py::test_greatest_id_of_a_bigint",
        is_text=True,
    ),
]


@pytest.fixture(scope="module")
def projects(bake: Bake) -> Callable[[str], Project]:
    baked = {driver: bake(driver=driver) for driver in CHOICES["driver"]}
    return lambda driver: baked[driver]


@pytest.fixture(scope="module")
def pytest_for(python_for: PythonFor) -> Iterator[Callable[[str], ForkingPytest]]:
    started: dict[str, ForkingPytest] = {}

    def pytest_for(driver: str) -> ForkingPytest:
        if driver not in started:
            started[driver] = ForkingPytest(python_for(driver))
        return started[driver]

    yield pytest_for
    for process in started.values():
        process.close()


@pytest.mark.parametrize("driver", CHOICES["driver"])
def test_mutations_apply(projects: Callable[[str], Project], driver: str) -> None:
    """Quick, and tells of all at once: a change of the foundation may concern several."""
    errors = []
    for mutation in MUTATIONS:
        if driver in mutation.drivers:
            try:
                mutation.apply(path_of(projects(driver), mutation).read_text(encoding="utf-8"))
            except MutationError as error:
                errors.append(f"{mutation.module}: {error}")
    assert not errors, "\n".join(errors)


@pytest.mark.parametrize("driver", CHOICES["driver"])
def test_tests_pass_without_a_mutation(
    projects: Callable[[str], Project], pytest_for: Callable[[str], ForkingPytest], postgres: str, driver: str
) -> None:
    """They fail by the mutations, and not by how they are run: one of each file."""
    tests = {mutation.test.split("::")[0]: mutation.test for mutation in MUTATIONS if driver in mutation.drivers}
    names = [f"tests/{test}" for test in tests.values()]
    printed = pytest_for(driver).run(projects(driver).path, "-q", *names, TEST_DATABASE_URL=postgres)
    assert re.search(r"^\d+ passed in", printed, re.M), printed


@pytest.mark.parametrize(
    ("mutation", "driver"),
    [
        pytest.param(
            mutation, driver, id=f"{mutation.module}: {' '.join(mutation.old.split())[:60]} {mutation.how(driver)}"
        )
        for mutation in MUTATIONS
        if sys.version_info < mutation.before
        for driver in mutation.drivers
    ],
)
def test_mutation_is_noticed(
    projects: Callable[[str], Project],
    pytest_for: Callable[[str], ForkingPytest],
    postgres: str,
    mutation: Mutation,
    driver: str,
) -> None:
    project = projects(driver)
    timeout = HANGS_AFTER if mutation.hangs else FAILS_WITHIN
    limits = ("-o", f"faulthandler_timeout={timeout}", "-o", "faulthandler_exit_on_timeout=true")
    with mutated(project, mutation):
        arguments = ("-x", "-q", *limits, f"tests/{mutation.test}")
        printed = pytest_for(driver).run(project.path, *arguments, TEST_DATABASE_URL=postgres)
    assert "NameError" not in printed, f"what the mutation names is gone:\n{printed}"
    noticed = "Timeout (" if mutation.hangs else f"FAILED tests/{mutation.test}"
    assert noticed in printed, printed


@contextlib.contextmanager
def mutated(project: Project, mutation: Mutation) -> Iterator[None]:
    path = path_of(project, mutation)
    original = path.read_text(encoding="utf-8")
    write_as_new(path, mutation.apply(original))
    try:
        yield
    finally:
        write_as_new(path, original)


def write_as_new(path: Path, source: str) -> None:
    """Write a module so that Python compiles it anew, though it may have the size and second of what was there."""
    path.write_text(source, encoding="utf-8")
    os.utime(path, (next(seconds),) * 2)


def path_of(project: Project, mutation: Mutation) -> Path:
    return project.path / "src" / "name_service" / "foundation" / mutation.module
