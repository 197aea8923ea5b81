"""Facts that a baked project's deployment files repeat from its code."""

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass

from .baked import Project

# Run in a project: what its code says that deployment files repeat.
FACTS = """
import json
from {slug}.foundation import server
from {slug}.foundation.web import document
from {slug}.service import make_application
from {slug}.settings import Settings
settings = Settings()
print(json.dumps({{
    "settings": {{name.upper(): str(getattr(settings, name)) for name in Settings.model_fields}},
    "paths": list(json.loads(document(make_application(settings)))["paths"]),
    "margin": 2 * server.CANCEL_TIMEOUT + server.EXIT_TIMEOUT,
}}))
"""

COMMANDS = """
import json, os, sys
os.environ["PORT"] = "none"
from {slug}.__main__ import main
for command in map(json.loads, sys.argv[1:]):
    sys.argv = command
    try:
        assert os.path.basename(command[0]) == "{slug}"
        main()
    except BaseException as end:
        print(command, repr(end))
"""


@dataclass(frozen=True)
class Facts:
    """What the code says: settings with their defaults, paths, and how long a shutdown may take beyond its grace."""

    settings: dict[str, str]
    paths: set[str]
    margin: float

    def longest_shutdown(self, settings: dict[str, str]) -> float:
        """Return the seconds from SIGTERM to the exit, at most, where the end of the lifespan takes none."""
        here = self.settings | settings
        return float(here["SHUTDOWN_DELAY"]) + float(here["SHUTDOWN_GRACE"]) + self.margin


@functools.cache
def facts(project: Project) -> Facts:
    code, printed = _python(project, "-c", FACTS.format(slug=project.path.name))
    assert code == 0, printed
    said = json.loads(printed)
    return Facts(said["settings"], set(said["paths"]), said["margin"])


@functools.cache
def refused_commands(project: Project, *commands: tuple[str, ...]) -> list[str]:
    """Return the commands that the program doesn't take. Those that it takes go on to its settings, and refuse one."""
    code, printed = _python(project, "-c", COMMANDS.format(slug=project.path.name), *map(json.dumps, commands))
    assert code == 0, printed
    return [line for line in printed.splitlines() if "PORT='none'" not in line]


def _python(project: Project, *arguments: str) -> tuple[int, str]:
    """Run it in a folder without an .env, and return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project.path / "src",
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout
