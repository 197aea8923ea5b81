"""Locks between the processes of pytest, and work that one of them does for all."""

import contextlib
import fcntl
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@contextlib.contextmanager
def locked(file: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock until the end of the block, exclusively or shared."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Once:
    """Work that the first process to reach it does, once a session."""

    folder: Path

    def __call__(self, key: str, work: Callable[[], object]) -> None:
        """Do the work unless it is done, or wait for who does it. After a failure, the next caller tries again."""
        done = self._file(key)
        with locked(done.with_suffix(".lock")):
            if not done.exists():
                work()
                done.touch()

    def _file(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()
