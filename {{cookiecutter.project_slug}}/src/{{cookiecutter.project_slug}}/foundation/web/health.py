"""Liveness and readiness: `/healthz` and `/readyz`."""

import asyncio
from typing import Literal

import structlog
from pydantic import BaseModel
from tornado.web import HTTPError

from ..database import DATABASE_ERRORS, Database, ReadOnlyServer, one_line
from .handler import Handler
from .openapi import operation

logger = structlog.get_logger()

PROBE_TIMEOUT = 1  # seconds
NO_ANSWER = "The database doesn't answer"
READ_ONLY = "The database is read-only"


class Readiness:
    """Whether the server should get requests. Callers at the same time share one probe of the database."""

    def __init__(self, database: Database) -> None:
        self.draining = False
        self._database = database
        self._probe: asyncio.Task[str | None] | None = None
        self._reported: str | None = None

    async def check(self) -> None:
        """Raise HTTPError 503 during a shutdown, or where the database can't serve."""
        obstacle = "The server is shutting down" if self.draining else await self.database_obstacle()
        if obstacle:
            raise HTTPError(503, obstacle)

    async def database_obstacle(self) -> str | None:
        """Return why the database can't serve, None where it can. It has PROBE_TIMEOUT to answer."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._probe_database())
        return await asyncio.shield(self._probe)

    async def _probe_database(self) -> str | None:
        obstacle, reason = None, ""
        try:
            await self._database.probe(PROBE_TIMEOUT)
        except DATABASE_ERRORS as error:
            obstacle = READ_ONLY if isinstance(error, ReadOnlyServer) else NO_ANSWER
            reason = one_line(error)
        if obstacle != self._reported:
            self._reported = obstacle
            if obstacle:
                logger.warning("not ready", obstacle=obstacle, reason=reason)
            else:
                logger.info("ready again")
        return obstacle


class Status(BaseModel):
    """Body of `/healthz` and `/readyz`."""

    status: Literal["alive", "ready"]


class HealthHandler(Handler):
    """Answers 200 while the process lives; asks nothing."""

    @operation(responses={200: [Status]})
    def get(self) -> None:
        """Whether the process lives."""
        self.answer(Status, {"status": "alive"})


class ReadyHandler(Handler):
    """Answers 200 when the server can serve, else 503."""

    @operation(responses={200: [Status]}, errors=[503])
    async def get(self) -> None:
        """Whether to send requests here."""
        await self.application.readiness.check()
        self.answer(Status, {"status": "ready"})
