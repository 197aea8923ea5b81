"""Runs pytest many times in forks of one process that has imported what projects import.

Those imports take most of the time of a run that has one test.
"""

import gc
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

IMPORTS = (
    "pytest",
    *("aiopg", "playhouse.postgres_ext", "peewee_async", "psycopg"),
    *("prometheus_client", "psutil", "pydantic.json_schema", "pydantic_settings", "structlog"),
    *("tornado.httpserver", "tornado.simple_httpclient", "tornado.web", "tornado.websocket", "uvloop"),
    *("openapi_spec_validator", "pytest_asyncio.plugin"),
)
# Pytest warns of plugins that it can't rewrite any more, which the projects take for an error.
OPTIONS = ("-W", "ignore::pytest.PytestAssertRewriteWarning", "-p", "no:cacheprovider")


class ForkingPytest:
    """Pytest in the environment of this Python, until `close`."""

    def __init__(self, python: Path) -> None:
        command = (python, "-P", __file__)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, folder: Path, *arguments: str, **environment: str) -> str:
        """Run it in the folder of a project, and return what it printed, errors included."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([str(folder), arguments, environment]), file=self._process.stdin, flush=True)
        printed: str = json.loads(self._process.stdout.readline())
        return printed

    def close(self) -> None:
        self._process.communicate()


def main() -> None:
    for name in IMPORTS:
        if importlib.util.find_spec(name.split(".")[0]):
            importlib.import_module(name)
    for name in importlib.import_module("_pytest.config").default_plugins:
        importlib.import_module(f"_pytest.{name}")
    gc.freeze()  # a child's collections don't copy what it shares
    for line in sys.stdin:
        folder, arguments, environment = json.loads(line)
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
            child = os.fork()
            if child == 0:
                run_here(folder, arguments, environment, printed.fileno())
            os.waitpid(child, 0)
            printed.seek(0)
            print(json.dumps(printed.read()), flush=True)


def run_here(folder: str, arguments: list[str], environment: dict[str, str], output: int) -> None:
    """Become `python -m pytest`."""
    import pytest

    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.update(environment, PYTHONPATH=f"{folder}/src")
    sys.path[:0] = [folder, f"{folder}/src"]
    sys.exit(pytest.main([*OPTIONS, *arguments]))


if __name__ == "__main__":
    main()
