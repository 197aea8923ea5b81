"""Work that outlives its request."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from prometheus_client import Counter

logger = structlog.get_logger()


class BackgroundTasks:
    """Keeps spawned tasks until they end: asyncio keeps weak references only, and may lose a running task."""

    def __init__(self) -> None:
        self.ended = Counter("background_tasks", "Spawned tasks that have ended.", ["outcome"], registry=None)
        for outcome in ("succeeded", "cancelled", "failed"):
            self.ended.labels(outcome)  # from 0 on: Prometheus takes no first value for an increase
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Start a task. It inherits its caller's context, the request's id included."""
        task = asyncio.create_task(self._run(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def wait_for_end(self) -> None:
        """Wait until no task runs, including those that a task spawns."""
        while self._running:
            await asyncio.wait(self._running)

    def cancel(self) -> None:
        """Cancel the tasks that still run."""
        for task in self._running:
            task.cancel()

    async def _run(self, work: Coroutine[Any, Any, object]) -> None:
        name = getattr(work, "__qualname__", repr(work))
        try:
            await work
            outcome = "succeeded"
        except asyncio.CancelledError:
            outcome = "cancelled"
            logger.warning("background task cancelled", task=name)
        except Exception:
            outcome = "failed"
            logger.exception("background task failed", task=name)
        self.ended.labels(outcome).inc()
