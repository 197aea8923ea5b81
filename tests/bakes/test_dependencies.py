"""The versions that a project allows: bounds have reasons, each machine gets wheels, and the lowest versions work."""

import itertools
import math
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from harness.baked import TEMPLATE, UV, Bake
from harness.checking import check_python
from harness.choices import CHOICES, NAMES
from harness.figures import Figures
from harness.postgres import PostgresOf
from harness.pythons import PythonFor
from harness.sharing import Once
from harness.suites import keep_what_a_suite_sees, run_suite

# Not Intel's Macs: fewer and fewer packages have wheels for them, and make and git come with a compiler there.
PLATFORMS = ["manylinux.*_x86_64", "manylinux.*_aarch64", "macosx.*_(arm64|universal2)"]


@pytest.fixture(params=["template", *CHOICES["driver"]])
def described(bake: Bake, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a copy of the pyproject.toml of the template, or of a project of this driver."""
    folder = TEMPLATE if request.param == "template" else bake(driver=request.param).path
    return Path(shutil.copy(folder / "pyproject.toml", tmp_path))


def test_upper_bounds_have_reasons(described: Path) -> None:
    bounded = [line for line in described.read_text("utf-8").splitlines() if re.search(r"<=?\d", line)]
    assert bounded
    assert not [line for line in bounded if "  # " not in line]


def test_nothing_has_to_be_compiled(described: Path) -> None:
    """Find in the lock a wheel of each package for each machine."""
    subprocess.run([UV, "lock", "--quiet"], cwd=described.parent, check=True)
    locked = tomllib.loads((described.parent / "uv.lock").read_text("utf-8"))["package"]
    wheels: dict[str, list[str]] = {package["name"]: [] for package in locked if "registry" in package["source"]}
    for package in locked:
        wheels.get(package["name"], []).extend(wheel["url"] for wheel in package.get("wheels", []))
    missing = [
        (name, version, platform)
        for name, version, platform in itertools.product(wheels, CHOICES["python_version"], PLATFORMS)
        if not any(fits(wheel, version, platform) for wheel in wheels[name])
    ]
    assert not missing


def fits(wheel: str, version: str, platform: str) -> bool:
    pythons, abi, platforms = wheel.removesuffix(".whl").rsplit("-", 3)[1:]
    number = int(version.removeprefix("3."))
    oldest = min((int(digits or 0) for digits in re.findall(r"(?:py|cp)3(\d*)", pythons)), default=math.inf)
    suits = oldest <= number if abi in ("abi3", "none") else oldest == number
    return suits and (platforms == "any" or re.search(platform, platforms) is not None)


@pytest.mark.early
@pytest.mark.slow
@pytest.mark.parametrize(
    ("driver", "names"), [("aiopg", "other names"), ("psycopg", "names of the foundation's example")]
)
def test_lowest_versions(
    bake: Bake, once: Once, python_for: PythonFor, postgres_of: PostgresOf, figures: Figures, driver: str, names: str
) -> None:
    """Check the project on the lowest versions of everything, and run its suite, without the files it must not need."""
    project = bake(driver=driver, **NAMES[names])
    python = python_for(driver, CHOICES["python_version"][0], "lowest-direct")
    check_python(project, once, python)
    keep_what_a_suite_sees(project)
    figures.append(f"{driver}, lowest versions, {names}: {run_suite(project, python, postgres_of('14'))}")
