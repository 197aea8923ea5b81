"""`serve --reload`: Tornado's autoreload notices changed modules, and this module replaces the process by a new one.

Between the two, this file runs as a program, and tries again until the changed code imports. All of them are one
process, so killing it leaves nothing behind.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import tornado.autoreload

STARTED = time.time()  # before the service's own modules are imported
CHECK = 200  # milliseconds
RETRY = 0.5  # seconds


def prepare_reload(database_url: str | None) -> None:
    """Set the environment of the next processes, and replace this one when a module has changed."""
    if database_url is not None:  # so that an embedded server stays the same one
        os.environ["DATABASE_URL"] = database_url
    # Apply no migration before somebody has read it. The first rows may need it.
    os.environ["MIGRATE_ON_START"] = os.environ["SEED_ON_START"] = "false"
    tornado.autoreload.add_reload_hook(_replace_process)


async def watch(database_url: str | None) -> None:
    """Begin to watch the modules, from their state at the start: autoreload begins with its first check."""
    prepare_reload(database_url)
    tornado.autoreload.start(CHECK)
    await asyncio.sleep(2 * CHECK / 1000)
    if _changed_since_start():
        _replace_process()


@contextlib.contextmanager
def retry_after_change(retries: bool) -> Iterator[list[Path]]:
    """Show why the start failed inside the block, and start again when a file has changed; nothing without `retries`.

    Gives a list, for the folders to watch beside the modules and `.env`.
    """
    folders: list[Path] = []
    try:
        yield folders
    except (Exception, SystemExit) as failed:
        if not retries or (isinstance(failed, SystemExit) and not isinstance(failed.code, str)):
            raise
        reason = failed.code if isinstance(failed, SystemExit) else traceback.format_exc()
        print(reason, "Waiting for a change.", sep="\n", file=sys.stderr, flush=True)
        before = _times(folders)
        while before == _times(folders) and not _changed_since_start():
            time.sleep(RETRY)
        _replace_process()


def _changed_since_start() -> bool:
    return any(changed > STARTED for changed in _times([], others=()).values())


def _times(folders: Sequence[Path], others: Sequence[str] = (".env",)) -> dict[str, float]:
    """Return when each module, each of the other files, and each file in the folders was changed."""
    modules = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    inside = [str(path) for folder in folders if folder.exists() for path in folder.iterdir()]
    return {file: os.path.getmtime(file) for file in [*modules, *others, *inside] if file and os.path.exists(file)}


def _replace_process() -> None:
    arguments = sys.argv[1:]
    program = [sys.executable, *sys.orig_argv[1 : -len(arguments)]]
    os.execv(sys.executable, [sys.executable, __file__, json.dumps(program), *arguments])


def _wait_and_serve(program: list[str], arguments: Sequence[str]) -> None:
    shown = ""
    while (done := subprocess.run([*program, "openapi"], capture_output=True, text=True)).returncode:
        if done.stderr != shown:
            shown = done.stderr
            with contextlib.suppress(OSError):
                print(shown, file=sys.stderr, flush=True)
        time.sleep(RETRY)
    os.execv(program[0], [*program, *arguments])


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(128 + number))  # as a container's first process
    with contextlib.suppress(KeyboardInterrupt):
        _wait_and_serve(json.loads(sys.argv[1]), sys.argv[2:])
