"""The Pythons that this machine has. None is downloaded."""

import functools
import os
import subprocess
from pathlib import Path

from .baked import UV

PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()


@functools.cache
def interpreter(version: str) -> Path | None:
    """That of a minor version, where there is one: on the path, uv's own, or pyenv's, chosen there or not."""
    folders = [*sorted(map(str, PYENV.glob(f"versions/{version}.*/bin"))), os.environ["PATH"]]
    found = subprocess.run(
        [UV, "python", "find", "--system", "--no-project", "--no-python-downloads", version],
        env=os.environ | {"PATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else None
