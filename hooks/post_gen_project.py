"""Remove the folders that no answer filled, and say what to do next."""

import contextlib
import os
import shlex
from pathlib import Path

# By name: over an existing project (`cookiecutter --overwrite-if-exists`) there are empty folders that are its user's.
FOLDERS = (
    *(".github/workflows", ".github"),
    *("kubernetes/base", "kubernetes/cloudnative-pg", "kubernetes/service-monitor", "kubernetes"),
)
for folder in FOLDERS:
    with contextlib.suppress(OSError):  # it isn't there, or has files
        os.rmdir(folder)

Path(__file__).unlink()  # cookiecutter's copy of this, which it would leave among the temporary files

# `cruft update` and `cruft diff` bake as well, for themselves; only cookiecutter knows this variable.
if "{% if cookiecutter._output_dir is defined %}cookiecutter{% endif %}":
    here = Path.cwd()
    # PWD is where the shell is, unless --output-dir names another folder.
    folder = here.name if os.environ.get("PWD") == str(here.parent) else shlex.quote(str(here))
    done = f"\nThe project is baked. Serve it, on embedded PostgreSQL:\n\n    cd {folder} && make run\n\n"
    with contextlib.suppress(OSError):  # print() would undo the bake where the output is closed, full or ASCII
        os.write(1, os.fsencode(done))
