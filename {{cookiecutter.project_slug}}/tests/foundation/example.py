"""The service that the foundation is tested with. It is not part of yours."""

import asyncio
from pathlib import Path

from peewee import AutoField, CharField
from pydantic import BaseModel, Field
from tornado.web import HTTPError

from {{ cookiecutter.project_slug }}.foundation.command_line import run
from {{ cookiecutter.project_slug }}.foundation.database import Database, MixedIdModel, make_database
from {{ cookiecutter.project_slug }}.foundation.settings import ListenPort, ServiceSettings
from {{ cookiecutter.project_slug }}.foundation.web import (
    Application,
    Handler,
    Id,
    RequestBody,
    operation,
    parse_id,
    query_argument,
)


class Item(MixedIdModel):
    id = AutoField()
    name = CharField(max_length=255)


class ExampleSettings(ServiceSettings):
    database_name: str = "example"
    port: ListenPort = 8888


class NewItem(RequestBody):
    name: str = Field(min_length=1, max_length=255)


class ItemResponse(BaseModel):
    id: int
    name: str


class ItemHandler(Handler):
    @operation(query={"id": Id | None}, responses={200: [ItemResponse, "text/plain"]}, errors=[404, 503])
    async def get(self) -> None:
        """Get an item, or a hint."""
        given = query_argument(self.request, "id")
        if given is None:
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish("Please provide an id")
            return
        item = await Item.aio_get_or_none(id=parse_id(given))
        if item is None:
            raise HTTPError(404, "no such item")
        self.answer(ItemResponse, item)

    @operation(body=NewItem, responses={201: [ItemResponse]}, errors=[503])
    async def post(self) -> None:
        """Create an item."""
        item = await Item.aio_create(name=NewItem.from_request(self.request).name)
        self.set_status(201)
        self.set_header("Location", f"/items?id={item.id}")
        self.answer(ItemResponse, item)


class GetOrCreateHandler(Handler):
    def initialize(self, database: Database) -> None:
        self.database = database

    @operation(query={"id": Id}, responses={200: [ItemResponse]}, errors=[503])
    async def get(self) -> None:
        """Get or create an item, in a task and a transaction of its own."""
        item = await asyncio.create_task(self.get_or_create(parse_id(query_argument(self.request, "id") or "")))
        self.answer(ItemResponse, item)

    async def get_or_create(self, id_: int) -> Item:
        async with self.database.aio_atomic():
            item, _ = await Item.aio_get_or_create(id=id_, defaults={"name": f"item {id_}"})
            return item


def seed(database: Database) -> None:
    rows = [{"id": id_, "name": f"item {id_}"} for id_ in (1, 2, 3)]
    with database.allow_sync():
        Item.insert_many(rows).on_conflict_ignore().execute()


def make_application(settings: ExampleSettings) -> Application:
    database = make_database(settings)
    return Application(
        settings,
        database,
        distribution="no-such-distribution",
        routes=[("/items", ItemHandler), ("/get-or-create", GetOrCreateHandler, {"database": database})],
        models=[Item],
        migrations=Path(__file__).with_name("migrations"),
        seed=seed,
    )


if __name__ == "__main__":
    run("example", make_application, ExampleSettings)
