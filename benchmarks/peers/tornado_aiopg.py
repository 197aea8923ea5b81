# /// script
# requires-python = ">=3.11"
# dependencies = ["tornado>=6.6,<7", "aiopg>=1.4,<2", "psycopg2-binary>=2.9.9,<3"]
# ///
"""Tornado and aiopg with SQL by hand: the limit of a service on the two."""

import asyncio
import os

import aiopg
from tornado.escape import json_decode
from tornado.web import Application, HTTPError, RequestHandler


class RootHandler(RequestHandler):
    def initialize(self, pool: aiopg.Pool) -> None:
        self.pool = pool

    async def get(self) -> None:
        id_ = int(self.get_query_argument("id"))
        row = await self.row("SELECT id, name FROM testnamemodel WHERE id = %s", id_)
        self.write({"id": row[0], "name": row[1]})

    async def post(self) -> None:
        name = json_decode(self.request.body)["name"]
        row = await self.row("INSERT INTO testnamemodel (name) VALUES (%s) RETURNING id, name", name)
        self.set_status(201)
        self.write({"id": row[0], "name": row[1]})

    async def row(self, sql: str, parameter: int | str) -> tuple[int, str]:
        async with self.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(sql, (parameter,))
            row: tuple[int, str] | None = await cursor.fetchone()
        if row is None:
            raise HTTPError(404)
        return row


async def main() -> None:
    async with aiopg.create_pool(os.environ["DATABASE_URL"], minsize=10, maxsize=10) as pool:
        Application([("/", RootHandler, {"pool": pool})]).listen(int(os.environ["PORT"]), "127.0.0.1")
        await asyncio.Event().wait()


asyncio.run(main())
