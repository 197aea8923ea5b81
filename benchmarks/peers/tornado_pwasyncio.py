# /// script
# requires-python = ">=3.11"
# dependencies = ["tornado>=6.6,<7", "peewee>=4.3,<4.4", "asyncpg>=0.30", "greenlet>=3"]
# ///
"""Tornado and peewee's own asyncio, which runs its queries in greenlets, on asyncpg."""

import asyncio
import os

from peewee import CharField
from playhouse.db_url import parse
from playhouse.pwasyncio import AsyncModel, AsyncPostgresqlDatabase
from tornado.escape import json_decode
from tornado.web import Application, HTTPError, RequestHandler

database = AsyncPostgresqlDatabase(**parse(os.environ["DATABASE_URL"]), pool_size=10, pool_min_size=10)


class TestNameModel(AsyncModel):
    name = CharField(max_length=255)

    class Meta:
        database = database


class RootHandler(RequestHandler):
    async def get(self) -> None:
        async with database:
            row = await TestNameModel.aget_or_none(TestNameModel.id == int(self.get_query_argument("id")))
        if row is None:
            raise HTTPError(404)
        self.write({"id": row.id, "name": row.name})

    async def post(self) -> None:
        async with database:
            row = await TestNameModel.acreate(name=json_decode(self.request.body)["name"])
        self.set_status(201)
        self.write({"id": row.id, "name": row.name})


async def main() -> None:
    Application([("/", RootHandler)]).listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
