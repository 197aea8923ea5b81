"""Whether the process lives, and whether it can serve."""

import asyncio
from typing import Literal

import peewee
from pydantic import BaseModel
from tornado.web import HTTPError

from .database import Database
from .openapi import described
from .problems import Handler

PROBE_TIMEOUT = 1  # seconds


class Readiness:
    """Whether to send requests here. Callers at the same time share one question to the database."""

    def __init__(self, database: Database) -> None:
        self.draining = False
        self._database = database
        self._probe: asyncio.Task[bool] | None = None

    async def check(self) -> None:
        """Raises HTTPError 503 while the server shuts down, or where the database doesn't answer in time."""
        if self.draining:
            raise HTTPError(503, "The server is shutting down")
        if not await self.database_answers():
            raise HTTPError(503, "The database doesn't answer")

    async def database_answers(self) -> bool:
        """Whether it does, within a second."""
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
    """What there is to say of a server that answers."""

    status: Literal["alive", "ready"]


class HealthHandler(Handler):
    """Answers while the process lives, and asks nothing."""

    @described(answers={200: [Status]})
    def get(self) -> None:
        """Whether the process lives."""
        self.finish(Status(status="alive").model_dump())


class ReadyHandler(Handler):
    """Answers 200 where this server can serve, else 503."""

    def initialize(self, readiness: Readiness) -> None:
        self.readiness = readiness

    @described(answers={200: [Status]}, errors=[503])
    async def get(self) -> None:
        """Whether to send requests here."""
        await self.readiness.check()
        self.finish(Status(status="ready").model_dump())
