"""A repository of the template, as cruft clones it, and commands that run with an empty home."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .baked import TEMPLATE

IGNORED = {
    ".git",
    ".venv",
    ".uv",
    "build",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    "__pycache__",
    "uv.lock",
}


@dataclass(frozen=True)
class Home:
    """A home without settings, so that nothing depends on who runs the tests."""

    path: Path

    def environment(self) -> dict[str, str]:
        config = {"GIT_CONFIG_GLOBAL": str(Path(__file__).parent / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COOKIECUTTER", "GIT_"))}
        return {**inherited, **config, "HOME": str(self.path), "PYTHONUTF8": "1"}

    def try_to_run(self, *command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="surrogateescape",
        )

    def run(self, *command: str | Path, folder: Path) -> str:
        """Run the command, which has to succeed, and return what it printed."""
        done = self.try_to_run(*command, folder=folder)
        assert done.returncode == 0, f"{command} in {folder} exited with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def git(self, *arguments: str | Path, folder: Path) -> str:
        return self.run("git", *arguments, folder=folder)

    def commit(self, folder: Path, message: str) -> str:
        """Commit all files, and return the commit's hash."""
        if not (folder / ".git").exists():
            self.git("init", "--quiet", folder=folder)
        self.git("add", "--all", folder=folder)
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}", folder=folder)
        return self.git("rev-parse", "HEAD", folder=folder).strip()


CRUFT = (sys.executable, "-m", "cruft")


class Publisher:
    """A repository of the template, and an empty home, in a folder for projects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.template = folder / "template"
        for made in (self.home.path, self.template):
            made.mkdir(parents=True)

    def publish(self, files: dict[str, bytes]) -> str:
        """Commit a version of the template, and return the commit."""
        write_files(self.template, files)
        return self.home.commit(self.template, "A version")


def template_files() -> dict[str, bytes]:
    """Return the template's files, with uncommitted changes."""
    files = {}
    for folder, folders, names in os.walk(TEMPLATE):
        folders[:] = [name for name in folders if name not in IGNORED]
        for path in (Path(folder) / name for name in names if name not in IGNORED):
            files[str(path.relative_to(TEMPLATE))] = path.read_bytes()
    return files


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Replace the files of a working tree with these."""
    for path in [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts]:
        path.unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
