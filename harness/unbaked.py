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
from .choices import CHOICES

FOUNDATION = next(TEMPLATE.glob("{{*}}/src/{{*}}/foundation"))
CONDITION = re.compile(r"\{% if cookiecutter\.driver == '(\w+)' %\}(.+)\{% endif %\}")


def foundation_of(driver: str) -> dict[Path, Path]:
    """Return the foundation's files for this driver: the path below a project's foundation, and the template's file."""
    found = {}
    for file in FOUNDATION.rglob("*"):
        condition = CONDITION.fullmatch(file.name)
        if file.is_file() and "__pycache__" not in file.parts and (condition is None or condition[1] == driver):
            path = file.relative_to(FOUNDATION)
            found[path.with_name(condition[2]) if condition else path] = file
    return found


def link_foundation(folder: Path, driver: str) -> None:
    """Make a package `foundation` in the folder, of links to the template's files for this driver."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, file in foundation_of(driver).items():
        link = folder / "foundation" / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)


def main() -> None:
    for driver in CHOICES["driver"]:
        folder = BUILD / "unbaked" / driver
        link_foundation(folder, driver)
        options = ("--config-file", TEMPLATE / "pyproject.toml", "--package", "foundation")
        environment = os.environ | {"MYPYPATH": str(folder)}
        if subprocess.run([sys.executable, "-m", "mypy", *options], env=environment).returncode:
            sys.exit(f"the foundation with the driver {driver}: see above")


if __name__ == "__main__":
    main()
