"""Checks the types of the foundation where it stands in the template, unbaked, with each driver.

mypy takes no folder whose name has braces for a package, and the driver's file has a condition in its name. So the
foundation's files are linked into a folder of the build, one for each driver.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .baked import BUILD, TEMPLATE

FOUNDATION = next(TEMPLATE.glob("{{*}}/src/{{*}}/foundation"))
DRIVERS = ("aiopg", "psycopg")
CONDITION = re.compile(r"\{% if cookiecutter\.driver == '(\w+)' %\}(.+)\{% endif %\}")


def link_foundation(folder: Path, driver: str) -> None:
    """Make a package `foundation` in the folder, of links to the template's files for this driver."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in FOUNDATION.rglob("*.py*"):
        condition = CONDITION.fullmatch(path.name)
        if path.is_file() and path.suffix != ".pyc" and (condition is None or condition[1] == driver):
            link = folder / "foundation" / path.relative_to(FOUNDATION)
            link = link.with_name(condition[2] if condition else path.name)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)


def main() -> None:
    for driver in DRIVERS:
        folder = BUILD / "unbaked" / driver
        link_foundation(folder, driver)
        options = ("--config-file", TEMPLATE / "pyproject.toml", "--package", "foundation")
        environment = os.environ | {"MYPYPATH": str(folder)}
        if subprocess.run([sys.executable, "-m", "mypy", *options], env=environment).returncode:
            sys.exit(f"the foundation with the driver {driver}: see above")


if __name__ == "__main__":
    main()
