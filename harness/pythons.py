"""The Pythons that this machine has. None is downloaded, and where CI lacks one, its tests fail."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from .baked import UV

PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
THIS_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

PythonFor = Callable[..., Path]  # makes an environment for a driver and a Python version, and returns its Python


@functools.cache
def interpreter(version: str) -> Path | None:
    """Return the interpreter of this minor version: on the path, uv's own, or any of pyenv's."""
    folders = [*sorted(map(str, PYENV.glob(f"versions/{version}.*/bin"))), os.environ["PATH"]]
    found = subprocess.run(
        [UV, "python", "find", "--system", "--no-project", "--no-python-downloads", version],
        env=os.environ | {"PATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
    )
    if found.returncode == 0:
        return Path(found.stdout.strip())
    return Path(sys.executable) if version == THIS_VERSION else None


def interpreter_or_skip(version: str) -> Path:
    """Return the interpreter of this minor version, or skip the test where the machine has none."""
    found = interpreter(version)
    if found is None:
        skip_but_in_ci(f"this machine has no Python {version}: uv python install {version}")
    return found


def skip_but_in_ci(reason: str) -> NoReturn:
    """Skip the test with this reason; in CI, which has to have everything, fail it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
