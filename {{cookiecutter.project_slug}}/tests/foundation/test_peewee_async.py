"""Code that was written for peewee-async works."""

import asyncio
import logging
from typing import Any

import pytest
from peewee import CharField, ImproperlyConfigured, InterfaceError, OperationalError
from playhouse.postgres_ext import HStoreField

from {{ cookiecutter.project_slug }}.foundation.database import Database, Model, compiled, make_database
from {{ cookiecutter.project_slug }}.foundation.testing import Service, isolated_settings

from .example import ExampleSettings
from .support import free_port


class WithHStore(Model):
    tags = HStoreField()


class Event(Model):
    name = CharField()

    class Meta:
        primary_key = False


@pytest.mark.parametrize(
    "create",
    [
        lambda: Event.aio_create(name="an event"),
        lambda: Event(name="an event").aio_save(),
        lambda: Event.insert(name="an event").on_conflict_ignore().aio_execute(),
        lambda: Event.insert_many([{"name": "an event"}]).aio_execute(),
        lambda: compiled(lambda name: Event.insert(name=name))("an event"),
    ],
    ids=["aio_create", "aio_save", "insert", "insert_many", "compiled"],
)
async def test_row_without_a_primary_key(service: Service, create: Any) -> None:
    with service.database.bind_ctx([Event]):
        await Event.aio_create_table()
        await create()
        assert [event.name for event in await Event.select().aio_execute()] == ["an event"]


async def test_connects_by_itself_at_the_first_query(settings: ExampleSettings) -> None:
    database = make_database(settings)
    assert not database.is_connected
    await asyncio.gather(*(database.aio_execute_sql("SELECT 1") for _ in range(20)))
    assert database.is_connected
    await database.aio_close()


async def test_stays_closed_until_it_connects_again(settings: ExampleSettings) -> None:
    database = make_database(settings)
    await database.aio_connect()
    await database.aio_close()
    with pytest.raises(InterfaceError, match="closed"):
        await database.aio_execute_sql("SELECT 1")
    await database.aio_connect()
    await database.aio_execute_sql("SELECT 1")
    await database.aio_close()


async def test_connects_once_the_server_is_there(settings: ExampleSettings) -> None:
    nowhere = isolated_settings(ExampleSettings, f"postgresql://127.0.0.1:{free_port()}/name")
    database = make_database(nowhere)
    with pytest.raises(OperationalError):
        await database.aio_connect()
    with pytest.raises(OperationalError):
        await database.aio_execute_sql("SELECT 1")


async def test_name_is_given_later(settings: ExampleSettings) -> None:
    database = Database(None)
    with pytest.raises(ImproperlyConfigured, match="init"):
        await database.aio_execute_sql("SELECT 1")
    given = make_database(settings)
    database.init(given.database, **given.connect_params, pool_params={"size": 1})
    await database.aio_execute_sql("SELECT 1")
    assert database.pool_backend.size == 1
    await database.aio_close()


async def test_statements_are_logged_as_peewee_asyncs(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "peewee.async"):
        await service.database.aio_execute_sql("SELECT %s", [1])
    assert [record.msg for record in caplog.records] == [("SELECT %s", [1])]


async def test_models_are_bound_from_any_iterable(settings: ExampleSettings) -> None:
    database = make_database(settings)
    database.bind(model for model in [Event])
    assert Event._meta.database is database


async def test_type_without_an_adapter_is_refused_at_the_start(service: Service) -> None:
    with pytest.raises(TypeError, match=r"WithHStore\.tags: hstore"):
        service.database.bind([WithHStore])
