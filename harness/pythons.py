"""The Pythons that this machine has. None is downloaded, and where CI lacks one, its tests fail."""

import functools
import json
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
    """Return the oldest release of this minor version that is on the path, among uv's own, or among pyenv's.

    A stable distribution stays with the release it came out with, faults included: Debian 12 with 3.11.2.
    """
    folders = [*sorted(map(str, PYENV.glob(f"versions/{version}.*/bin"))), os.environ["PATH"]]
    listed = subprocess.run(
        [UV, "python", "list", "--only-installed", "--output-format", "json", f"cpython{version}"],
        env=os.environ | {"PATH": os.pathsep.join(folders)},
        stdout=subprocess.PIPE,
        check=True,
    )
    found = [python for python in json.loads(listed.stdout) if python["variant"] == "default"]
    if found:
        return Path(min(found, key=lambda python: int(python["version_parts"]["patch"]))["path"])
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
