"""A Dockerfile's stages, and its build without a container engine."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .baked import UV, Project

BASE_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass
class Stage:
    """A stage: its image, its other instructions, and its variables."""

    image: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        variables = [variable.partition("=") for arguments in self.all("ENV") for variable in arguments.split()]
        return {name: value.replace("$PATH", BASE_PATH) for name, _, value in variables}

    def all(self, name: str) -> list[str]:
        return [arguments for instruction, arguments in self.instructions if instruction == name]

    def command(self, name: str) -> list[str]:
        """Return the arguments of CMD, or of HEALTHCHECK's CMD."""
        [arguments] = self.all(name)
        command = json.loads(arguments[arguments.index("[") :])
        assert isinstance(command, list)
        return command


def stages(text: str) -> list[Stage]:
    found: list[Stage] = []
    for line in re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines():
        if line.strip():
            instruction, arguments = line.split(None, 1)
            if instruction == "FROM":
                found.append(Stage(arguments.split()[0]))
            else:
                found[-1].instructions.append((instruction, arguments))
    return found


def final_stage(project: Project) -> Stage:
    return stages(project.read("Dockerfile"))[-1]


def context(project: Path, folder: Path) -> None:
    """Copy what `.dockerignore` lets through."""
    rules = (project / ".dockerignore").read_text().splitlines()
    assert rules[0] == "*"
    anywhere = [rule.removeprefix("**/") for rule in rules if rule.startswith("**/")]
    for name in (rule.removeprefix("!") for rule in rules if rule.startswith("!")):
        if (project / name).is_dir():
            shutil.copytree(project / name, folder / name, ignore=shutil.ignore_patterns(*anywhere))
        elif (project / name).exists():
            shutil.copy(project / name, folder / name)


def build(stage: Stage, context: Path, folder: Path, python: Path) -> None:
    """Carry out the stage in this empty folder, in place of its WORKDIR, by this machine's uv and this Python.

    Raises CalledProcessError, with what was printed, for a step that fails: that stops the build.
    """
    [workdir] = stage.all("WORKDIR")
    environment = os.environ | stage.environment | {"UV_PYTHON": str(python)}
    environment["PATH"] = f"{Path(UV).parent}:{os.environ['PATH']}"
    environment.pop("VIRTUAL_ENV", None)
    for instruction, arguments in stage.instructions:
        if instruction == "COPY" and not arguments.startswith("--from="):
            *sources, _ = arguments.split()
            for source in sources:
                for path in [context] if source == "." else context.glob(source):
                    if path.is_dir():
                        shutil.copytree(path, folder, dirs_exist_ok=True)
                    else:
                        shutil.copy(path, folder)
        elif instruction == "RUN":
            command = re.sub(r"--mount=\S+ ", "", arguments).replace(workdir, str(folder))
            subprocess.run(
                ["sh", "-c", command],
                cwd=folder,
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
