"""A baked project, and commands that run in it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent
BUILD = TEMPLATE / "build"  # environments and locks, which outlast a session
UV = shutil.which("uv") or str(TEMPLATE / ".uv" / "bin" / "uv")
PATH = f"{os.environ['PATH']}{os.pathsep}{Path(UV).parent}"  # as a user's, who has uv
# A block of code in Markdown: its language, its title and its text.
BLOCK = r'^```(\w*)(?: title="(.*?)")?\n(.*?)^```$'
# What the template's own environment and make export to what they run.
OF_THE_TEMPLATE = ("VIRTUAL_ENV", "MAKELEVEL", "MAKEFLAGS", "MFLAGS")
COOKIECUTTER = (sys.executable, "-m", "cookiecutter")


@dataclass(frozen=True)
class Project:
    """A baked project. Its commands don't see the template's virtual environment, as in its user's shell."""

    path: Path

    def files(self) -> set[str]:
        return {str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file()}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Yield each file's path within the project, and its text."""
        return ((name, self.read(name)) for name in sorted(self.files()))

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def blocks(self, having: str) -> list[str]:
        """Return the documentation's code blocks that contain this text, with continued lines joined."""
        pages = "".join(
            page.read_text("utf-8") for page in [self.path / "README.md", *(self.path / "docs").glob("*.md")]
        )
        blocks = re.findall(BLOCK, pages, re.DOTALL | re.MULTILINE)
        return [body.replace("\\\n", "") for _, _, body in blocks if having in body]

    def run(self, *command: str | Path, **environment: str) -> str:
        """Run the command, which has to succeed, and return what it printed."""
        done = self.try_to_run(*command, **environment)
        assert done.returncode == 0, f"{command} in {self.path} exited with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def try_to_run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end; `stdout` has its errors too."""
        inherited = {name: value for name, value in os.environ.items() if name not in OF_THE_TEMPLATE}
        return subprocess.run(
            command,
            cwd=self.path,
            env=inherited | {"PATH": PATH} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


Bake = Callable[..., Project]  # bakes with the given answers, and the defaults for the others


def bake_by_command(folder: Path, *options: str, **answers: str) -> Project:
    """Bake into this folder by cookiecutter's command, over what is there."""
    command = (*COOKIECUTTER, TEMPLATE, "--no-input", "--overwrite-if-exists", "--output-dir", folder)
    answered = [f"{prompt}={answer}" for prompt, answer in answers.items()]
    subprocess.run([*command, *options, *answered], check=True, stdout=subprocess.DEVNULL)
    return Project(folder / answers.get("project_slug", "name_service"))
