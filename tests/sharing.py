"""What several processes of pytest share: turns on this machine, and work that one of them does for all."""

import contextlib
import fcntl
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@contextlib.contextmanager
def locked(file: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock, with others who share it or alone."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Once:
    """Work that is done once in a run, by whichever process comes to it first."""

    folder: Path

    def __call__(self, key: str, work: Callable[[], object]) -> None:
        """Have it done when this returns. Where it fails, the next who wants it does it again, and fails too."""
        done = self._file(key)
        with locked(done.with_suffix(".lock")):
            if not done.exists():
                work()
                done.touch()

    def claims(self, key: str) -> bool:
        """Whether this is the first to come to it: then the work is its caller's, and no other waits."""
        try:
            self._file(key).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _file(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()
