"""How long it takes to bake, to start, and from the one to the first answer."""

import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from subprocess import DEVNULL

import psutil

from harness.baked import UV, bake_by_command
from harness.postgres import Server as Postgres
from harness.postgres import free_port

from .measuring import Comparison, Figure
from .servers import Server, listens, wait_until_it_listens

# What the service imports of others.
IMPORTS = """
import aiopg, peewee, peewee_async, playhouse.postgres_ext, prometheus_client, psycopg2.extensions, pydantic
import pydantic_settings, structlog, tornado.httpserver, tornado.web, uvloop
"""


def start_up(server: Server, postgres: Postgres, rounds: int) -> Comparison:
    """From the start of the program until it says that it serves, against importing its dependencies alone."""
    python = Path(server.command[0]).with_name("python")
    environment = os.environ | {"PORT": "0", "DATABASE_URL": postgres.url} | server.environment
    ratios = []
    for _ in range(4 * rounds + 1):  # short ones, of which noise is a greater part
        began = time.monotonic()
        with subprocess.Popen(server.command, env=environment, stdout=subprocess.PIPE, stderr=DEVNULL) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"Serving on ")
            started = time.monotonic() - began
            process.terminate()
        began = time.monotonic()
        subprocess.run([python, "-c", IMPORTS], check=True)
        ratios.append(started / (time.monotonic() - began))
    return Comparison("until it listens, against importing what it depends on", "ratio", Figure.of(ratios[1:]))


def first_answer(rounds: int) -> list[Comparison]:
    """A bake, and what comes after it until the first answer, with the packages in uv's cache."""
    bakes, answers = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            folder.chmod(0o755)  # PostgreSQL keeps its data there, as another user where this is root's
            began = time.monotonic()
            project = bake_by_command(folder)
            baked = time.monotonic()
            port = free_port()
            environment = os.environ | {"PORT": str(port)}
            command = ["make", "run", f"UV={UV}"]
            make = psutil.Popen(command, cwd=project.path, env=environment, stdout=DEVNULL, stderr=DEVNULL)
            wait_until_it_listens(make)
            urllib.request.urlopen(f"http://127.0.0.1:{port}/?id=1").close()  # raises where that is no 200
            bakes.append(baked - began)
            answers.append(time.monotonic() - began)
            family = [make, *make.children(recursive=True)]
            next(filter(listens, family)).terminate()  # all others end with it
            psutil.wait_procs(family)
    return [
        Comparison("bake", "s", Figure.of(bakes)),
        Comparison("bake, install, make an embedded PostgreSQL, first answer", "s", Figure.of(answers)),
    ]
