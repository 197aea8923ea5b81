"""Liveness and readiness: `/healthz` and `/readyz`."""

import asyncio
from typing import Literal

import peewee
from pydantic import BaseModel
from tornado.web import HTTPError

from ..database import Database
from .handler import Handler
from .openapi import operation

PROBE_TIMEOUT = 1  # seconds


class Readiness:
    """Whether the server should get requests. Callers at the same time share one probe of the database."""

    def __init__(self, database: Database) -> None:
        self.draining = False
        self._database = database
        self._probe: asyncio.Task[bool] | None = None

    async def check(self) -> None:
        """Raise HTTPError 503 during a shutdown, or when the database doesn't answer within PROBE_TIMEOUT."""
        if self.draining:
            raise HTTPError(503, "The server is shutting down")
        if not await self.database_answers():
            raise HTTPError(503, "The database doesn't answer")

    async def database_answers(self) -> bool:
        """Return whether the database answers within PROBE_TIMEOUT."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._ask())
        return await asyncio.shield(self._probe)

    async def _ask(self) -> bool:
        try:
            await self._database.ping(PROBE_TIMEOUT)
        except (peewee.DatabaseError, peewee.InterfaceError):
            return False
        return True


class Status(BaseModel):
    """Body of `/healthz` and `/readyz`."""

    status: Literal["alive", "ready"]


class HealthHandler(Handler):
    """Answers 200 while the process lives; asks nothing."""

    @operation(responses={200: [Status]})
    def get(self) -> None:
        """Whether the process lives."""
        self.finish(Status(status="alive").model_dump())


class ReadyHandler(Handler):
    """Answers 200 when the server can serve, else 503."""

    @operation(responses={200: [Status]}, errors=[503])
    async def get(self) -> None:
        """Whether to send requests here."""
        await self.application.readiness.check()
        self.finish(Status(status="ready").model_dump())
