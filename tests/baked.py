"""A project that was baked, and the commands one types in it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent
UV = shutil.which("uv") or str(TEMPLATE / ".uv" / "bin" / "uv")
COOKIECUTTER = (sys.executable, "-m", "cookiecutter")


@dataclass(frozen=True)
class Project:
    """A baked project. Its commands see no environment of this template's, as in a shell of its user's."""

    path: Path

    def files(self) -> set[str]:
        return {str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file()}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Each file's path, as it is in the project, and its text."""
        return ((name, self.read(name)) for name in sorted(self.files()))

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def blocks(self, having: str) -> list[str]:
        """The README's blocks of code that have this text in them, with their continued lines joined."""
        blocks = re.findall(r"^```\w*\n(.*?)^```$", self.read("README.md"), re.DOTALL | re.MULTILINE)
        return [block.replace("\\\n", "") for block in blocks if having in block]

    def run(self, *command: str | Path, **environment: str) -> str:
        """What the command prints, which has to succeed."""
        done = self.try_to_run(*command, **environment)
        assert done.returncode == 0, f"{command} in {self.path} exited with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def try_to_run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """The command when it has ended; its errors are in what it printed."""
        inherited = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        return subprocess.run(
            command,
            cwd=self.path,
            env=inherited | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def bake_by_command(folder: Path, **answers: str) -> Project:
    """The project that cookiecutter's command writes into this folder, over what is there."""
    command = (*COOKIECUTTER, TEMPLATE, "--no-input", "--overwrite-if-exists", "--output-dir", folder)
    answered = [f"{prompt}={answer}" for prompt, answer in answers.items()]
    subprocess.run([*command, *answered], check=True, stdout=subprocess.DEVNULL)
    return Project(folder / answers.get("project_slug", "name_service"))
