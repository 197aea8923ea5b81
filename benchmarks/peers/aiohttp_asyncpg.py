# /// script
# requires-python = ">=3.11"
# dependencies = ["aiohttp[speedups]>=3.13,<4", "asyncpg>=0.30"]
# ///
"""aiohttp and asyncpg with SQL by hand: what one gives up an ORM for."""

import os
from collections.abc import AsyncIterator

import asyncpg
from aiohttp import web

POOL: web.AppKey["asyncpg.Pool[asyncpg.Record]"] = web.AppKey("pool")


async def get(request: web.Request) -> web.Response:
    row = await request.app[POOL].fetchrow("SELECT id, name FROM testnamemodel WHERE id = $1", int(request.query["id"]))
    if row is None:
        raise web.HTTPNotFound
    return web.json_response(dict(row))


async def post(request: web.Request) -> web.Response:
    name = (await request.json())["name"]
    row = await request.app[POOL].fetchrow("INSERT INTO testnamemodel (name) VALUES ($1) RETURNING id, name", name)
    assert row is not None
    return web.json_response(dict(row), status=201)


async def with_pool(application: web.Application) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=10, max_size=10) as pool:
        application[POOL] = pool
        yield


application = web.Application()
application.cleanup_ctx.append(with_pool)
application.add_routes([web.get("/", get), web.post("/", post)])
web.run_app(application, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
