"""Code that was written for peewee-async works."""

from typing import Any

import pytest
from peewee import CharField

from {{ cookiecutter.project_slug }}.foundation.database import Model, compiled
from {{ cookiecutter.project_slug }}.foundation.testing import Service


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
